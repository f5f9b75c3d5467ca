import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { BadLocation } from "../../domain/catalog/CatalogProblem.js"
import * as Prose from "../../domain/catalog/Prose.js"

/** Whether a person means a web address: a scheme with two slashes, or http with a slip of the pen. */
export const isUrl = (location: string): boolean => /^(?:[a-z][a-z0-9+.-]+:\/\/|https?:)/i.test(location)

/** Query parameters that say which document is meant; the values of all others may be secrets and are not shown. */
const harmless = new Set(["api", "api-version", "api_version", "branch", "format", "lang", "ref", "v", "version"])

const shownQuery = (url: URL): string =>
  url.search === ""
    ? ""
    : `?${
      url.search.slice(1).split("&").map((part) => {
        const [name = "", ...value] = part.split("=")
        return harmless.has(name.toLowerCase())
          ? part
          : value.length > 0 && /^[\w.-]{1,30}$/.test(name)
          ? `${name}=***`
          : "***"
      }).join("&")
    }`

/** A URL as it may be shown and stored: without user, password, fragment and the values of its query. */
export const shown = (url: URL): string =>
  Prose.brief(`${url.protocol}//${url.host}${url.pathname}${shownQuery(url)}`, 1000)

/** A location that is no URL after all, without what may be a password or a secret in it. */
const scrubbed = (location: string): string =>
  Prose.brief(location.replace(/^([^/]*\/*).*@/s, "$1").replace(/[?#].*$/s, ""), 300)

const bad = (location: string, why: string) => Either.left(new BadLocation({ location: scrubbed(location), why }))

/** The URL that a text is, against a base where there is one. */
export const parsed = Option.liftThrowable((text: string, base?: URL) => new URL(text, base))

/** The http or https URL that a person typed. */
export const url = (location: string): Either.Either<URL, BadLocation> =>
  Option.match(parsed(location), {
    onNone: () => bad(location, "the address is malformed"),
    onSome: (found) =>
      isHttp(found)
        ? Either.right(found)
        : bad(location, `"${Prose.brief(found.protocol, 30)}//" addresses are not supported`)
  })

export const isHttp = (candidate: URL): boolean => candidate.protocol === "http:" || candidate.protocol === "https:"

/** Where a Location header leads. */
export const target = (header: string, from: URL): Option.Option<URL> => parsed(header, from)

const decoded = (text: string): string => Option.getOrElse(Option.liftThrowable(decodeURIComponent)(text), () => text)

/** The user's name and password, for HTTP Basic authentication. */
export interface Login {
  readonly username: Redacted.Redacted
  readonly password: Redacted.Redacted
}

/** The login in a URL like `https://user:password@host/`; none where it names nobody. */
export const login = (from: URL): Option.Option<Login> =>
  from.username === "" && from.password === ""
    ? Option.none()
    : Option.some({
      username: Redacted.make(decoded(from.username)),
      password: Redacted.make(decoded(from.password))
    })

/** The URL as it is asked for: credentials travel in a header. */
export const bare = (from: URL): URL => {
  const copy = new URL(from)
  copy.username = ""
  copy.password = ""
  copy.hash = ""
  return copy
}
