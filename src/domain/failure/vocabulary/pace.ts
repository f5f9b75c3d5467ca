import * as Duration from "effect/Duration"
import { anyOf, codes, statusIs } from "../Rule.js"
import type { Rule } from "../Rule.js"
import type { Evidence } from "../Evidence.js"
import { waitIn } from "../Wait.js"
import { month, window } from "./money.js"

/** The number that stands where the pattern says; NaN where the text has none, which is neither above nor below any. */
const numberAt = (place: RegExp, text: string): number => Number(place.exec(text)?.[0].replaceAll(",", ""))

/** Limit and size of one request, where the text names both: the request alone is beyond the limit. */
const beyond = ({ text }: Evidence): boolean => {
  const limit = numberAt(/(?<=\blimit:? (?:of )?~?)\d[\d,]*/, text)
  const requested = numberAt(/(?<=\brequested:? ~?)\d[\d,]*/, text)
  return limit > 0 && requested > limit
}

/** True where the answer itself names a wait, in any form. */
function named(evidence: Evidence): boolean {
  const wait = waitIn(evidence)
  return wait !== undefined && Duration.toMillis(wait) > 0
}

/** True where the text says that something is used up, reached or hit. */
function spent({ text }: Evidence): boolean {
  return /\bexceed|\breach(?:ed|es)?\b|\bexhaust|\bused (?:up|all)\b|\bhit (?:your|the|a)\b|\bout of\b|\bran out\b|\bcooling down\b|\bdepleted\b|\bspent\b|\bno more\b|\blimit (?:for|is)\b|\bquota will\b|\bwill reset\b|达到|超出|超过|用尽|用完|耗尽/
    .test(text)
}

const tooMany = anyOf(
  String
    .raw`\brate[ -]?limit|\bratelimit|\btoo many (?:requests|tokens|calls|concurrent|connections|pending|attempts|people|messages)|\bthrottl|\bslow down\b|\bsent too many\b`,
  String
    .raw`\b(?:requests?|tokens?|calls?|queries|images?) per (?:second|minute|min|hour|day)\b|\b(?:[io]?t|r)p[smhd]\b|\bqps\b|\bqpm\b`,
  String
    .raw`\bconcurren(?:cy|t)(?: \w+){0,3} (?:limit|exceed|reached|quota|too)|\b(?:maximum|max|limit)(?: \w+){0,3} concurren|\bparallel requests?\b.{0,30}\b(?:limit|exceed)`,
  String
    .raw`\b(?:request|usage|message|token|call|api|daily|hourly|weekly|session|5[- ]hour|free|hour)(?: \w+)? (?:limit|cap) (?:\w+ ){0,3}?(?:reached|exceeded|hit|exhausted)|\b(?:reached|exceeded|hit|exceeds)(?: your| the| its| a| my)?(?: [\w-]+){0,4} (?:limit|capacity|cap)s?\b`,
  String
    .raw`\brequests? (?:frequency|rate)\b|\bhigh frequency\b|\bfrequency (?:limit|too)|\btime frame\b|\bexhausted your capacity\b|\bresource (?:has been )?exhausted\b`,
  "速率|频率|頻率|限流|限速|流控|请求(?:过于|太|过)(?:频繁|多|快)|請求過於頻繁|(?:请求|访问|调用)(?:次数|数|量|频次).{0,8}(?:过多|超|上限|限制)|并发|並發|使用上限|达到.{0,14}上限|触发.{0,8}(?:限|控)|超过.{0,12}(?:限制|上限)|每分钟|每秒|稍后再试.{0,4}限|rpm|tpm",
  "レート(?:制限|リミット)|リクエスト(?:が|数|回数).{0,8}(?:多すぎ|上限|制限|超)|回数制限|利用制限|速度制限|요청.{0,8}(?:너무 많|한도|제한|초과)|(?:속도|비율|사용량) (?:제한|한도)|호출 (?:한도|제한)",
  "demasiad[ao]s (?:solicitudes|peticiones)|l[ií]mite de (?:velocidad|tasa|solicitudes|peticiones|taxa|requisi[cç][oõ]es)|muitas (?:solicita[cç][oõ]es|requisi[cç][oõ]es)|trop de (?:requ[eê]tes|demandes)|limite (?:de d[eé]bit|de requ[eê]tes|de fr[eé]quence)|zu viele anfragen|(?:raten|anfrage)(?:limit|begrenzung)",
  "слишком много запросов|превышен(?:о|а)? (?:лимит|количество|частота) (?:запрос|числ|обращ)|лимит запросов|troppe richieste|limite di (?:frequenza|richieste)|[cç]ok fazla istek|istek s[ıi]n[ıi]r[ıi]|qu[aá] nhi[eề]u y[eê]u c[aầ]u|zbyt wiele (?:[zż][aą]da[nń]|zapyta[nń])|te veel verzoeken|terlalu banyak permintaan|طلبات كثيرة|חריגה|för många"
)

export const tooLarge: ReadonlyArray<Rule> = [
  {
    name: "pace/one-request-too-large",
    because: "The text sets this one request against the limit itself and finds it larger: no pause makes it smaller.",
    tag: "RateLimited",
    tooLarge: true,
    text:
      /\brequest too large\b.{0,200}\b(?:per min|per day|tpm|tpd|rpm|rate limit|limit)|\b(?:input|output) tokens must be reduced\b|single request.{0,60}(?:exceed|larger).{0,40}rate limit|would never (?:fit|succeed).{0,60}(?:rate|quota)/,
    when: ({ codes: said, status, text }) =>
      said.some((code) => /ratelimit|tokens|throttl|toomany/.test(code)) || status === 429 ||
      /\b[tr]p[md]\b|per min/.test(text)
  },
  {
    name: "pace/requested-beyond-limit",
    because:
      "Providers that print Limit and Requested count one request against the whole window: beyond it, it never fits.",
    tag: "RateLimited",
    tooLarge: true,
    when: (evidence) => beyond(evidence) && window.test(evidence.text)
  }
]

export const byCode: ReadonlyArray<Rule> = [
  {
    name: "pace/code",
    because: "These codes are the providers' names for too much per time; money and size were asked before.",
    tag: "RateLimited",
    code: codes(
      "(?:model|account|user|org|organization|project|key|rpm|tpm|tpd|rpd|ipm|qps|api|ip|endpoint|token|tokens|request|requests|daily|free|dynamic|modelaccount\\w*|accountrpm|accounttpm|global|userglobal|usermodel|usagebased)*rate(?:limit(?:s|ed|ing)?|quota)(?:exceeded|reached|hit|error|exception)*",
      "ratelimit\\w*|rate(?:exceeded|limiterror|increasetoofast|growthtoofast)",
      "(?:free|api)?toomany(?:requests?|calls|connections|concurrentrequests)(?:error|exception)?",
      "throttling\\w*|throttled(?:error|exception)?|throttle(?:error|exception)?|requestthrottled(?:exception)?|requestslimitexceeded|provisionedthroughputexceeded(?:exception)?",
      "(?:requestlimit|usagelimit|requestslimit|limitrequests|concurrencylimit|quotalimit|messagelimit|dailylimit|tokenlimit\\w*perminute|calllimit|qpslimit)(?:exceeded|reached|error)?(?:\\w{0,30})",
      "usagelimit(?:reached|exceeded)|limitrequests|limitburstrate|concurrencyexceeded|maxconcurrency\\w*|concurrent(?:requests?|limit)?exceeded|inflightbatchsizeexceeded|userratelimitexceeded|dailylimitexceeded",
      "resourceexhausted(?:error|exception)?|quotaexhausted|slowdown|servicequotaexceeded(?:exception)?|tokenquotaexceeded|1302|too_many_requests",
      "(?:daily|hourly|weekly|minute)\\w*(?:limit|quota)\\w*(?:exceeded|reached|exhausted|hit)",
      "(?:rpm|tpm|qps|rpd|tpd)(?:rate)?limit(?:exceeded)?|tokens|requests|input(?:_)?tokens?ratelimit"
    ),
    unlessCode: /^(?:badgateway|tokenslimitreached)$/,
    // A refusal that finds this one text too long is none of pace, whatever code a gateway gives it.
    when: ({ status, text }) =>
      !(status !== undefined && [400, 413, 422].includes(status) &&
        /\b(?:prompt|input|text|document|message|content) (?:is|was) (?:too long|(?:longer|larger|bigger) than)\b/.test(
          text
        ))
  },
  {
    name: "pace/tokens-code",
    because: "Too many tokens are a length in the mouth of some makers (Cohere), and a pace only under a 429.",
    tag: "RateLimited",
    status: (status) => status === undefined || status === 429,
    code: codes("toomanytokens(?:error|exception)?")
  }
]

/** What is had in portions: the portion is used up, not the account. */
const portion =
  /\b(?:limit|quota|allowance|allocation|allotment|capacity|volume|usage|credentials|tokens|requests|messages)\b|限额|额度|配额|上限|使用量/

const opensAgain = anyOf(
  String
    .raw`\bresets?\b|\brenew|(?<!context )\bwindow\b|\brefresh|\brepleni|\brefill|\brestored?\b|\bregain\b|\bcool(?:ing)? ?down\b|\btomorrow\b`,
  String.raw`\b(?:re)?try (?:again )?(?:in|after) (?:about )?\d|\bavailable again\b|重置|恢复|刷新`
)

/** A limit of a window that the text names opens again by itself, under whatever code of refusal it comes. */
export const windows: ReadonlyArray<Rule> = [
  {
    name: "pace/cooldown",
    because:
      "Gateways rest a key or a model after its refusals and serve again by themselves; what was said last is quoted.",
    tag: "RateLimited",
    code: codes("(?:model|key|account|credential|provider|channel)s?cooldown|cooldown|coolingdown")
  },
  {
    name: "pace/window",
    because:
      "A portion per hours, day or week, or one whose renewal is named, comes back by itself; plans answer so with 402, 403 and codes of access as well as with 429.",
    tag: "RateLimited",
    status: (status) => status !== 413,
    text: portion,
    unless: month,
    when: (evidence) => spent(evidence) && (opensAgain.test(evidence.text) || named(evidence))
  },
  {
    name: "pace/portion-of-a-day",
    because: "What is used up of a day's or week's portion is there again with the next one.",
    tag: "RateLimited",
    status: (status) => status === undefined || [200, 400, 401, 402, 403, 429].includes(status),
    text:
      /\b(?:daily|weekly|hourly|5[- ]hour|\d+[- ](?:hour|day)|per (?:day|week|hour)|today's|session)\b.{0,40}\b(?:limit|quota|allowance|allocation|usage|neurons|cap)\b/,
    unless: anyOf(String.raw`\b(?:spend|spending|budget|cost|balance)\b`, month.source),
    when: spent
  }
]

/** In an answer that quotes another's error: whoever names a wait of their own will serve after it. */
export const ownWait: ReadonlyArray<Rule> = [
  {
    name: "pace/own-wait",
    because: "The answer is a 429 and names a wait of its own; what it quotes was said to somebody else before.",
    tag: "RateLimited",
    status: statusIs(429),
    when: named
  }
]

/** A 429 that says rate limit is one, also where the sentence goes on about upstreams and later tries. */
export const plain: ReadonlyArray<Rule> = [
  {
    name: "pace/plain-429",
    because: "The status and the provider's own words agree on a rate limit.",
    tag: "RateLimited",
    status: statusIs(429),
    text:
      /\brate[ -]?limit(?:s|ed|ing)?\b|\btoo many requests\b|\brequests? per (?:second|minute|hour|day)\b|リクエスト.{0,8}多すぎ|请求.{0,4}(?:频繁|过多)|요청.{0,6}너무 많|demasiad[ao]s (?:solicitudes|peticiones)|muitas (?:solicita|requisi)|trop de requ|zu viele anfragen|слишком много запросов/
  }
]

export const byText: ReadonlyArray<Rule> = [
  {
    name: "pace/words",
    because:
      "The text speaks of requests, tokens or calls per time, of frequency or concurrency: a limit that renews by itself.",
    tag: "RateLimited",
    status: (status) =>
      status === undefined || status <= 400 || [403, 409, 420, 425, 429, 430, 498, 500, 502, 503, 529].includes(status),
    text: tooMany,
    unless:
      /rate limit(?:er|ing)? (?:service|backend|is) (?:unavailable|down|failed)|max(?:imum)?[ -]?(?:tokens|length)|size limit|supported range|limit must|exceeds? (?:the )?(?:maximum|max) (?:allowed )?(?:batch|number|length|file|image|size)/
  }
]
