import * as Either from "effect/Either"
import type { Answer } from "./WireFailure.js"

/**
 * Where an answer sends its request. It is told and not gone to: the key would go along to whoever is named there, and a POST that
 * was moved arrives as a GET.
 */
export interface Redirect {
  /** The address without credentials and query; null where none is named, or none that can be read. */
  readonly target: string | null
  /** The base address whose route the target is, where it is one. */
  readonly base: string | null
  readonly isLoop: boolean
}

const shown = (url: URL): string => `${url.protocol}//${url.host}${url.pathname}`

const baseOf = (target: URL, route: string): string | null =>
  target.pathname.endsWith(route) && /^https?:$/u.test(target.protocol)
    ? shown(new URL(target.pathname.slice(0, -route.length) || "/", target)).replace(/\/$/u, "")
    : null

/** The redirect that an answer to a request below `base` is; null where it is none. */
export const of = (answer: Answer, base: URL, asked: URL): Redirect | null => {
  if (answer.status < 300 || answer.status > 399 || answer.status === 304) return null
  const { location } = answer.headers
  const target = location === undefined ? null : Either.getOrNull(Either.try(() => new URL(location, asked)))
  if (target === null) return { target: null, base: null, isLoop: false }
  const route = asked.pathname.slice(base.pathname.replace(/\/+$/u, "").length)
  return { target: shown(target), base: baseOf(target, route), isLoop: shown(target) === shown(asked) }
}

/** The redirect in one sentence, with what to do about it: `setting` is the key of the address that leads there. */
export const describe = ({ base, isLoop, target }: Redirect, setting: string): string =>
  target === null
    ? `${setting} redirects and does not say where to: set it to the address where the service itself answers`
    : isLoop
    ? `${setting} redirects to itself (${target}): the service or a proxy before it is set up wrongly`
    : base === null
    ? `${setting} redirects to ${target}: set it to the address where the service itself answers`
    : `${setting} redirects to ${target}: set it to ${base}`
