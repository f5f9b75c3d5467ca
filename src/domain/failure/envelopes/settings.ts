import { anyOf, codes } from "../Rule.js"
import type { Rule } from "../Rule.js"

/** What is wrong on our side: told by the adapter, or by the client that refused to send. It stays wrong until a person acts. */

/** The adapter knows what no answer can tell: that what it was told to ask does not fit the one who answers. */
export const told: ReadonlyArray<Rule> = [{
  name: "setting/ours",
  because: "A setting of ours does not fit the provider: each request is wrong until it is corrected.",
  tag: "InvalidRequest",
  when: ({ wire }) => wire.setting !== undefined
}]

/** Our own clock ended the call: whatever else was seen, that is why. */
export const clock: ReadonlyArray<Rule> = [{
  name: "clock/ours",
  because: "Our own time limit ended the call.",
  tag: "Timeout",
  when: ({ wire }) => wire.timedOutAfter !== undefined
}]

/** What makes up a header of ours is the key. Worded by Node's fetch and http, h11, requests, Go, hyper, curl. */
const header = anyOf(
  String
    .raw`\b(?:invalid|illegal|bad|malformed) (?:http )?header (?:field )?(?:value|content)|\binvalid character in header`,
  String.raw`\bin header value\b|\bis an invalid header value\b|\b(?:failed|unable|could not) to parse header value`,
  String.raw`\bcannot convert argument to a bytestring\b|\bnot a legal http header value\b`,
  String.raw`'(?:ascii|latin-1)' codec can't encode character|\binvalid authorization header value\b`
)

/** Addresses that no client sends to. */
const address = anyOf(
  String
    .raw`\b(?:invalid|malformed|illegal|unparsable) (?:base )?ur[il]\b|\bfailed to parse ur[il]\b|\burl (?:rejected|using bad|parse error)|\bbad\/illegal format\b`,
  String
    .raw`\brelative url without a base\b|\bonly absolute urls\b|\bno (?:scheme|host) (?:supplied|part)|\bis missing an? '?https?|\bmissing (?:protocol|scheme)\b`,
  String
    .raw`\b(?:unsupported|unknown|invalid) (?:url )?(?:protocol|scheme)\b|\bprotocol "?[\w.+:-]*"? (?:is )?not supported\b|\burl scheme\b|\bno connection adapters were found`,
  String
    .raw`\bbad port\b|\berr unsafe port\b|\bunsafe port\b|\bport (?:is )?(?:blocked|out of range)|\bnot a valid host or port\b|\binvalid port\b`,
  String
    .raw`\burl that includes credentials\b|\bfirst path segment in url\b|\bgetaddrinfo \w+ https?(?![\w.-])|\bbuilder error\b(?!.*header)`
)

/** Who is redirected for ever was sent to the wrong address. */
const loop =
  /\btoo many redirects\b|\bredirect(?:ed|ion)? (?:count exceeded|loop|too many times)|\bstopped after \d+ redirects|\bexceeded \d+ redirects|\bmax(?:imum)? (?:number of |allowed )?redirects?(?: \w+)? (?:exceeded|reached)|\bmaximum redirect reached|\bexceeded maximum (?:allowed |number of )?redirects|\bredirect mode is set to error|\bunexpected redirect\b/

/** Speaking HTTP to a port that wants TLS: the scheme is wrong. */
const plain = /\bhttp request (?:was sent )?to (?:an? )?https (?:port|server)\b/

export const refusals: ReadonlyArray<Rule> = [
  {
    name: "setting/header",
    because:
      "The client cannot put the key into a header: a line break, a byte-order mark or another letter stands in it.",
    tag: "InvalidRequest",
    setting: "api_key",
    text: header,
    // A parser of answers says the same of the answer's headers.
    unlessCode: /^(?:hpe|httpparser)/
  },
  {
    name: "setting/header-code",
    because: "Node and requests name a header's value that cannot be sent.",
    tag: "InvalidRequest",
    setting: "api_key",
    code: codes("errinvalidchar|errhttpinvalidheadervalue|invalidheader")
  },
  {
    name: "setting/redirects",
    because: "Each try is led in the same circle: the address is another one.",
    tag: "InvalidRequest",
    setting: "url",
    text: loop
  },
  {
    name: "setting/redirects-code",
    because: "Axios, requests and httpx name a circle of redirects so.",
    tag: "InvalidRequest",
    setting: "url",
    code: codes("(?:err(?:fr)?)?toomanyredirects|errtoomanyredirects|errunsaferedirect")
  },
  {
    name: "setting/address",
    because:
      "The client refused the address: no scheme, a port that is blocked, credentials within, or no address at all.",
    tag: "InvalidRequest",
    setting: "url",
    text: address,
    // OpenSSL speaks of versions of TLS, not of the address.
    unless: /\bssl\b|\btls\b/,
    when: ({ form, status, transport }) => transport || (status === undefined && form !== "json" && form !== "events")
  },
  {
    name: "setting/address-code",
    because: "The clients' own codes for an address that they cannot use.",
    tag: "InvalidRequest",
    setting: "url",
    code: codes(
      "errinvalidurl|errinvalidprotocol|errunescapedcharacters|errunsafeport|invalidurl(?:error)?|invalidschema|missingschema|unsupportedprotocol|locationparseerror|urlmustbeabsolute"
    )
  },
  {
    name: "setting/arguments",
    because: "The client refused its arguments before it sent anything, and will again.",
    tag: "InvalidRequest",
    code: codes("undeerrinvalidarg|underrinvalidarg|errinvalidargtype"),
    when: ({ transport }) => transport
  },
  {
    name: "setting/plain-http",
    because: "The port wants TLS: the address begins with http:// and must begin with https://.",
    tag: "InvalidRequest",
    setting: "url",
    text: plain
  }
]
