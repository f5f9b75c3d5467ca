import { anyOf, statusIs } from "../Rule.js"
import type { Rule } from "../Rule.js"
import type { Evidence } from "../Evidence.js"
import type { WireFailure } from "../WireFailure.js"

/** The envelope of our own back end: `{"success":false,"error":...,"errorCode"?:...}`. */
const ownEnvelope = ({ fields }: Evidence): boolean =>
  fields.some(({ path, value }) => path === "success" && value === false)

const lapsed = ({ fields }: Evidence): boolean =>
  fields.some(({ path, value }) =>
    (path === "error" && /^(?:invalid token|token expired)$/i.test(String(value).trim())) ||
    (path === "errorcode" && /^token_expired$/i.test(String(value).trim()))
  )

/** Words that only a bring-your-own key's provider uses; relayed by our back end they are still about that key. */
const relayed = anyOf(
  "^(?:in)?(?:correct|valid|invalid)apikey(?:error|provided)?$",
  "^authenticationerror$",
  "^(?:un)?recognizedclientexception$",
  "^expiredtoken(?:exception)?$"
)

const preflight = /^(?:[\w .:[\]-]{0,60}:\s*)?(?:no backend session token|session jwt required)[.!]?$/i

/** Others wrap these words around sessions of their own: with anything before them, they count of our session alone. */
const expired = /^(?:[\w .:[\]-]{0,60}:\s*)?session expired[.!]?$/i
const bareExpired = /^session expired[.!]?$/i

const ours = (text: string, { auth }: WireFailure): boolean =>
  /\bSESSION_EXPIRED\b/.test(text) || preflight.test(text) || (auth === "session" ? expired : bareExpired).test(text)

export const rules: ReadonlyArray<Rule> = [
  {
    name: "session/own-envelope",
    because:
      "A 401 in the back end's own envelope with its own words can only come from the back end, whichever client relays it.",
    tag: "SessionExpired",
    status: statusIs(401),
    when: (evidence) => ownEnvelope(evidence) && lapsed(evidence)
  },
  {
    name: "session/401",
    because:
      "This provider authenticates by session: its 401 is the end of that login, unless the body speaks of somebody's key.",
    tag: "SessionExpired",
    status: statusIs(401),
    when: ({ codes, text, wire }) =>
      wire.auth === "session" && !codes.some((code) => relayed.test(code)) && !/\bapi[ -]?key\b/.test(text)
  },
  {
    name: "session/pre-flight",
    because: "Our own guards say this before any call leaves the machine: there is no status because nothing was sent.",
    tag: "SessionExpired",
    when: ({ said, wire }) =>
      wire.status === undefined &&
      [said, wire.body, ...(wire.transport ?? []).map(({ message }) => message)].some((text) =>
        text !== undefined && ours(text.trim(), wire)
      )
  }
]
