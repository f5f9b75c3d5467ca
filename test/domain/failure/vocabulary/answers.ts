import { recognise } from "../../../../src/domain/failure/classify.js"
import type { Failure } from "../../../../src/domain/failure/Failure.js"
import type { Recognised } from "../../../../src/domain/failure/WireFailure.js"
import { answer } from "../wires.js"

/** What is made of a provider's answer; without a status only its body is at hand, as in a log or a queue. */
export const judged = (status: number | undefined, body: unknown): Recognised<Failure> =>
  recognise(answer(status, body))

/** The name of the rule that decides on a provider's answer. */
export const ruleOf = (status: number | undefined, body: unknown): string => judged(status, body).rule

/** An answer in words alone, or with what the provider calls the error. */
export const words = (message: string, names: { readonly code?: string; readonly type?: string } = {}) => ({
  error: { message, ...names }
})
