import type { Evidence } from "./Evidence.js"
import * as Failure from "./Failure.js"
import type { Rule } from "./Rule.js"
import { detail } from "./scrub.js"
import { resetIn, waitIn } from "./Wait.js"
import * as Duration from "effect/Duration"
import * as Match from "effect/Match"

const modelNames: ReadonlyArray<RegExp> = [
  /models?\s*(?:id|name|identifier)?\s*[:=]?\s*[`'"“「]([^`'"”」\s]{1,120})[`'"”」]/i,
  /[`'"]([^`'"\s]{1,120})[`'"] (?:is not a valid model|model not found|does not exist|not found)/i,
  /\bmodels\/([\w.@:-]{1,120})/,
  /\bmodel:\s*([\w./@:-]{2,120})/i,
  /\b([\w-]+\/[\w.:@-]+) is not a valid model/i,
  /\bmodels? ([\w-]*\d[\w./@:-]*|[\w-]+[/:][\w.@:-]+) (?:does|is|was|not|has)/i,
  /模型\s*[`'"]?([\w./@:-]{2,120})/
]

const modelIn = ({ said, wire }: Evidence): string => {
  if (wire.model !== undefined && wire.model !== "") return wire.model
  for (const name of modelNames) {
    const found = name.exec(said)?.[1]
    if (found !== undefined) return found.replace(/[.,:]+$/, "").slice(0, 120)
  }
  return ""
}

const limits: ReadonlyArray<RegExp> = [
  /(?:maximum|max)(?: model| input| context| sequence| prompt)*(?: length| size| window| tokens?)*(?: is| of|:|=)?\s*\(?(\d[\d,]*)\)?(?: tokens)?/i,
  /> ?(\d[\d,]*) ?(?:maximum|limit)/i,
  /(?:limit(?: of| is|:)?|less than|at most|up to|allowed \(|\bn_ctx["']?\s*[:=]?|<=)\s*(\d[\d,]*)/i,
  /\[\d+, ?(\d[\d,]*)\]/
]

const limitIn = ({ fields, said }: Evidence): number | undefined => {
  const named = fields.find(({ key }) =>
    /^(?:n_ctx|max_context_length|context_length|max_tokens_allowed|limit)$/.test(key)
  )
  const value = Number(
    named?.value ?? limits.map((limit) => limit.exec(said)?.[1]).find((found) => found !== undefined)
      ?.replaceAll(",", "")
  )
  return Number.isFinite(value) && value > 0 ? value : undefined
}

const wordsOf = ({ said, status, wire }: Evidence): string => {
  const transport = (wire.transport ?? []).map((link) => [link.code, link.message].filter(Boolean).join(" ")).join("; ")
  const contract = wire.contract ?? ""
  const words = [contract, said.trim() === "" ? wire.body?.trim() ?? "" : said.trim()].filter((text) => text !== "")
    .join(": ")
  return words !== "" ? (wire.status === undefined && transport !== "" ? transport : words) : transport !== ""
    ? transport
    : status === undefined
    ? ""
    : `HTTP ${status}`
}

/** The failure of a rule's class, with all that its class carries read from the evidence. */
export const failureOf = (rule: Rule, evidence: Evidence): Failure.Failure => {
  const { status, wire } = evidence
  const common = { provider: wire.provider, detail: detail(wordsOf(evidence)) }
  const wait = (): { retryAfter?: Duration.Duration } => {
    const retryAfter = waitIn(evidence)
    return retryAfter === undefined ? {} : { retryAfter }
  }
  return Match.value(rule.tag).pipe(
    Match.withReturnType<Failure.Failure>(),
    Match.when("SessionExpired", () => new Failure.SessionExpired({ ...common, session: wire.provider })),
    Match.when("AuthenticationFailed", () => new Failure.AuthenticationFailed(common)),
    Match.when("PermissionDenied", () => new Failure.PermissionDenied(common)),
    Match.when(
      "RateLimited",
      () => new Failure.RateLimited({ ...common, ...(rule.tooLarge === true ? { tooLarge: true } : wait()) })
    ),
    Match.when("BudgetExhausted", () => {
      const resetsAt = resetIn(evidence)
      return new Failure.BudgetExhausted({ ...common, ...(resetsAt === undefined ? {} : { resetsAt }) })
    }),
    Match.when("Network", () => new Failure.Network({ ...common, phase: rule.phase ?? "unknown" })),
    Match.when("Timeout", () =>
      new Failure.Timeout({
        ...common,
        ...(wire.timedOutAfter !== undefined && wire.timedOutAfter >= 0
          ? { after: Duration.millis(wire.timedOutAfter) }
          : {})
      })),
    Match.when("ProviderUnavailable", () =>
      new Failure.ProviderUnavailable({
        ...common,
        ...wait(),
        ...(status === undefined || !Number.isFinite(status) ? {} : { status }),
        ...(rule.permanent === true ? { permanent: true } : {})
      })),
    Match.when("ModelNotFound", () => new Failure.ModelNotFound({ ...common, model: modelIn(evidence) })),
    Match.when("ContextLengthExceeded", () => {
      const limit = limitIn(evidence)
      return new Failure.ContextLengthExceeded({ ...common, ...(limit === undefined ? {} : { limit }) })
    }),
    Match.when("ContentFiltered", () => new Failure.ContentFiltered(common)),
    Match.when("InvalidRequest", () => new Failure.InvalidRequest(common)),
    Match.when("MalformedResponse", () => new Failure.MalformedResponse(common)),
    Match.when("Cancelled", () => new Failure.Cancelled(common)),
    Match.exhaustive
  )
}
