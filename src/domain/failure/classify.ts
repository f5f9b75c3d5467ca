import { gather } from "./Evidence.js"
import type { Evidence } from "./Evidence.js"
import type { Failure } from "./Failure.js"
import { answered, ownWord, quotedWord, unanswered } from "./precedence.js"
import type { Level } from "./precedence.js"
import { firstOf } from "./Rule.js"
import type { Rule } from "./Rule.js"
import * as Status from "./envelopes/status.js"
import { failureOf } from "./verdict.js"
import type { Recognised, WireFailure } from "./WireFailure.js"

const decide = (levels: ReadonlyArray<Level>, evidence: Evidence): Rule | undefined =>
  firstOf(levels.map(({ rules }) => rules), evidence)

/** Codes that say again what the status says: a gateway gives them to whatever its upstream answered. */
const repeatsStatus =
  /^(?:ratelimit(?:error|exceeded|ed|exceedederror)?|toomanyrequests(?:error)?|invalidrequesterror|badrequest(?:error)?|apierror|authenticationerror|permissionerror|notfounderror|internalservererror|servererror|serviceunavailable(?:error)?|provider(?:response)?error|upstreamerror|gatewayerror|forbidden|permissiondenied|unauthorized|unavailable|notfound|error)$/

interface Decision {
  readonly rule: Rule
  /** What decided: all that was said, or the part of it that outranks the rest. */
  readonly by: Evidence
}

const decision = (levels: ReadonlyArray<Level>, by: Evidence): Decision | undefined => {
  const rule = decide(levels, by)
  return rule === undefined ? undefined : { rule, by }
}

/** An answer that quotes another's error: its own word first, then the quoted one, each without codes that repeat the status. */
const quoting = (wire: WireFailure, whole: Evidence): Decision | undefined => {
  if (!whole.quotes) return undefined
  const own = gather(wire, "left out")
  const repeated = new Set(own.codes.filter((code) => repeatsStatus.test(code)))
  const telling = (evidence: Evidence): Evidence => ({
    ...evidence,
    codes: evidence.codes.filter((code) => !repeated.has(code))
  })
  return decision(ownWord, telling(own)) ?? decision(quotedWord, telling(whole))
}

/** Judge what the wire showed, with the rule that decided. Pure and total. */
export const recognise = (wire: WireFailure): Recognised<Failure> => {
  const whole = gather(wire)
  const levels = whole.status === undefined || (whole.transport && whole.status < 300) ? unanswered : answered
  const { by, rule } = quoting(wire, whole) ?? decision(levels, whole) ?? { rule: Status.last, by: whole }
  return { failure: failureOf(rule, by, whole), rule: rule.name, because: rule.because }
}

/** Judge what the wire showed. Pure and total. */
export const classify = (wire: WireFailure): Failure => recognise(wire).failure
