import { gather } from "./Evidence.js"
import type { Evidence } from "./Evidence.js"
import type { Failure } from "./Failure.js"
import { answered, ownWord, unanswered } from "./precedence.js"
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

/** The answer without what it quotes, and without the codes that only repeat its status; none where it quotes nobody. */
const ownOf = (wire: WireFailure, evidence: Evidence): Evidence | undefined => {
  if (!evidence.quotes) return undefined
  const own = gather(wire, "left out")
  return { ...own, codes: own.codes.filter((code) => !repeatsStatus.test(code)) }
}

/** Judge what the wire showed, with the rule that decided. Pure and total. */
export const recognise = (wire: WireFailure): Recognised<Failure> => {
  const evidence = gather(wire)
  const own = ownOf(wire, evidence)
  const ownRule = own === undefined ? undefined : decide(ownWord, own)
  const levels = evidence.status === undefined || (evidence.transport && evidence.status < 300) ? unanswered : answered
  const rule = ownRule ?? decide(levels, evidence) ?? Status.last
  return {
    failure: failureOf(rule, ownRule === undefined || own === undefined ? evidence : own, evidence),
    rule: rule.name,
    because: rule.because
  }
}

/** Judge what the wire showed. Pure and total. */
export const classify = (wire: WireFailure): Failure => recognise(wire).failure
