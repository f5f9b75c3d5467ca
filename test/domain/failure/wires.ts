import { recognise } from "../../../src/domain/failure/classify.js"
import type { TransportError, WireFailure } from "../../../src/domain/failure/WireFailure.js"

/** A third party's answer, to a key: `status` undefined where only its text was handed in. */
export const answer = (
  status: number | undefined,
  body: unknown,
  more: Partial<WireFailure> = {}
): WireFailure => ({
  provider: "acme",
  surface: "chat",
  auth: "key",
  ...(status === undefined ? {} : { status }),
  body: typeof body === "string" ? body : JSON.stringify(body),
  ...more
})

/** A call that broke without an answer, its chain outermost first. */
export const broken = (...transport: ReadonlyArray<TransportError>): WireFailure => ({
  provider: "acme",
  surface: "chat",
  auth: "key",
  transport
})

/** The rule that decided: a neighbour often gives the same class. */
export const ruleOf = (wire: WireFailure): string => recognise(wire).rule

/** The rule with the class that it gave, as in `status/5xx ProviderUnavailable`. */
export const verdictOf = (wire: WireFailure): string => {
  const { failure, rule } = recognise(wire)
  return `${rule} ${failure._tag}`
}
