import * as Either from "effect/Either"
import * as LooseJson from "./LooseJson.js"
import { statusIn } from "./StatusInText.js"
import { unnamed } from "./WireFailure.js"
import type { Auth, Surface, TransportError, WireFailure } from "./WireFailure.js"

/** One line of a file of failures, ready to be classified. */
export interface FailureLine {
  readonly id: string | null
  readonly wire: WireFailure
}

/** Why a line could not be read, with its id where it names one. */
export interface Problem {
  readonly id: string | null
  readonly problem: string
}

/** The provider whose auth is a session where a report does not say; all others authenticate by key. */
const bySession = "openhuman-backend"

/** How its clients name it in the texts that they wrap. */
const namesBySession = /^openhuman/i

const wrapper = /\b(?:([A-Za-z][\w.-]*) )?(?:streaming |embedding )?API error\b/i

const guess = (text: string): string => {
  const named = wrapper.exec(text)?.[1]
  return named === undefined || /^embedding$/i.test(named) ? unnamed : named.toLowerCase()
}

const looksLikeBreak = (text: string): boolean =>
  statusIn(text) === undefined && !/[{<]/.test(text) && !/^\s*(?:data|event):/m.test(text)

/** Read what a person pasted: a raw body, `HTTP 429 ...`, or a client's wrapped text. Who said it is guessed from the text. */
export const fromText = (text: string, given: Partial<WireFailure> = {}): WireFailure => {
  const provider = given.provider ?? guess(text)
  const auth: Auth = given.auth ?? (namesBySession.test(provider) ? "session" : "key")
  const base: WireFailure = { surface: /embedding api error/i.test(text) ? "embed" : "chat", ...given, provider, auth }
  return given.status === undefined && looksLikeBreak(text)
    ? { ...base, transport: [{ message: text }], body: text }
    : { ...base, body: text }
}

const text = (value: unknown): string | undefined => typeof value === "string" && value !== "" ? value : undefined

const code = (value: unknown): string | undefined => typeof value === "number" ? String(value) : text(value)

const link = (name: unknown, said: unknown, message: unknown): ReadonlyArray<TransportError> => {
  const fields = { name: text(name), code: code(said), message: text(message) }
  const error: TransportError = {
    ...(fields.name === undefined ? {} : { name: fields.name }),
    ...(fields.code === undefined ? {} : { code: fields.code }),
    ...(fields.message === undefined ? {} : { message: fields.message })
  }
  return Object.keys(error).length === 0 ? [] : [error]
}

const chain = (transport: unknown): ReadonlyArray<TransportError> => {
  const get = (name: string) => LooseJson.member(transport, name)
  return Array.isArray(transport)
    ? transport.flatMap((item) =>
      link(LooseJson.member(item, "name"), LooseJson.member(item, "code"), LooseJson.member(item, "message"))
    )
    : [
      ...link(get("name"), get("code"), get("message")),
      ...link(get("causeName"), get("causeCode"), get("causeMessage"))
    ]
}

const headersOf = (value: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(LooseJson.entries(value).map(([name, said]) => [name.toLowerCase(), String(said)]))

const authOf = (value: unknown, provider: string): Auth =>
  value === "session" || value === "key" || value === "none" ? value : provider === bySession ? "session" : "key"

const surfaceOf = (value: unknown): Surface => value === "embed" ? "embed" : "chat"

const idOf = (record: unknown): string | null => {
  const id = LooseJson.member(record, "id")
  return typeof id === "string" ? id : typeof id === "number" ? String(id) : null
}

/** Read one JSON line of the corpus form. A line that names neither status, body nor transport says nothing to judge. */
export const fromLine = (line: string): Either.Either<FailureLine, Problem> => {
  const parsed = LooseJson.strict(line)
  if (parsed._tag === "None") return Either.left({ id: null, problem: "not a line of JSON" })
  const record = parsed.value
  if (typeof record !== "object" || record === null || Array.isArray(record)) {
    return Either.left({ id: null, problem: "not a JSON object" })
  }
  const get = (name: string) => LooseJson.member(record, name)
  const id = idOf(record)
  const provider = text(get("provider")) ?? unnamed
  const said = get("body")
  const body: string | undefined = typeof said === "string" ? said : said === null ? undefined : JSON.stringify(said)
  const status = Number(get("status") ?? Number.NaN)
  const transport = chain(get("transport"))
  const contract = text(get("contract"))
  const timedOutAfter = get("timedOutAfter")
  const model = text(get("model"))
  const now = get("now")
  const known = Number.isInteger(status) && status >= 100 && status <= 999
  if (
    !known && (body === undefined || body === "") && transport.length === 0 && contract === undefined &&
    typeof timedOutAfter !== "number"
  ) {
    return Either.left({ id, problem: "neither status, body nor transport is given" })
  }
  return Either.right({
    id,
    wire: {
      provider,
      surface: surfaceOf(get("surface")),
      auth: authOf(get("auth"), provider),
      ...(model === undefined ? {} : { model }),
      ...(known ? { status } : {}),
      headers: headersOf(get("headers")),
      ...(body === undefined ? {} : { body }),
      ...(transport.length === 0 ? {} : { transport }),
      ...(typeof timedOutAfter === "number" ? { timedOutAfter } : {}),
      ...(contract === undefined ? {} : { contract }),
      streaming: get("kind") === "stream",
      ...(typeof now === "number" ? { now } : {})
    }
  })
}
