const between = (text: string | undefined): number | undefined => {
  const status = Number(text)
  return status >= 400 && status <= 599 ? status : undefined
}

/** Reason phrases as servers and clients print them beside the number: they say no more than the number does. */
const phrases: ReadonlyArray<readonly [RegExp, number]> = [
  [/too many requests/i, 429],
  [/unauthorized/i, 401],
  [/payment required/i, 402],
  [/forbidden/i, 403],
  [/not found/i, 404],
  [/request timeout/i, 408],
  [/(?:payload|content|request entity) too large/i, 413],
  [/unprocessable (?:entity|content)/i, 422],
  [/internal server error/i, 500],
  [/not implemented/i, 501],
  [/bad gateway/i, 502],
  [/service (?:temporarily )?unavailable/i, 503],
  [/gateway time-?out/i, 504],
  [/bad request/i, 400]
]

/** How clients wrap a status into words. Numbers in URLs, ids and counts are none of these. */
const wrappings: ReadonlyArray<RegExp> = [
  /\bHTTP(?:S|\/\d(?:\.\d)?)?(?:\s+(?:status|error|code|response))*\s*[:=(]?\s*(\d{3})\b/i,
  /\bstatus(?:[ _-]?code)?["']?\s*(?:of|is|was|[:=(])?\s*["'(]?(\d{3})\b/i,
  /\berror(?:[ _-]?code)?["']?\s*[:=(]?\s*["'(]?(\d{3})\b(?!\s*(?:ms|s|tokens?|bytes?|times?)\b)/i,
  /\b(?:returned|responded(?: with)?|answered(?: with)?|replied(?: with)?|got|received|failed with|response)\s+(?:an?\s+)?(?:HTTP\s+)?(?:status\s+|error\s+)?\(?(\d{3})\b/i,
  /\((\d{3})\)?\s*(?:[:)]|[A-Z][a-z]+)/,
  /\bcode["']?\s*[:=]?\s*["'(]?(\d{3})\b/i,
  /\[(\d{3})\]/,
  /^\W*(\d{3})(?:\s*[:,\-{]|\s+[A-Za-z{"'[<])/,
  /(?:^|[\s:(])(\d{3})\s+(?:Client Error|Server Error|Too Many|Unauthorized|Payment|Forbidden|Not Found|Request Time|Conflict|Gone|Payload|Request Entity|Unprocessable|Internal Server|Not Implemented|Bad |Service |Gateway |RESOURCE_|UNAVAILABLE|INVALID_|PERMISSION_|UNAUTHENTICATED|NOT_FOUND|INTERNAL|DEADLINE_)/,
  /\b(?:\w+(?:Error|Exception)|InvalidArgument|FailedPrecondition|PermissionDenied|Unauthenticated|Unauthorized|Forbidden|NotFound|BadRequest|ResourceExhausted|TooManyRequests|ServiceUnavailable|BadGateway|GatewayTimeout|DeadlineExceeded):\s*(\d{3})\s/,
  /\bstatus code does not indicate success:\s*(\d{3})\b/i,
  /状态码\s*[:：]?\s*(\d{3})/,
  /(?:错误码?|エラー|오류|Fehler|erreur)\s*[:：]?\s*(\d{3})\b/i
]

/** What a proxy answered to CONNECT, as undici, tunnel-agent, http.client, curl and Chromium print it. */
const tunnel =
  /proxy response \(\d{3}\) !== 200[^\n]*|tunneling socket could not be established[^\n]*|tunnel connection failed[^\n]*|connect tunnel failed[^\n]*|received http code \d{3} from proxy[^\n]*|err_tunnel_connection_failed|err_proxy_connection_failed|proxy connect(?:ion)? error:? \d{3}[^\n]*|proxyconnect tcp:[^\n]*/gi

/** True where a proxy refused to lead on to the provider. */
export const isTunnel = (text: string | undefined): boolean => text !== undefined && text.search(tunnel) >= 0

const plain = (text: string): string => text.replace(tunnel, " ").replace(/\b(?:https?|wss?):\/\/\S+/gi, "")

/** The HTTP status that a text names, such as `API error (429 Too Many Requests): ...` or `Error code: 503 - ...`. */
export const statusIn = (text: string): number | undefined => {
  const said = plain(text.slice(0, 2_000))
  for (const wrapping of wrappings) {
    const status = between(wrapping.exec(said)?.[1])
    if (status !== undefined) return status
  }
  return undefined
}

/** The status that a text means when it consists of a bare reason phrase. */
export const statusOfPhrase = (text: string): number | undefined => {
  const said = text.trim().replace(/[.!]+$/, "")
  return phrases.find(([phrase]) => phrase.exec(said)?.[0].length === said.length)?.[1]
}

/** Take out `429 Too Many Requests` and its like: the number was read, the phrase must not be read as the provider's word. */
export const withoutPhrases = (text: string): string =>
  phrases.reduce((rest, [phrase]) => rest.replace(new RegExp(`\\b\\d{3}[\\s:,()-]*${phrase.source}`, "gi"), " "), text)
