import type { Evidence } from "../Evidence.js"
import { statusIs } from "../Rule.js"
import type { Rule } from "../Rule.js"

const telling = [401, 402, 403, 404, 408, 413, 429]

/** The status that counts: a gateway's own 5xx or 2xx, or a bare 400, gives way to the one that its body names. */
export const effective = ({ inner, status }: Evidence): number | undefined => {
  if (status === undefined || status < 400) return inner[0] ?? status
  if (status >= 500) {
    return inner.find((told) => telling.includes(told)) ?? inner.find((told) => told === 400 || told === 422) ?? status
  }
  if (status === 400) return inner.find((told) => told === 429 || told === 402 || told === 401) ?? status
  return status
}

/** A condition on the status that counts; 0 stands for none. */
const when = (accept: (status: number, evidence: Evidence) => boolean) => (evidence: Evidence): boolean =>
  accept(effective(evidence) ?? 0, evidence)

const is = (...statuses: ReadonlyArray<number>) => when(statusIs(...statuses))

const within = (low: number, high: number) => when((status) => status >= low && status <= high)

/** What was said, and the head of the page that says it. */
const head = ({ said, wire }: Evidence): string => [said, wire.body?.slice(0, 8_000)].join(" ")

/** Pages and plain words of the edges that stand before providers. */
export const edge: ReadonlyArray<Rule> = [
  {
    name: "edge/plain-http",
    because:
      "nginx and Go say that their port wants TLS: the address begins with http:// and must begin with https://.",
    tag: "InvalidRequest",
    setting: "url",
    status: statusIs(400, 497),
    when: (evidence) => /\bhttp request (?:was sent )?to (?:an? )?https (?:port|server)\b/i.test(head(evidence))
  },
  {
    name: "edge/cloudflare-limit",
    because: "Cloudflare's 1015 is the site's rate rule.",
    tag: "RateLimited",
    when: (evidence) => /\berror(?: code)?:? ?1015\b/i.test(head(evidence))
  },
  {
    name: "edge/cloudflare-block",
    because: "Cloudflare's 1005 to 1020 and its challenge pages refuse this address or client.",
    tag: "PermissionDenied",
    status: statusIs(403, 401, 503, 429),
    when: (evidence) =>
      /\berror(?: code)?:? ?10(?:05|06|07|08|09|10|12|20)\b/i.test(head(evidence)) ||
      (evidence.form === "html" &&
        /just a moment|attention required|you have been blocked|cf-challenge|enable javascript and cookies/i.test(
          head(evidence)
        ))
  }
]

/** Where nothing else tells, the status does. */
export const rules: ReadonlyArray<Rule> = [
  {
    name: "status/client-closed",
    because: "499 is the convention for a caller that hung up.",
    tag: "Cancelled",
    when: is(499)
  },
  {
    name: "status/timeout",
    because: "408 and 504 are time limits by definition; 524 is Cloudflare's, and 460 a balancer's.",
    tag: "Timeout",
    when: is(408, 504, 524, 598)
  },
  {
    name: "status/429",
    because: "429 is too many requests where no body says otherwise.",
    tag: "RateLimited",
    when: is(429, 420)
  },
  { name: "status/402", because: "402 asks for payment.", tag: "BudgetExhausted", when: is(402) },
  {
    name: "status/401",
    because: "401 refuses the credentials, and a third party's 401 is about a key.",
    tag: "AuthenticationFailed",
    when: is(401, 407)
  },
  {
    name: "status/403",
    because: "403 refuses the action; 451 the region.",
    tag: "PermissionDenied",
    when: is(403, 451)
  },
  {
    name: "status/413",
    because: "413 says that the input is larger than the server takes.",
    tag: "ContextLengthExceeded",
    when: is(413)
  },
  {
    name: "status/not-implemented",
    because: "501 and 505 say that the server never does this.",
    tag: "InvalidRequest",
    when: is(501, 505)
  },
  {
    name: "status/no-retry",
    because: "x-should-retry: false on a 5xx is the provider's own word that trying again is useless.",
    tag: "ProviderUnavailable",
    permanent: true,
    when: when((status, { headers }) => status >= 500 && headers["x-should-retry"] === "false")
  },
  {
    name: "status/5xx",
    because: "A 5xx is the provider's trouble.",
    tag: "ProviderUnavailable",
    when: within(500, 599)
  },
  {
    name: "status/transient-4xx",
    because: "425 asks to come again, and 424 is TEI's and Bedrock's word for a failed back end.",
    tag: "ProviderUnavailable",
    when: is(424, 425)
  },
  {
    name: "status/4xx",
    because: "Any other 4xx finds fault with the request, which stays as it is.",
    tag: "InvalidRequest",
    when: within(400, 499)
  },
  {
    name: "status/redirect",
    because: "An API that redirects was asked at the wrong address.",
    tag: "InvalidRequest",
    setting: "url",
    when: within(300, 399)
  },
  {
    name: "status/typed-refusal",
    because: "An error within a success whose type blames the request fails again unchanged.",
    tag: "InvalidRequest",
    when: ({ codes }) =>
      codes.some((code) =>
        /^(?:invalidrequesterror|invalidargument|badrequest(?:error)?|validationerror|validationexception|invalidparameter(?:error)?|unprocessableentity(?:error)?|notfound(?:error)?)$/
          .test(code)
      )
  },
  {
    name: "status/typed-fault",
    because: "An error within a success whose type blames the server is the provider's trouble.",
    tag: "ProviderUnavailable",
    when: ({ codes }) => codes.some((code) => /^(?:apierror|upstreamerror|providererror|internal\w+error)$/.test(code))
  },
  {
    name: "success/malformed",
    because: "A success that reached this place is not what the contract says.",
    tag: "MalformedResponse",
    when: within(200, 299)
  }
]

/** Nothing at all is known: no status, no chain, no familiar word. */
export const last: Rule = {
  name: "unknown",
  because: "Nothing that arrived says what went wrong; what cannot be read is taken as a malformed answer.",
  tag: "MalformedResponse"
}
