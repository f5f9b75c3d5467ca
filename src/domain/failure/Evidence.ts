import * as Documents from "./Documents.js"
import * as LooseJson from "./LooseJson.js"
import { statusIn, statusOfPhrase, withoutPhrases } from "./StatusInText.js"
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

interface Notes {
  readonly codes: Set<string>
  readonly fields: Array<Field>
  readonly said: Array<string>
  readonly inner: Set<number>
  cut: boolean
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
    prose(notes, value, path, depth + 1)
  } else if (/[^!-~]/.test(value) || /^(?:message|msg|error|detail|details|title)$/i.test(key)) {
    notes.said.push(value.slice(0, maxText))
  }
}

/** Words that may hold documents: both are noted. */
const prose = (notes: Notes, text: string, path: string, depth: number): void => {
  const parts = Documents.parse(text)
  if (parts.prose !== "") notes.said.push(parts.prose.slice(0, maxText))
  notes.cut = notes.cut || parts.cut
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
    const here = list ? path : path === "" ? lower : `${path}.${lower}`
    if (typeof item === "object" && item !== null) {
      if (/exception$/i.test(key)) notes.codes.add(squeeze(key))
      walk(notes, item, here, depth + 1)
    } else if (typeof item === "string" || typeof item === "number" || typeof item === "boolean") {
      leaf(notes, here, lower, item, depth)
    }
  }
}

const texts = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []

const present = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== "" && value !== false && value !== 0 &&
  !(Array.isArray(value) && value.length === 0)

const finished = (notes: Notes, prefix: string, value: unknown): void => {
  if (typeof value === "string" && value !== "") notes.codes.add(`${prefix}:${squeeze(value)}`)
}

/** How an answer ended, in the words of each family: `finish:contentfilter`, `block:safety`. */
const endings = (notes: Notes, document: unknown): void => {
  for (
    const choice of [
      ...texts(LooseJson.member(document, "choices")),
      ...texts(LooseJson.member(document, "candidates"))
    ]
  ) {
    for (const key of ["finish_reason", "finishReason", "native_finish_reason"]) {
      finished(notes, "finish", LooseJson.member(choice, key))
    }
  }
  for (const owner of [document, LooseJson.member(document, "delta"), LooseJson.member(document, "message")]) {
    finished(notes, "finish", LooseJson.member(owner, "stop_reason"))
    finished(notes, "finish", LooseJson.member(owner, "stopReason"))
    finished(notes, "finish", LooseJson.member(owner, "finish_reason"))
  }
  finished(notes, "block", LooseJson.member(LooseJson.member(document, "promptFeedback"), "blockReason"))
  const response = LooseJson.member(document, "response")
  const incomplete = LooseJson.member(response, "incomplete_details") ??
    LooseJson.member(document, "incomplete_details")
  finished(notes, "finish", LooseJson.member(incomplete, "reason"))
}

/** The parts of a successful answer that are errors. */
const faults = (document: unknown): ReadonlyArray<unknown> => {
  if (Array.isArray(document)) return document.flatMap(faults)
  const get = (key: string) => LooseJson.member(document, key)
  const nested = [
    ...[...texts(get("choices")), ...texts(get("data")), ...texts(get("results"))].map((choice) =>
      LooseJson.member(choice, "error")
    ),
    LooseJson.member(get("response"), "error"),
    LooseJson.member(get("Response"), "Error"),
    LooseJson.member(get("result"), "error"),
    LooseJson.member(get("output"), "error")
  ].filter(present).map((error) => ({ error }))
  const base = get("base_resp")
  const code = get("code")
  const flat = typeof get("message") === "string" || typeof get("msg") === "string"
  const type = get("type")
  const header = get("header")
  const own = present(get("error")) || present(get("errors")) || present(get("error_code")) ||
    present(get("error_msg")) ||
    present(get("errorCode")) || present(get("errcode")) || type === "error" || get("object") === "error" ||
    get("success") === false || get("status") === "error" || get("status") === "failed" ||
    present(LooseJson.member(base, "status_code")) || present(LooseJson.member(header, "code")) ||
    present(get("detail")) && get("choices") === undefined ||
    flat && present(code) && String(code) !== "200" && String(code).toLowerCase() !== "success" ||
    LooseJson.entries(document).some(([key]) => /exception$/i.test(key) || key === "__type")
  return own ? [document, ...nested] : nested
}

/** Class names in wrapping text, as Python, Java and the SDKs print them before the message. */
const classNames = /\b[A-Z][A-Za-z]*(?:Error|Exception|Exceeded|Exhausted|Unavailable|Throttled)\b/g

const upperCodes = /\b[A-Z]{3,}(?:_[A-Z0-9]+)+\b/g

const named = (notes: Notes, text: string): void => {
  for (const found of text.slice(0, maxText).match(classNames) ?? []) notes.codes.add(squeeze(found))
  for (const found of text.slice(0, maxText).match(upperCodes) ?? []) notes.codes.add(squeeze(found))
}

const isSuccess = (status: number | undefined): boolean => status !== undefined && status >= 200 && status < 300

/** Read a wire failure. Total; the work is bounded whatever the body holds. */
export const gather = (wire: WireFailure): Evidence => {
  const notes: Notes = { codes: new Set(), fields: [], said: [], inner: new Set(), cut: false }
  const headers = wire.headers ?? {}
  const parts = Documents.parse(wire.body ?? "")
  const success = isSuccess(wire.status)
  const wrapped = (wire.transport ?? []).map((link) => link.message ?? "").filter((message) => message !== "")
  const roots = success ? parts.documents.flatMap(faults) : parts.documents
  for (const document of parts.documents) {
    for (const part of Array.isArray(document) ? document : [document]) endings(notes, part)
  }
  for (const root of roots) walk(notes, root, "", 0)
  const outer = parts.form === "html" ? "" : parts.prose
  named(notes, outer)
  if (outer !== "" && !(success && parts.form === "events" && roots.length > 0)) {
    notes.said.push(withoutPhrases(outer).slice(0, maxText))
  }
  for (const link of wire.transport ?? []) {
    if (link.name !== undefined && link.name !== "") notes.codes.add(squeeze(link.name))
    if (link.code !== undefined && link.code !== "") notes.codes.add(squeeze(link.code))
  }
  for (const message of wrapped) {
    named(notes, message)
    prose(notes, message, "", 0)
  }
  const amazon = headers["x-amzn-errortype"]
  if (amazon !== undefined) notes.codes.add(squeeze(amazon))
  const said = notes.said.join("\n")
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
    text: said.replace(/\b(?:https?|wss?):\/\/[^\s"'<>]+/gi, " ").toLowerCase().replace(/[_`]/g, " ").replace(
      /[’‘]/g,
      "'"
    )
      .replace(/\s+/g, " ").trim(),
    said,
    form: parts.form,
    cut: notes.cut || parts.cut,
    faulty: success && roots.length > 0,
    headers,
    transport: (wire.transport ?? []).length > 0
  }
}
