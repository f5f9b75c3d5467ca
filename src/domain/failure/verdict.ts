import * as Duration from "effect/Duration"
import type { Evidence } from "./Evidence.js"
import * as Storable from "../text/Storable.js"
import * as Failure from "./Failure.js"
import type { Rule } from "./Rule.js"
import { detail } from "./scrub.js"
import { kept, resetIn, waitIn } from "./Wait.js"
import type { WireFailure } from "./WireFailure.js"

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
    if (found !== undefined) return Storable.cut(Storable.oneLine(found.replace(/[.,:]+$/, "")), 120)
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

/** Where a status and its phrase were read and taken out of a text, the status stands again for who reads the rest. */
const withStatus = (said: string, status: number | undefined): string =>
  status === undefined
    ? said
    : said.replace(/^HTTP(?:\/\d(?:\.\d)?)?(?=\s+(?:[^\s\d]|$))\s*:?/i, `HTTP ${status}:`)
      .replace(/\berror \(\s+\)/i, `error (${status})`)
      .replace(/^(HTTP \d{3}):\s*$/, "$1")

/** What the provider said, or where nothing was answered how the connection broke; the status where nobody has words. */
const wordsOf = ({ said, status, wire }: Evidence): string => {
  const links = (wire.transport ?? []).map(({ code, message }) => [code, message].filter(Boolean).join(" ")).join("; ")
  const words = [wire.contract, withStatus(said, status).trim() || wire.body?.trim()].filter(Boolean).join(": ")
  const told = wire.status === undefined ? links || words : words || links
  return told || (status === undefined ? "" : `HTTP ${status}`)
}

/** The setting's key: each surface has its own. */
const settingOf = ({ surface }: WireFailure, name: "url" | "api_key"): string =>
  `${surface === "embed" ? "embedder" : "chat"}.${name}`

interface Common {
  readonly provider: string
  readonly detail: string
}

interface Waited {
  readonly retryAfter?: Duration.Duration
  readonly asked?: Duration.Duration
}

/** A wait that a quoted error names counts where the answer itself names none. One that is cut is kept beside, as it was named. */
const waited = (evidence: Evidence, whole: Evidence): Waited => {
  const asked = waitIn(evidence) ?? waitIn(whole)
  if (asked === undefined) return {}
  const retryAfter = kept(asked)
  return Duration.lessThan(retryAfter, asked) ? { retryAfter, asked } : { retryAfter }
}

/** What is built here is bounded above; checking it again would cost more than all of classification. */
const trusted = { disableValidation: true }

/** How each class is made; a new tag does not compile until it stands here. */
const make: {
  readonly [Tag in Failure.FailureTag]: (
    common: Common,
    evidence: Evidence,
    rule: Rule,
    whole: Evidence
  ) => Failure.Failure
} = {
  SessionExpired: (common) => new Failure.SessionExpired({ ...common, session: common.provider }, trusted),
  AuthenticationFailed: (common) => new Failure.AuthenticationFailed(common, trusted),
  PermissionDenied: (common) => new Failure.PermissionDenied(common, trusted),
  RateLimited: (common, evidence, { tooLarge }, whole) =>
    new Failure.RateLimited({ ...common, ...(tooLarge === true ? { tooLarge } : waited(evidence, whole)) }, trusted),
  BudgetExhausted: (common, evidence) => {
    const resetsAt = resetIn(evidence)
    return new Failure.BudgetExhausted({ ...common, ...(resetsAt === undefined ? {} : { resetsAt }) }, trusted)
  },
  Network: (common, _, { phase }) => new Failure.Network({ ...common, phase: phase ?? "unknown" }, trusted),
  Timeout: (common, { wire: { timedOutAfter } }) =>
    new Failure.Timeout({
      ...common,
      ...(timedOutAfter !== undefined && timedOutAfter >= 0 ? { after: Duration.millis(timedOutAfter) } : {})
    }, trusted),
  ProviderUnavailable: (common, evidence, { permanent }, whole) =>
    new Failure.ProviderUnavailable({
      ...common,
      ...waited(evidence, whole),
      ...(evidence.status === undefined || !Number.isFinite(evidence.status) ? {} : { status: evidence.status }),
      ...(permanent === true ? { permanent } : {})
    }, trusted),
  ModelNotFound: (common, evidence) => new Failure.ModelNotFound({ ...common, model: modelIn(evidence) }, trusted),
  ContextLengthExceeded: (common, evidence) => {
    const limit = limitIn(evidence)
    return new Failure.ContextLengthExceeded({ ...common, ...(limit === undefined ? {} : { limit }) }, trusted)
  },
  ContentFiltered: (common) => new Failure.ContentFiltered(common, trusted),
  InvalidRequest: (common, { wire }, rule) => {
    const setting = wire.setting ?? (rule.setting === undefined ? undefined : settingOf(wire, rule.setting))
    return new Failure.InvalidRequest({ ...common, ...(setting === undefined ? {} : { setting }) }, trusted)
  },
  MalformedResponse: (common) => new Failure.MalformedResponse(common, trusted),
  Cancelled: (common) => new Failure.Cancelled(common, trusted)
}

/**
 * The failure of a rule's class, with all that its class carries read from the evidence that decided. `whole` is the same with
 * what the answer quotes: it is what a person reads.
 */
export const failureOf = (rule: Rule, evidence: Evidence, whole: Evidence = evidence): Failure.Failure =>
  make[rule.tag]({ provider: evidence.wire.provider, detail: detail(wordsOf(whole)) }, evidence, rule, whole)
