import * as Documents from "./Documents.js"
import * as LooseJson from "./LooseJson.js"
import { statusIn, statusOfPhrase, withoutPhrases } from "./StatusInText.js"
import * as Success from "./Success.js"
import type { WireFailure } from "./WireFailure.js"

/** A leaf of an error document: where it stood (`error.code`), and what stood there. */
export interface Field {
  readonly path: string
  readonly key: string
  readonly value: string | number | boolean
}

/** A wire failure read for judging: structure first (codes, fields, statuses), words last. All names are lower case. */
export interface Evidence {
  readonly wire: WireFailure
  readonly provider: string
  /** The answer's own status, or the one its wrapping text names. */
  readonly status: number | undefined
  /** Statuses that the body names: a gateway's 500 around a provider's 429. */
  readonly inner: ReadonlyArray<number>
  /** Codes, types and reasons, squeezed to letters and digits: `Insufficient_Quota` is `insufficientquota`. */
  readonly codes: ReadonlyArray<string>
  readonly fields: ReadonlyArray<Field>
  /** The same as `path=value`, lower case. */
  readonly pairs: ReadonlyArray<string>
  /** What is said in words, lower case, without URLs. */
  readonly text: string
  /** The same as it stood. */
  readonly said: string
  readonly form: Documents.Documents["form"]
  readonly cut: boolean
  /** True where the answer quotes somebody else's error: a gateway its upstream's, a retry the last of its tries. */
  readonly quotes: boolean
  /** True where a successful answer carries an error. */
  readonly faulty: boolean
  readonly headers: Readonly<Record<string, string>>
  readonly transport: boolean
}

const codeKeys =
  /^(?:code|type|reason|status|title|name|kind|error|errors?_?type|errors?_?code|err_?code|sub_?code|__type|statuscode|status_code|http_?(?:status|code)|raw_status_code|errorcode|errcode|blockreason|limit_?type|exception)$/i

const statusKeys = /^(?:code|status|status_?code|http_?status|http_?code|raw_status_code)$/i

/** Echoes of the request, ratings that name a category without refusing it, and links: never the provider's own verdict. */
const skipped = new Set([
  "failed_generation",
  "input",
  "inputs",
  "prompt",
  "messages",
  "request",
  "usage",
  "content_filter_result",
  "content_filter_results",
  "content_filters",
  "safetyratings",
  "prompt_filter_results",
  "user_id",
  "request_id",
  "requestid",
  "id",
  "stack",
  "url",
  "links",
  "help",
  "documentation_url",
  "doc_url",
  "object",
  "choices",
  "candidates",
  "content",
  "delta",
  "timestamp",
  "trace",
  "traceid",
  "trace_id",
  "path",
  "instance",
  "ctx",
  "loc",
  "traceback",
  "locale",
  "@type",
  "domain",
  "event_id",
  "response_id",
  "sequence_number",
  "tools",
  "output",
  "usagemetadata"
])

/** A code without its namespace and spelling: `com.amazon#ThrottlingException:http://...` is `throttlingexception`. */
export const squeeze = (code: string): string =>
  code.replace(/:https?:.*$/i, "").replace(/^.*#/, "").toLowerCase().replace(/[^\p{L}\p{N}]/gu, "")

const maxFields = 600
const maxDepth = 12
const maxText = 4_000

/** Members under which a gateway keeps what somebody else said to it. */
const quotedKeys =
  /^(?:last|previous|prior|original|upstream)_?\w*errors?$|^(?:raw|provider_error|provider_response|upstream|upstream_response)$/

/** Sentences and asides that repeat an earlier error. */
const quotedWords =
  /\((?:the )?(?:last|previous|prior|original|underlying|upstream) error:?\s[^()]*(?:\([^()]*\)[^()]*)*\)|\b(?:last|previous|prior|original|underlying|upstream) error\s*[:=]\s[\s\S]*$/gi

/** Whether quoted errors are read, or left out so that the answer's own word stands alone. */
type Quotes = "read" | "left out"

interface Notes {
  readonly quotes: Quotes
  readonly codes: Set<string>
  readonly fields: Array<Field>
  readonly said: Array<string>
  readonly inner: Set<number>
  cut: boolean
  quoted: boolean
}

/** The text without what it quotes, where quotes are left out. */
const unquoted = (notes: Notes, text: string): string => {
  const rest = text.replace(quotedWords, " ")
  if (rest.length !== text.length) notes.quoted = true
  return notes.quotes === "read" ? text : rest
}

const say = (notes: Notes, text: string): void => {
  notes.said.push(unquoted(notes, text.slice(0, maxText)))
}

const isJsonLike = (text: string): boolean => /^\s*[{[]/.test(text) || /\{\s*["']/.test(text)

const leaf = (notes: Notes, path: string, key: string, value: string | number | boolean, depth: number): void => {
  notes.fields.push({ path, key, value })
  if (statusKeys.test(key)) {
    const status = Number(value)
    if (Number.isInteger(status) && status >= 400 && status <= 599) notes.inner.add(status)
  }
  if (codeKeys.test(key) && typeof value !== "boolean") {
    const code = String(value)
    if (code.length <= 100 && !/^\d+$/.test(code)) {
      notes.codes.add(squeeze(code))
      const last = /^[\w-]+[:.]([\w.:-]*[\w-])$/.exec(code)?.[1]
      if (last !== undefined && !/^\d+$/.test(last)) notes.codes.add(squeeze(last))
    }
  }
  if (typeof value !== "string" || value === "") return
  if (depth < maxDepth && isJsonLike(value)) {
    notes.quoted = true
    prose(notes, value, path, depth + 1, notes.quotes)
  } else if (/[^!-~]/.test(value) || /^(?:message|msg|error|detail|details|title)$/i.test(key)) {
    say(notes, value)
  }
}

/** Words that may hold documents: both are noted. */
const prose = (notes: Notes, text: string, path: string, depth: number, documents: Quotes = "read"): void => {
  const parts = Documents.parse(text)
  if (parts.prose !== "") say(notes, parts.prose)
  notes.cut = notes.cut || parts.cut
  if (documents === "left out") return
  for (const document of parts.documents) walk(notes, document, path, depth + 1)
}

const walk = (notes: Notes, value: unknown, path: string, depth: number): void => {
  if (depth > maxDepth || notes.fields.length > maxFields) return
  const list = Array.isArray(value)
  if (list && value.every((item) => typeof item === "number")) return
  for (const [key, item] of LooseJson.entries(value)) {
    const name = list ? path.replace(/^.*\./, "") : key
    const lower = name.toLowerCase()
    if (skipped.has(lower)) continue
    if (quotedKeys.test(lower)) {
      notes.quoted = true
      if (notes.quotes === "left out") continue
    }
    const here = list ? path : path === "" ? lower : `${path}.${lower}`
    if (typeof item === "object" && item !== null) {
      if (/exception$/i.test(key)) notes.codes.add(squeeze(key))
      walk(notes, item, here, depth + 1)
    } else if (typeof item === "string" || typeof item === "number" || typeof item === "boolean") {
      leaf(notes, here, lower, item, depth)
    }
  }
}

/** Class names in wrapping text, as Python, Java and the SDKs print them before the message. */
const classNames = /\b[A-Z][A-Za-z]*(?:Error|Exception|Exceeded|Exhausted|Unavailable|Throttled)\b/g

/** The system's own codes where a client has them as its message alone. */
const systemCodes =
  /\b(?:E(?:SOCKETTIMEDOUT|TIMEDOUT|CONN[A-Z]+|PIPE|NOTFOUND|HOSTUNREACH|NETUNREACH|PROTO)|EAI_[A-Z]+)\b/g

const upperCodes = /\b[A-Z]{3,}(?:_[A-Z0-9]+)+\b/g

/** A code that a sentence names as such: `Error code: rate_limited`. */
const namedCodes = /\bcode["']?\s*[:=]\s*["']?([a-z]+(?:_[a-z]+)+)\b/gi

/** A code that is all that is said. */
const loneCode = /^\s*[a-z]+(?:_[a-z]+)+\s*$/

const named = (notes: Notes, text: string): void => {
  if (text.length <= 100 && loneCode.test(text)) notes.codes.add(squeeze(text))
  for (const found of text.slice(0, maxText).match(classNames) ?? []) notes.codes.add(squeeze(found))
  for (const found of text.slice(0, maxText).match(upperCodes) ?? []) notes.codes.add(squeeze(found))
  for (const [, found = ""] of text.slice(0, maxText).matchAll(namedCodes)) notes.codes.add(squeeze(found))
}

const isSuccess = (status: number | undefined): boolean => status !== undefined && status >= 200 && status < 300

const note = (notes: Notes, { headers, transport, ...wire }: WireFailure): Documents.Documents => {
  const parts = Documents.parse(wire.body ?? "")
  const success = isSuccess(wire.status)
  const roots = success ? parts.documents.flatMap(Success.faults) : parts.documents
  for (const document of parts.documents.flatMap((part) => Array.isArray(part) ? part : [part])) {
    for (const [kind, word] of Success.endings(document)) {
      if (typeof word === "string" && word !== "") notes.codes.add(`${kind}:${squeeze(word)}`)
    }
  }
  for (const root of roots) walk(notes, root, "", 0)
  const outer = parts.form === "html" ? "" : parts.prose
  named(notes, outer)
  if (outer !== "" && !(success && parts.form === "events" && roots.length > 0)) say(notes, withoutPhrases(outer))
  for (const link of transport ?? []) {
    for (const code of [link.name, link.code]) if (code !== undefined && code !== "") notes.codes.add(squeeze(code))
    if (link.message === undefined || link.message === "") continue
    named(notes, link.message)
    for (const found of link.message.match(systemCodes) ?? []) notes.codes.add(squeeze(found))
    prose(notes, link.message, "", 0)
  }
  const amazon = headers?.["x-amzn-errortype"]
  if (amazon !== undefined) notes.codes.add(squeeze(amazon))
  return parts
}

/** The words, lower case, without URLs, as rules read them. */
const plainWords = (said: string): string =>
  said.replace(/\b(?:https?|wss?):\/\/[^\s"'<>]+/gi, " ").toLowerCase().replace(/[_`]/g, " ").replace(/[’‘]/g, "'")
    .replace(/\s+/g, " ").trim()

/** Read a wire failure, with what it quotes or without. Total; the work is bounded whatever the body holds. */
export const gather = (wire: WireFailure, quotes: Quotes = "read"): Evidence => {
  const notes: Notes = { quotes, codes: new Set(), fields: [], said: [], inner: new Set(), cut: false, quoted: false }
  const parts = note(notes, wire)
  const said = notes.said.join("\n")
  const wrapped = (wire.transport ?? []).map(({ message = "" }) => message)
  const status = wire.status ?? statusIn([parts.prose, ...wrapped].join("\n")) ?? statusOfPhrase(parts.prose)
  const told = statusIn(said)
  if (told !== undefined) notes.inner.add(told)
  return {
    wire,
    provider: wire.provider.toLowerCase(),
    status,
    inner: [...notes.inner].filter((inner) => inner !== status),
    codes: [...notes.codes].filter((code) => code !== ""),
    fields: notes.fields,
    pairs: notes.fields.map(({ path, value }) => `${path}=${String(value).slice(0, 100).toLowerCase()}`),
    text: plainWords(said),
    said,
    form: parts.form,
    cut: notes.cut || parts.cut,
    quotes: notes.quoted,
    faulty: isSuccess(wire.status) && parts.documents.flatMap(Success.faults).length > 0,
    headers: wire.headers ?? {},
    transport: (wire.transport ?? []).length > 0
  }
}
