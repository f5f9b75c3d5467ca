import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { isIP } from "node:net"
import type { LookupAddress } from "node:dns"
import type { LookupFunction } from "node:net"
import {
  BodyCutOff,
  BodyUndecodable,
  HostUnknown,
  HostUnreachable,
  RedirectAstray,
  RedirectToPlain,
  RedirectToPrivate,
  SourceTooLarge,
  TooManyRedirects,
  UrlForbidden,
  UrlNotFound,
  UrlRefused,
  UrlTimeout
} from "../../domain/catalog/CatalogProblem.js"
import * as Prose from "../../domain/catalog/Prose.js"
import * as ContentCoding from "../http/ContentCoding.js"
import * as Bytes from "./Bytes.js"
import * as Location from "./Location.js"
import { Network } from "./Network.js"
import { SourceSettings } from "./SourceSettings.js"

/**
 * Reading one URL. Redirects are followed by hand, because each may lead somewhere that the person did not name: to an
 * unencrypted or a private place. Every name is resolved once a read, and connections go to the addresses that were judged,
 * so that a name cannot change its mind in between.
 */

type Pins = Map<string, ReadonlyArray<LookupAddress>>

/** Answers from the judged addresses alone; a name that nobody judged is not connected to. */
const pinned = (pins: Pins): LookupFunction => (host, options, answer) => {
  const addresses = pins.get(host) ?? []
  const [first] = addresses
  if (first === undefined) answer(Object.assign(new Error("not resolved"), { code: "ENOTFOUND" }), "", 4)
  else if (options.all === true) answer(null, [...addresses])
  else answer(null, first.address, first.family)
}

const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, "")

const transport: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was reset",
  EPIPE: "the connection was reset",
  ETIMEDOUT: "the connection timed out",
  EHOSTUNREACH: "there is no route to it",
  ENETUNREACH: "there is no route to it",
  EADDRNOTAVAIL: "there is no route to it",
  CERT_HAS_EXPIRED: "its certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is not trusted",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is not trusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not trusted",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is not trusted",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host",
  EPROTO: "it does not speak TLS"
}

const unreachable = (location: string) => (error: HttpClientError.HttpClientError): HostUnreachable => {
  const cause: unknown = error.cause
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : ""
  const why = Object.hasOwn(transport, code) ? transport[code] : undefined
  return new HostUnreachable({
    location,
    why: why ?? (code.startsWith("HPE_") ? "it does not speak HTTP" : code === "" ? "the connection failed" : code)
  })
}

/** The judged addresses of the URL's host; a literal address needs no asking. */
const addressesOf = Effect.fnUntraced(function*(url: URL, location: string, pins: Pins) {
  const host = hostOf(url)
  const family = isIP(host)
  if (family !== 0) return [{ address: host, family }]
  const known = pins.get(host)
  if (known !== undefined) return known
  const network = yield* Network
  const addresses = yield* network.resolve(host).pipe(
    Effect.mapError(() => new HostUnknown({ location, host: Prose.brief(host, 100) }))
  )
  pins.set(host, addresses)
  return addresses
})

/** Where a redirect leads, if a reader may follow it there. Within one origin nothing is new and all is allowed. */
export const approve = Effect.fnUntraced(
  function*(from: URL, header: string | undefined, location: string, pins: Pins) {
    const network = yield* Network
    const target = Option.getOrUndefined(Option.flatMap(Option.fromNullable(header), (to) => Location.target(to, from)))
    if (target === undefined || !Location.isHttp(target)) {
      return yield* new RedirectAstray({ location, target: Prose.brief(astray(header ?? ""), 200) })
    }
    if (target.origin === from.origin) return target
    const shown = Location.shown(target)
    if (from.protocol === "https:" && target.protocol === "http:") {
      return yield* new RedirectToPlain({ location, target: shown })
    }
    const closed = (yield* addressesOf(target, reached(location, target, 1), pins)).find(({ address }) =>
      !network.isPublic(address)
    )
    return closed === undefined
      ? target
      : yield* new RedirectToPrivate({ location, target: shown, address: closed.address })
  }
)

const redirects = new Set([301, 302, 303, 307, 308])

const refused = (location: string, status: number) =>
  status === 404 || status === 410
    ? new UrlNotFound({ location, status })
    : status === 401 || status === 403 || status === 407
    ? new UrlForbidden({ location, status })
    : new UrlRefused({ location, status })

const request = (url: URL, login: Option.Option<Location.Login>) =>
  HttpClientRequest.get(Location.bare(url).href).pipe(
    HttpClientRequest.setHeaders({
      accept: "application/json, application/yaml, text/yaml, */*;q=0.5",
      "accept-encoding": "identity",
      "user-agent": "holdfast"
    }),
    (plain) =>
      Option.match(login, {
        onNone: () => plain,
        onSome: ({ password, username }) => HttpClientRequest.basicAuth(plain, username, password)
      })
  )

const body = Effect.fnUntraced(
  function*(response: HttpClientResponse.HttpClientResponse, location: string, limit: number) {
    if (Number(response.headers["content-length"] ?? 0) > limit) {
      return yield* new SourceTooLarge({ location, limit })
    }
    const sent = yield* Bytes.collect(location, limit, response.stream).pipe(
      Effect.catchTag("ResponseError", () => Effect.fail(new BodyCutOff({ location })))
    )
    const bytes = yield* Effect.mapError(
      ContentCoding.decode(response.headers["content-encoding"], sent.bytes, limit),
      (why) => new BodyUndecodable({ location, why: Prose.brief(why, 200) })
    )
    return bytes === sent.bytes ? sent : { bytes, revision: Bytes.revision(bytes) }
  }
)

/** Where a problem came up: behind a redirect the address that a person typed is not the one that has it. */
const reached = (typed: string, at: URL, hop: number): string =>
  hop === 0 ? typed : `${typed} (redirected to ${Location.shown(at)})`

/** Where a Location header leads that cannot be followed: its place, not what it asks for there. */
const astray = (header: string): string =>
  Option.match(Location.parsed(header), {
    onNone: () => header.replace(/[?#].*$/s, "").replace(/\/\/[^/]*@/, "//"),
    onSome: ({ host, protocol }) => host === "" ? `${protocol}...` : `${protocol}//${host}/...`
  })

const fetch = Effect.fnUntraced(function*(typed: URL) {
  const location = Location.shown(typed)
  const { maxBytes, maxRedirects } = yield* SourceSettings
  const pins: Pins = new Map()
  const agent = yield* NodeHttpClient.makeAgent({ lookup: pinned(pins) })
  const client = (yield* Effect.provideService(NodeHttpClient.make, NodeHttpClient.HttpAgent, agent)).pipe(
    // spans and trace headers would carry the query, and with it secrets
    HttpClient.withTracerDisabledWhen(() => true),
    HttpClient.withTracerPropagation(false)
  )
  yield* addressesOf(typed, location, pins)
  let url = typed
  for (let hop = 0; hop <= maxRedirects; hop++) {
    const at = reached(location, url, hop)
    const login = url.origin === typed.origin ? Location.login(typed) : Option.none()
    const response = yield* Effect.mapError(client.execute(request(url, login)), unreachable(at))
    if (response.status >= 200 && response.status < 300) {
      const addresses = [Location.bare(url).href, Location.bare(typed).href]
      return { ...(yield* body(response, at, maxBytes)), at, addresses }
    }
    if (!redirects.has(response.status)) return yield* refused(at, response.status)
    url = yield* approve(url, response.headers["location"], location, pins)
  }
  return yield* new TooManyRedirects({ location: reached(location, url, 1), limit: maxRedirects })
})

/**
 * The bytes behind an http or https URL, within one limit of time for everything, and the URIs that they may call themselves
 * by. `location` is the typed address, `at` says also where it redirected to.
 */
export const read = Effect.fn("UrlSource.read")(function*(typed: URL) {
  const location = Location.shown(typed)
  const { timeout } = yield* SourceSettings
  const collected = yield* Effect.scoped(fetch(typed)).pipe(
    Effect.timeoutFail({
      duration: timeout,
      onTimeout: () => new UrlTimeout({ location, after: Duration.toMillis(timeout) })
    })
  )
  return { ...collected, location }
})
