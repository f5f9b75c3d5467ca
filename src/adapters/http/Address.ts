import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"

/** A server's base address without its credentials, and the Authorization header that they or the key make. */
export interface Address {
  readonly base: URL
  readonly authorization: Option.Option<Redacted.Redacted>
}

const decoded = (part: string): string => Either.getOrElse(Either.try(() => decodeURIComponent(part)), () => part)

const basic = (url: URL): Option.Option<Redacted.Redacted> =>
  url.username === "" && url.password === ""
    ? Option.none()
    : Option.some(Redacted.make(
      `Basic ${Buffer.from(`${decoded(url.username)}:${decoded(url.password)}`).toString("base64")}`
    ))

/** Take the credentials out of the URL, so that no message can show them. A key goes before the URL's user and password. */
export const make = (url: URL, apiKey: Option.Option<Redacted.Redacted>): Address => {
  const base = new URL(url)
  base.username = ""
  base.password = ""
  base.hash = ""
  return {
    base,
    authorization: Option.orElse(
      Option.map(apiKey, (key) => Redacted.make(`Bearer ${Redacted.value(key)}`)),
      () => basic(url)
    )
  }
}

/** The address of `path` (with its leading slash) below the base; the base's query stays. */
export const below = (base: URL, path: string): URL => {
  const url = new URL(base)
  url.pathname = `${base.pathname.replace(/\/+$/u, "")}${path}`
  return url
}
