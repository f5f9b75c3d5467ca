import * as Predicate from "effect/Predicate"
import { links, property } from "./CauseChain.js"

/** What an SDK's error keeps of the HTTP answer that it stands for. */
export interface Inside {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const statusNames = ["status", "statusCode", "status_code", "httpStatus"]
const headerNames = ["headers", "responseHeaders"]
const bodyNames = ["responseBody", "body", "data", "error"]

const firstOf = <A>(link: unknown, names: ReadonlyArray<string>, read: (value: unknown) => A | undefined) => {
  for (const name of names) {
    const value = read(property(link, name))
    if (value !== undefined) return value
  }
  return undefined
}

const asStatus = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isInteger(value) && value >= 100 && value <= 599 ? value : undefined

/** A fetch `Headers`, a Map or a plain record, with lower-case names; other values than text are left out. */
const asHeaders = (value: unknown): Readonly<Record<string, string>> | undefined => {
  if (!Predicate.isObject(value) || typeof value === "function") return undefined
  const entries: ReadonlyArray<unknown> = Predicate.isIterable(value) ? [...value].slice(0, 256) : Object.entries(value)
  return Object.fromEntries(entries.flatMap((entry) => {
    if (!Array.isArray(entry) || typeof entry[0] !== "string") return []
    const [name, content]: ReadonlyArray<unknown> = entry
    const text = Array.isArray(content) ? content.join(", ") : content
    return typeof text === "string" || typeof text === "number" ? [[String(name).toLowerCase(), String(text)]] : []
  }))
}

const stringified = (value: unknown): string | undefined => {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

/** SDKs hand over the body as text, as parsed JSON, or as its `error` member alone, which is put back into an envelope. */
const asBody = (name: string) => (value: unknown): string | undefined => {
  if (typeof value === "string") {
    return value === ""
      ? undefined
      : name === "error"
      ? stringified({ error: value })
      : value
  }
  if (!Predicate.isObject(value) || typeof value === "function" || value instanceof Error) return undefined
  if ("getReader" in value || "pipe" in value) return undefined
  return stringified(name === "error" && !("error" in value) ? { error: value } : value)
}

const bodyOf = (link: unknown): string | undefined => {
  for (const name of bodyNames) {
    const body = firstOf(link, [name], asBody(name))
    if (body !== undefined) return body
  }
  return undefined
}

/** What one link of a chain tells of an answer: by itself, or through the `response` that it carries. */
const told = (link: unknown): Inside | undefined => {
  const response = property(link, "response")
  const status = firstOf(link, statusNames, asStatus) ?? firstOf(response, statusNames, asStatus)
  const body = bodyOf(link) ?? bodyOf(response)
  const headers = firstOf(link, headerNames, asHeaders) ?? firstOf(response, headerNames, asHeaders)
  if (status === undefined && (body === undefined || !(link instanceof Error))) return undefined
  const message = property(link, "message")
  const words = body ?? (typeof message === "string" ? message : undefined)
  return {
    ...(status === undefined ? {} : { status }),
    ...(headers === undefined ? {} : { headers }),
    ...(words === undefined ? {} : { body: words })
  }
}

/** The HTTP answer that an error of a provider's SDK stands for; empty where none arrived. */
export const answerInside = (error: unknown): Inside => {
  for (const link of links(error)) {
    const inside = told(link)
    if (inside !== undefined) return inside
  }
  return {}
}
