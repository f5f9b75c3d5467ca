import * as Storable from "../text/Storable.js"

/** What stands in a secret's place. */
export const hidden = "[hidden]"

const mostShown = 300

type Step = readonly [pattern: RegExp, instead: string]

/** Names whose value is a secret, in headers, JSON, query strings and settings. */
const secretNames =
  "(?:[\\w.-]*(?:api|access|secret|private|subscription|auth|client|master|service|signing|account|session|storage|bearer|refresh|id|csrf|xsrf|security)[-_. ]?(?:key|token|secret|jwt|password|credentials?)(?:[-_]?id)?|[\\w-]*(?:password|passwd|passphrase|pwd|secret)|(?:x-)?(?:amz-)?(?:security-)?token|x-goog-api-key|ocp-apim-subscription-key|api-?key|apikey|sig|signature|credentials?|jwt|session(?:id)?|sid|connection-?string|private_key|code_verifier|(?:proxy-)?authorization)"

/** What stands between a key's name and the key where somebody speaks of it: `API key provided: X`. */
const spokenOf = "\\s+(?:provided|given|supplied|used|sent)\\s*[:=]?\\s*"

/** A value that may be a word as well: it counts as a secret where it has a digit, or is as long as no word is. */
const telling = String.raw`(?:(?=[\w.+/=~*-]*\d)[\w.+/=~*-]{8,}|[\w.+/=~*-]{20,})`

/**
 * Each step names one shape of secret. The order matters: whole structures (URLs, cookies, credentials) come before keys
 * and before name=value pairs, and what a step leaves is never caught by a later one.
 */
const steps: ReadonlyArray<Step> = [
  // Clients quote the header that they cannot send: h11 and requests as Python prints it, undici with its line breaks.
  [
    /((?:illegal|invalid|bad|malformed) header (?:field )?(?:value|content)|\bin header value|\bheader value)(\s*:?\s*)[bu]?(["'`])(?:\\.|(?!\3)[^\\])*(?:\3|$)/gi,
    `$1$2${hidden}`
  ],
  [/(\bheader part \()(?:[^()]|\([^()]*\)){1,8192}(\))/gi, `$1${hidden}$2`],
  [/(["'`])(?:\\.|(?!\1)[^\\]){1,8192}\1(?= is (?:an invalid|not a (?:legal|valid)) (?:http )?header)/gi, hidden],
  [
    /(["'`])(?:bearer|basic)\s+(?=[^\s"'`]*[\d+/=_.-]|[^\s"'`]{16,})(?:\\.|(?!\1)[^\\])*(?:\1|$)/gi,
    hidden
  ],
  [/-----BEGIN [A-Z ]*(?:PRIVATE KEY|CERTIFICATE)-----[\s\S]*?(?:-----END [A-Z ]*-----|$)/g, hidden],
  // Addresses whose path is the secret: whoever knows them may send, or speak as the bot.
  [
    /\b(hooks\.slack\.com\/(?:services|workflows)|discord(?:app)?\.com\/api\/webhooks|[\w.-]*webhook\.office\.com\/webhookb2|hooks\.zapier\.com\/hooks\/catch|api\.telegram\.org)\/[^\s"'<>)]*/gi,
    `$1/${hidden}`
  ],
  [/(\s(?:-u|--user|--proxy-user)[\s=]+["']?)[^\s:"']+:[^\s"']+/g, `$1${hidden}`],
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'<>\\@]*(?:@[^\s/?#"'<>\\@]*)*@/gi, "$1"],
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s?#"'<>\\)]*)[?#][^\s"'<>\\)]*/gi, "$1"],
  [/((?<!\w)(?:set-)?cookie2?["']?\s*[:=]\s*)(?:"[^"]*"?|'[^']*'?|[^\r\n"']+)/gi, `$1${hidden}`],
  [
    /\b((?:proxy-)?authorization["']?\s*[:=]\s*["']?)(?:(?:bearer|basic|digest|token|negotiate|aws4-hmac-sha256|apikey|key)\s+)?[^\r\n"']+/gi,
    `$1${hidden}`
  ],
  [
    /\b(bearer|basic|digest|negotiate)(\s+|%20)(?=[^\s"',;]*[\d+/=_.-]|[^\s"',;]{16,})(?:"[^"]*"|(?!authentication|authorization|credentials?\b)[^\s"',;)\]}<>]{6,})/gi,
    `$1 ${hidden}`
  ],
  [/\beyJ[\w-]{5,}(?:\.[\w-]*){0,4}/g, hidden],
  [
    new RegExp(
      `(["'\`]?\\b${secretNames}["'\`]?\\s*(?:[:=]|=>|%3D)\\s*)(?:\\[hidden\\]|(?:[bru]{0,2})"(?:[^"\\\\]|\\\\.)*"?|(?:[bru]{0,2})'(?:[^'\\\\]|\\\\.)*'?|\`[^\`]*\`?|[^\\s"'\`,;&)\\]}<>]+)`,
      "gi"
    ),
    `$1${hidden}`
  ],
  // Header lists of Python, Node and HTTP/2: the name and its value side by side.
  [
    new RegExp(
      `((["'])${secretNames}\\2\\s*,\\s*)[bru]{0,2}(?:"(?:[^"\\\\]|\\\\.)*"?|'(?:[^'\\\\]|\\\\.)*'?)`,
      "gi"
    ),
    `$1${hidden}`
  ],
  // A key that is quoted behind its name, and one behind its Chinese name.
  [new RegExp(`(\\b${secretNames}(?:${spokenOf}|\\s+))(["'\`])${telling}\\2`, "gi"), `$1${hidden}`],
  [new RegExp(`((?:密钥|秘钥|令牌|口令|密码|金鑰|權杖)\\s*[:：=]?\\s*["'“「]?)${telling}`, "g"), `$1${hidden}`],
  [/((["'])pass\2\s*:\s*)(?:"[^"]*"?|'[^']*'?)/gi, `$1${hidden}`],
  // Keys by their makers' prefixes.
  [/(?:\b|(?<=\\[nrt]))(?:sk|pk|rk)[-_](?=[\w*-]*[\dA-Z])[\w*-]{20,}/g, hidden],
  [
    /(?:\b|(?<=\\[nrt]))(?:sk|pk|rk|ak|fk|ek|sess|key|org|proj|whsec)[-_](?:[A-Za-z0-9]+[-_])*[A-Za-z0-9_-]*[A-Za-z0-9*]{8,}[\w*-]*/g,
    hidden
  ],
  [
    /(?:\b|(?<=\\[nrt]))(?:gsk|xai|pplx|r8|hf|api_org|nvapi|csk|fw|fpf|jina|pa|al|voyage|tgp|tgp_v1|ghp|gho|ghu|ghs|ghr|glpat|github_pat|dapi|dop_v1|lsv2_(?:pt|sk)|ls__|xox[abposr]|xapp|tvly|ctx7sk|pcsk|SG|npm|pypi|shpat|sq0csp|rnd|sbp|e2b|dsk|bce-v3|ms|tenant|figd|lin_api|secret|ntn|phc|phx|sntrys|AGE-SECRET-KEY|gl(?:rt|dt|ft|soat|ptt|cbt|imt|agent|oas)|vck|cf[au]t|sq0[a-z]{3}|NR(?:AK|RA|II)|hv[bsr]|dckr_pat|sb_(?:secret|publishable)|GOCSPX)[-_./][\w-][\w./=-]{9,}/g,
    hidden
  ],
  [/\bdp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{16,}|\b[\w-]{8,}\.atlasv1\.[\w-]{16,}|\b[\w]{3}\dQ~[\w.~-]{20,}/g, hidden],
  [
    new RegExp(`(\\b${secretNames}${spokenOf})(?=[\\w.+/~*-]*\\d)[\\w.+/~*-]{7,}[\\w=*](?![\\w-]*\\s*[:=])`, "gi"),
    `$1${hidden}`
  ],
  [/\bya29\.[\w.-]{10,}|\b1\/\/0[\w-]{20,}|\bAQ\.[\w-]{20,}/g, hidden],
  [/\bAIza[\w-]{20,}/g, hidden],
  [/\b(?:AKIA|ASIA|AROA|AIDA|ABSK|AGPA|ANPA|ABIA|ACCA|LTAI|AKID|AKLT)[A-Za-z0-9+/=]{10,}/g, hidden],
  [/\b[0-9a-f]{32}\.[A-Za-z0-9]{16}\b/g, hidden],
  // Long runs that no sentence has: hexadecimal and mixed base64 of a key's length. A model's name is as long, in short words.
  [/\b(?:dapi)?(?:[0-9a-f]{32,}|[0-9A-F]{32,})\b/g, hidden],
  [
    /(?<![\w/+.-])(?=[\w+/-]*[A-Z])(?=[\w+/-]*[a-z])(?=[\w+/-]*\d)(?=[\w+/-]*?(?:[A-Za-z0-9]{16}|(?=[A-Za-z]{0,11}\d)[A-Za-z0-9]{12}))[A-Za-z0-9_+/-]{32,}={0,2}(?![\w/+-])/g,
    hidden
  ]
]

/** What pasting leaves within a key: line breaks, as they are and as escapes, and characters that nobody sees. */
const breaks = String
  .raw`(?:(?:\\+u000[ad]|\\+[rn]|[=\\]?\r?\n|<br ?/?>|%0[ad]|[\r\u00ad\u200b-\u200f\u2060-\u2064\ufeff])[ \t]*)+`

/** What follows a break as more of the key: a run that has a digit, or that stands alone on its line. */
const more = String.raw`(?=[\w.=+/-]*\d|[\w.=+/-]{4,}(?:["'\x60)\]}>,;]|\\|[\r\n]|[ \t]*$))[\w.=+/-]{2,}`

/** The shapes of key whose second half would be shown if a break parted them; each with what stands before the break. */
const parted: ReadonlyArray<RegExp> = [
  String
    .raw`(?:\b|(?<=\\[nrt]))(?:(?:sk|pk|rk|gsk|xai|pplx|r8|hf|nvapi|csk|fw|jina|pa|ghp|gho|github_pat|tgp_v1)[-_]|AIza|ya29\.|eyJ|AKIA|ASIA|LTAI)[\w.-]*`,
  String.raw`\b(?:bearer|basic)[ \t]+[^\s"'\x60,;\\]{4,}`,
  String.raw`\b${secretNames}["'\x60]?\s*[:=][ \t]*[^\s"'\x60,;&\\]{4,}`
].map((before) => new RegExp(`(${before})${breaks}(?=(?:${more}))`, "gim"))

const anyBreak = /[\r\n\u00ad\u200b-\u200f\u2060-\u2064\ufeff]|\\[rn]|\\u000[ad]|<br|%0[ad]/i

/** More lines than a key is ever broken into. */
const mostBreaks = 12

/** Keys that breaks parted are whole again, so that they are hidden whole; each round takes one break out of each key. */
const joined = (text: string, rounds = mostBreaks): string => {
  if (rounds === 0 || !anyBreak.test(text)) return text
  const next = parted.reduce((rest, shape) => rest.replace(shape, "$1"), text)
  return next === text ? text : joined(next, rounds - 1)
}

const pass = (text: string): string =>
  steps.reduce((rest, [pattern, instead]) => rest.replace(pattern, instead), joined(text))

/** More passes than a text has ever needed; what has not settled by then is hidden whole. */
const mostPasses = 10

const settle = (text: string, passes: number): string => {
  const next = pass(text)
  if (next === text) return text
  return passes >= mostPasses ? hidden : settle(next, passes + 1)
}

/**
 * Take the secrets out of a text: keys of the providers' shapes, bearer and basic credentials, JWTs, cookies, a URL's user
 * and query, and the values of names that sound like a secret. Idempotent: it goes on until nothing is left to hide.
 */
export const scrub = (text: string): string => settle(text, 1)

/** What may be stored and shown of a provider's words: storable, scrubbed, on one line, at most 300 characters. */
export const detail = (text: string): string =>
  Storable.cut(Storable.oneLine(scrub(Storable.clean(text.slice(0, 20_000)))), mostShown)
