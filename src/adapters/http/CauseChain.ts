import * as Predicate from "effect/Predicate"
import type { TransportError } from "../../domain/failure/WireFailure.js"

/** How deep causes are followed, and how many links are kept in all. */
const depthLimit = 8
const linkLimit = 16
const messageLimit = 8192

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== ""
    ? value.slice(0, messageLimit)
    : typeof value === "number"
    ? String(value)
    : undefined

/** Reading a property of a foreign object may throw: a getter is code. */
export const property = (value: unknown, key: string): unknown => {
  try {
    return Predicate.isObject(value) ? Reflect.get(value, key) : undefined
  } catch {
    return undefined
  }
}

const inner = (value: unknown): ReadonlyArray<unknown> => {
  const errors = property(value, "errors")
  return [property(value, "cause"), property(value, "lastError"), ...(Array.isArray(errors) ? errors.slice(0, 8) : [])]
    .filter((one) => one !== undefined && one !== null)
}

/** The error and what caused it, outermost first, members of aggregates included, each object once. */
export const links = (error: unknown): ReadonlyArray<unknown> => {
  const found: Array<unknown> = []
  const visit = (value: unknown, depth: number): void => {
    if (depth > depthLimit || found.length >= linkLimit || found.includes(value)) return
    found.push(value)
    for (const cause of inner(value)) visit(cause, depth + 1)
  }
  visit(error, 1)
  return found
}

/** Wrappers that say nothing of their own but the URL. */
const isWrapper = (link: unknown): boolean =>
  Predicate.isTagged(link, "RequestError") || Predicate.isTagged(link, "HttpRequestError")

const described = (link: unknown): TransportError => {
  if (!Predicate.isObject(link)) return { message: text(link) ?? String(link) }
  const timeout = Predicate.isTagged(link, "TimeoutException")
  const name = timeout ? "TimeoutError" : text(property(link, "name"))
  const code = text(property(link, "code"))
  const message = isWrapper(link)
    ? text(property(link, "description")) ?? text(property(link, "reason"))
    : text(property(link, "message"))
  return {
    ...(name === undefined ? {} : { name }),
    ...(code === undefined ? {} : { code }),
    ...(message === undefined ? {} : { message })
  }
}

/** The chain as records. A wrapper whose cause is known is left out, since its message is but the address. */
export const causeChain = (error: unknown): ReadonlyArray<TransportError> => {
  const chain = links(error)
  const telling = chain.filter((link) => !isWrapper(link))
  return (telling.length > 0 ? telling : chain).map(described)
}
