import * as Access from "./vocabulary/access.js"
import * as Capacity from "./vocabulary/capacity.js"
import * as Model from "./vocabulary/model.js"
import * as Money from "./vocabulary/money.js"
import * as Pace from "./vocabulary/pace.js"
import * as Policy from "./vocabulary/policy.js"
import * as Request from "./vocabulary/request.js"
import * as Size from "./vocabulary/size.js"
import * as Anthropic from "./envelopes/anthropic.js"
import * as Aws from "./envelopes/aws.js"
import * as Chinese from "./envelopes/chinese.js"
import * as Endings from "./envelopes/endings.js"
import * as Google from "./envelopes/google.js"
import * as OpenAi from "./envelopes/openai.js"
import * as SelfHosted from "./envelopes/selfhosted.js"
import * as Session from "./envelopes/session.js"
import * as Settings from "./envelopes/settings.js"
import * as Status from "./envelopes/status.js"
import * as Transport from "./envelopes/transport.js"
import type { Rule } from "./Rule.js"

/**
 * Which evidence outranks which. A failure is judged by the strongest evidence at hand, and the tables below are in this order:
 *
 * 1. What we know ourselves: a setting of ours, the login of our own back end, our own clock, what our own client refused to
 *    send. No answer can know it better.
 * 2. The answer's own word before an error that it quotes. A gateway that cools down says so itself, whatever its upstream
 *    said last; the quote decides only where the gateway has no word of its own but its status (and codes that repeat it).
 * 3. A maker's documented envelope (numbers, codes, fixed sentences) before the vocabulary that all share. Where a number of a
 *    maker covers several causes, as "bad parameters" does, the sentence beside it decides.
 * 4. Within the vocabulary: a statement that money is gone, then a window or wait that is named, since what is limited per time
 *    opens again by itself under any code or status; then policy and size by code; then what a validator says of a part of the
 *    request, which outranks the class and the 5xx in which clients and gateways wrap it; then codes of pace, model, access and
 *    capacity; then sentences.
 * 5. What parks all work (key, right, money) needs more than a word: a code of its own, a sentence that names the credential
 *    or the account, or a status of refusal. "Token", "key" and "signature" are also words about input.
 * 6. A sentence about length counts only where no limit per time is named beside it, and under no 429 or 402.
 * 7. The status, where nothing else tells; of two statuses the one within, since the outer is often a gateway's wrapper. What
 *    a proxy on our side answered to CONNECT is no status of the provider.
 */
export interface Level {
  readonly evidence: string
  readonly because: string
  readonly rules: ReadonlyArray<Rule>
}

const level = (evidence: string, because: string, ...tables: ReadonlyArray<ReadonlyArray<Rule>>): Level => ({
  evidence,
  because,
  rules: tables.flat()
})

const known = level(
  "what we know ourselves",
  "Our settings, our login and our clock are no matter of reading.",
  Settings.told,
  Session.rules,
  Settings.clock
)

const client = level(
  "what our own client refused",
  "Nothing was sent: whatever the message quotes is ours and not the provider's.",
  Settings.refusals
)

const makers = level(
  "a maker's envelope",
  "Its numbers, codes and sentences are documented, and mean the same each time.",
  Endings.rules,
  SelfHosted.rules,
  Chinese.rules,
  Google.rules,
  Aws.rules,
  Anthropic.rules,
  OpenAi.rules
)

const edge = level(
  "a page of an edge before the provider",
  "The provider never saw the request.",
  Status.edge
)

const shared: ReadonlyArray<Level> = [
  level("money that is gone", "Only paying cures it, whatever status and code carry it.", Money.rules),
  level("a limit per time", "It opens by itself, whatever else the text speaks of.", Pace.tooLarge, Pace.windows),
  level("policy and size by code", "These codes exist for one cause.", Policy.byCode, Size.byCode),
  level(
    "parts of the request",
    "They are named by their place, and by validators: no credential and no server is spoken of.",
    Access.ofInput,
    Request.byWords
  ),
  level(
    "the provider's own trouble in a refusal",
    "Words about the server alone.",
    Capacity.comingUp,
    Capacity.refusals,
    Capacity.behindRefusals
  ),
  level(
    "codes",
    "They are meant to be read, though several makers share them.",
    Pace.byCode,
    Model.byCode,
    Access.byCode,
    Capacity.byCode
  ),
  level(
    "sentences",
    "They are meant for people; the more a sentence is about one cause alone, the earlier it is asked.",
    Size.byText,
    Policy.byText,
    Model.byText,
    Pace.plain,
    Capacity.words,
    Pace.byText,
    Access.byText,
    Capacity.timeouts
  ),
  level("numbers that cover several causes", "No sentence beside them told which.", Chinese.vague)
]

const status = level("the status", "It says the least: several causes share each.", Status.rules)

/** A gateway that says "upstream request failed" or "timed out" tells of its upstream: that is no cause of its own. */
const ofUpstream: ReadonlyArray<Rule> = [...Capacity.words, ...Capacity.timeouts]

/** What the answer says itself, quotes left out. */
export const ownWord: ReadonlyArray<Level> = [
  known,
  client,
  makers,
  ...shared.map((one) => ({ ...one, rules: one.rules.filter((rule) => !ofUpstream.includes(rule)) })),
  level("a wait that the answer names itself", "Who names a wait is there and will serve.", Pace.ownWait)
]

/** What an answer quotes, where it has no word of its own. */
export const quotedWord: ReadonlyArray<Level> = [makers, ...shared]

/** A status is at hand. */
export const answered: ReadonlyArray<Level> = [known, makers, edge, ...shared, status]

/** No status at hand: the chain's codes first, then words, then what a provider may have said through them. */
export const unanswered: ReadonlyArray<Level> = [
  known,
  client,
  level("codes of the connection", "They are exact.", Transport.byCode),
  level("words that only connections have", "No provider says them of itself.", Transport.byEarlyText),
  makers,
  edge,
  ...shared,
  level("words that providers use too", "Asked after all that is known of providers.", Transport.byLateText),
  status,
  level("a chain without known words", "Still no answer arrived.", Transport.unknown)
]
