import { anyOf } from "../Rule.js"
import type { Rule } from "../Rule.js"

/** Sentences of validators, of JSON Schema and of Pydantic, and of the makers themselves: a part of the request does not fit. */
const unfit = anyOf(
  String
    .raw`\b(?:is|are|was) not (?:a valid|an allowed|a supported|an accepted|one of)\b|\bmust be one of\b|\buse one of\b|\b(?:supported|allowed|valid|permitted) values(?: are|:)`,
  String
    .raw`\bextra (?:inputs|fields|properties) (?:are |is )?not (?:permitted|allowed)\b|\badditional ?properties\b|\bunexpected keyword argument\b`,
  String
    .raw`\b(?:unknown|unrecognized|unrecognised|unsupported|invalid|missing|unexpected)(?: required)?(?: request| query| body| json)? (?:parameter|param|field|argument|property|role)(?:s|\(s\))?\b`,
  String
    .raw`\bvalidation errors? (?:for|detected)\b|\bfailed to satisfy constraint\b|\bfield required\b|\bis a required property\b|\binvalid (?:json )?schema\b|\bmalformed input request\b`,
  String
    .raw`\b(?:cannot|can't|must not|may not|should not) be (?:an )?(?:empty|blank|null)\b|\bcontains an empty\b`,
  String
    .raw`\b(?:is|are) not supported (?:when|with|by this|for this|in combination)\b|\b(?:does not|doesn't) support (?:the |this )?[\w-]+(?: [\w-]+)? (?:parameter|field|argument|endpoint|option|mode|prefill(?:ing)?|roles?)\b`,
  String
    .raw`\b(?:must|should|does not|did not|doesn't) match (?:the |a )?(?:pattern|regex|schema|format)\b|\binvalid (?:input|request|message|body) (?:format|structure|syntax)\b|\b(?:must|should) (?:start|begin|end|alternate) with (?:a |an |the )?(?:user|assistant|system|tool)\b|\broles must alternate\b|\brequires? (?:reasoning|thinking|stream(?:ing)?|tools?)(?: \w+)? to be (?:enabled|disabled|set)\b`
)

/** Lengths, credentials and the models' own names have sentences of their own, which are asked later. */
const otherwise =
  /\btokens?\b|\bcontext\b|\blength\b|\bcharacters?\b|\btoo (?:long|large|many)\b|\bapi key\b|\bcredential|\bnot a valid model\b|\b(?:invalid|unknown|unsupported) model\b/

export const byWords: ReadonlyArray<Rule> = [
  {
    name: "request/words",
    because:
      "A validator names the part that does not fit. Clients and gateways wrap that in their own class or 5xx, TEI in a 413 for an empty input; it is refused again unchanged.",
    tag: "InvalidRequest",
    status: (status) => status === undefined || status === 200 || status === 413 || status >= 500,
    text: unfit,
    unless: otherwise
  }
]
