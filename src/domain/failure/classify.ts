import * as Access from "./vocabulary/access.js"
import * as Capacity from "./vocabulary/capacity.js"
import * as Model from "./vocabulary/model.js"
import * as Money from "./vocabulary/money.js"
import * as Pace from "./vocabulary/pace.js"
import * as Policy from "./vocabulary/policy.js"
import * as Size from "./vocabulary/size.js"
import * as Anthropic from "./envelopes/anthropic.js"
import * as Aws from "./envelopes/aws.js"
import * as Chinese from "./envelopes/chinese.js"
import * as Google from "./envelopes/google.js"
import * as OpenAi from "./envelopes/openai.js"
import * as SelfHosted from "./envelopes/selfhosted.js"
import * as Session from "./envelopes/session.js"
import * as Status from "./envelopes/status.js"
import * as Transport from "./envelopes/transport.js"
import { gather } from "./Evidence.js"
import type { Evidence } from "./Evidence.js"
import type { Failure } from "./Failure.js"
import { firstOf } from "./Rule.js"
import type { Rule } from "./Rule.js"
import { failureOf } from "./verdict.js"
import type { Recognised, WireFailure } from "./WireFailure.js"

/** Our own clock ended the call: whatever else was seen, that is why. */
const ourClock: ReadonlyArray<Rule> = [{
  name: "clock/ours",
  because: "Our own time limit ended the call.",
  tag: "Timeout",
  when: ({ wire }) => wire.timedOutAfter !== undefined
}]

/** The adapter knows what no answer can tell: that what it was told to ask does not fit the one who answers. */
const ourSettings: ReadonlyArray<Rule> = [{
  name: "setting/ours",
  because: "A setting of ours does not fit the provider: each request is wrong until it is corrected.",
  tag: "InvalidRequest",
  when: ({ wire }) => wire.setting !== undefined
}]

/** What is known of providers, in the order in which it is asked: money before pace, the body before the status. */
const provider: ReadonlyArray<ReadonlyArray<Rule>> = [
  SelfHosted.rules,
  Chinese.rules,
  Google.rules,
  Aws.rules,
  Anthropic.rules,
  OpenAi.rules,
  Status.edge,
  Money.rules,
  Pace.tooLarge,
  Pace.windows,
  Policy.byCode,
  Size.byCode,
  Capacity.refusals,
  Pace.byCode,
  Model.byCode,
  Access.byCode,
  Capacity.byCode,
  Size.byText,
  Policy.byText,
  Model.byText,
  Pace.plain,
  Capacity.words,
  Pace.byText,
  Access.byText,
  Capacity.timeouts,
  Status.rules
]

const answered: ReadonlyArray<ReadonlyArray<Rule>> = [ourSettings, Session.rules, ourClock, ...provider]

/** No status at hand: the chain's codes first, then words, then what a provider may have said through them. */
const unanswered: ReadonlyArray<ReadonlyArray<Rule>> = [
  ourSettings,
  Session.rules,
  ourClock,
  Transport.byCode,
  Transport.byEarlyText,
  ...provider.slice(0, -1),
  Transport.byLateText,
  Status.rules,
  Transport.unknown
]

const tablesFor = ({ status, transport }: Evidence): ReadonlyArray<ReadonlyArray<Rule>> =>
  status === undefined || (transport && status < 300) ? unanswered : answered

/** Judge what the wire showed, with the rule that decided. Pure and total. */
export const recognise = (wire: WireFailure): Recognised<Failure> => {
  const evidence = gather(wire)
  const rule = firstOf(tablesFor(evidence), evidence) ?? Status.last
  return { failure: failureOf(rule, evidence), rule: rule.name, because: rule.because }
}

/** Judge what the wire showed. Pure and total. */
export const classify = (wire: WireFailure): Failure => recognise(wire).failure
