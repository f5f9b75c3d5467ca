import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Schema from "effect/Schema"
import * as ApiKey from "../../domain/index/ApiKey.js"

/** How a setting's text becomes its value. `allowed` continues "allowed is"; `show` hides what nobody may read. */
export interface Kind<A> {
  readonly allowed: string
  readonly parse: (text: string) => Option.Option<A>
  readonly show: (text: string) => string
  /** What is wrong with a text, where more can be said than what is allowed. */
  readonly problem: (text: string) => Option.Option<string>
}

const plain = (text: string): string => text

const hidden = (): string => "(hidden)"

const kind = <A>(
  allowed: string,
  parse: (text: string) => Option.Option<A>,
  show = plain,
  problem: (text: string) => Option.Option<string> = Option.none
): Kind<A> => ({
  allowed,
  parse: (text) => parse(text.trim()),
  show,
  problem: (text) => problem(text.trim())
})

export const text = (allowed: string): Kind<string> => kind(allowed, Option.some)

export const matching = (allowed: string, pattern: RegExp): Kind<string> =>
  kind(allowed, Option.liftPredicate((given: string) => pattern.test(given)))

/** One of a closed list of words, in any case. */
export const oneOf = <A extends string>(words: Schema.Literal<readonly [A, ...Array<A>]>): Kind<A> =>
  kind(
    `one of ${words.literals.join(", ")}`,
    (given) => Option.fromNullable(words.literals.find((word) => word === given.toLowerCase()))
  )

export const integer = (least: number, most: number): Kind<number> =>
  kind(
    `a whole number from ${least} to ${most}`,
    (given) =>
      Option.some(given).pipe(
        Option.filter((digits) => /^\d{1,15}$/.test(digits)),
        Option.map(Number),
        Option.filter((n) => n >= least && n <= most)
      )
  )

const unitMillis: Readonly<Record<string, number>> = {
  ...of(["ms", "milli", "millis", "millisecond", "milliseconds"], 1),
  ...of(["s", "sec", "secs", "second", "seconds"], 1000),
  ...of(["m", "min", "mins", "minute", "minutes"], 60_000),
  ...of(["h", "hour", "hours"], 3_600_000),
  ...of(["d", "day", "days"], 86_400_000)
}

function of(names: ReadonlyArray<string>, millis: number): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, millis]))
}

/** A duration as people write it: "10m", "5 minutes", "1.5h", "1h 30m". None without a unit: nobody could tell which. */
export const parseDuration = (given: string): Option.Option<Duration.Duration> => {
  const parts = [...given.toLowerCase().matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/g)]
  const rest = given.toLowerCase().replace(/(\d+(?:\.\d+)?)\s*([a-z]+)/g, "").trim()
  if (parts.length === 0 || rest !== "") return Option.none()
  return Option.map(
    Option.all(
      parts.map(([, count, unit]) =>
        Option.map(Option.fromNullable(unitMillis[unit ?? ""]), (millis) => Number(count) * millis)
      )
    ),
    (millis) => Duration.millis(millis.reduce((sum, part) => sum + part, 0))
  )
}

/** A duration as parseDuration reads it, in its largest even unit: "10m", "1h 30m", "250ms". */
export const formatDuration = (duration: Duration.Duration): string => {
  let rest = Math.round(Duration.toMillis(duration))
  const parts: Array<string> = []
  for (const [unit, size] of [["d", 86_400_000], ["h", 3_600_000], ["m", 60_000], ["s", 1000], ["ms", 1]] as const) {
    const count = Math.floor(rest / size)
    if (count > 0) parts.push(`${count}${unit}`)
    rest -= count * size
  }
  return parts.length === 0 ? "0s" : parts.join(" ")
}

export const duration = (least: Duration.DurationInput, most: Duration.DurationInput): Kind<Duration.Duration> =>
  kind(
    `a duration with its unit from ${formatDuration(Duration.decode(least))} to ${
      formatDuration(Duration.decode(most))
    }, such as 300s, 5m or "5 minutes"`,
    (given) => Option.filter(parseDuration(given), Duration.between({ minimum: least, maximum: most }))
  )

const parseUrl = (given: string): Option.Option<URL> => Option.getRight(Either.try(() => new URL(given)))

/** Where an address points, without credentials and query. */
const place = (given: string): string =>
  Option.match(parseUrl(given), {
    onNone: hidden,
    onSome: (url) =>
      url.host === "" ? hidden() : `${url.protocol}//${url.host}${url.pathname === "/" ? "" : url.pathname}`
  })

const isHttp = (url: URL): boolean => /^https?:$/.test(url.protocol) && url.host !== ""

/** Addresses are written without their scheme, above all those of one's own machine: `localhost:11434`. */
const withoutScheme = (given: string): Option.Option<string> =>
  /^[a-z][a-z0-9+.-]*:\/\//i.test(given) || /\s/.test(given)
    ? Option.none()
    : Option.as(
      Option.filter(parseUrl(`http://${given}`), isHttp),
      "it has no scheme; allowed is an address with http:// or https://"
    )

const tooMuch = (url: URL): Option.Option<string> =>
  url.hash === "" ? Option.none() : Option.some("what stands behind its # is never sent: leave it out")

/** An http address; credentials in it are hidden. */
export const httpUrl: Kind<URL> = kind(
  "an address with http:// or https://",
  (given) => Option.filter(parseUrl(given), (url) => isHttp(url) && Option.isNone(tooMuch(url))),
  (given) => /[@?#]/.test(given) ? place(given) : given,
  (given) =>
    Option.match(Option.filter(parseUrl(given), isHttp), { onNone: () => withoutScheme(given), onSome: tooMuch })
)

/** A Postgres address; its credentials are a secret. */
export const postgresUrl: Kind<Redacted.Redacted> = kind(
  "an address such as postgres://user:password@host:5432/database",
  (given) =>
    Option.map(
      Option.filter(parseUrl(given), (url) => /^postgres(ql)?:$/.test(url.protocol)),
      () => Redacted.make(given)
    ),
  place
)

/** A provider's key. What makes it one that no header can carry is named without showing it. */
export const apiKey: Kind<Redacted.Redacted> = kind(
  "the key as it was issued, without white space",
  (given) => Option.isNone(ApiKey.problem(given)) ? Option.some(Redacted.make(given)) : Option.none(),
  hidden,
  (given) => Option.map(ApiKey.problem(given), (words) => `${words}; write the key as it was issued`)
)
