import * as Array from "effect/Array"
import * as Data from "effect/Data"
import * as Either from "effect/Either"
import * as Match from "effect/Match"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { nearest } from "../../domain/text/nearest.js"
import { all } from "./table.js"
import type { Key, Setting } from "./table.js"

/** Where a value came from. */
export type Origin = Data.TaggedEnum<{
  Flag: { readonly name: string }
  Environment: { readonly name: string }
  File: { readonly path: string }
  Code: {}
  Default: {}
}>
export const Origin = Data.taggedEnum<Origin>()

/** The origin in words, as it stands in messages and in `config show`. */
export const describe = (origin: Origin): string =>
  Match.value(origin).pipe(
    Match.withReturnType<string>(),
    Match.tagsExhaustive({
      Flag: ({ name }) => `flag ${name}`,
      Environment: ({ name }) => `environment ${name}`,
      File: ({ path }) => `file ${path}`,
      Code: () => "code",
      Default: () => "default"
    })
  )

/** A text that was given for a key, with the place that gave it. */
export interface Given {
  readonly text: string
  readonly origin: Origin
}

/** One place's values by key. Earlier places win. */
export type Source = ReadonlyMap<string, Given>

/** One setting as it stands: `shown` hides secrets, none where it has no value. */
export interface Resolved {
  readonly key: Key
  readonly shown: Option.Option<string>
  readonly origin: Origin
}

/** The settings cannot be used: one sentence each problem. */
export class SettingsProblem extends Schema.TaggedError<SettingsProblem>()("SettingsProblem", {
  problems: Schema.NonEmptyArray(Schema.String)
}) {
  override get message(): string {
    return this.problems.join("\n")
  }
}

/** A single problem. */
export const problem = (sentence: string) => new SettingsProblem({ problems: [sentence] })

/** The text that counts for a setting: the first place's that has one. */
export const winner = (sources: ReadonlyArray<Source>, key: string): Option.Option<Given> =>
  Array.findFirst(sources, (source) => Option.fromNullable(source.get(key)))

const bad = (setting: Setting<unknown>, given: Given): string =>
  given.text.trim() === ""
    ? `${setting.key} is empty (${describe(given.origin)}); leave it out, or give ${setting.allowed}.`
    : `${setting.key} is ${quoted(setting.show(given.text))} (${describe(given.origin)}); ${
      Option.getOrElse(setting.problem(given.text), () => `allowed is ${setting.allowed}`)
    }.`

const quoted = (shown: string): string => shown === "(hidden)" ? shown : `"${shown.slice(0, 200)}"`

const unknownKey = (key: string, given: Given): string => {
  const known = nearest(key, all.map((setting) => setting.key))
  return `There is no setting "${key.slice(0, 100)}" (${describe(given.origin)}); ${
    Option.match(known, {
      onNone: () => `"holdfast config show" lists all.`,
      onSome: (name) => `did you mean ${name}?`
    })
  }`
}

/** Read one setting from the places, or say what is wrong with it. */
export const read = <A>(sources: ReadonlyArray<Source>, setting: Setting<A>): Either.Either<A, string> =>
  Option.match(winner(sources, setting.key), {
    onNone: () => Either.fromOption(setting.read(Option.none()), () => `${setting.key} has no usable default.`),
    onSome: (given) =>
      given.text.trim() === ""
        ? Either.left(bad(setting, given))
        : Either.fromOption(setting.read(Option.some(given.text)), () => bad(setting, given))
  })

/** All that is wrong with what the places give together, each once. */
export const problems = (sources: ReadonlyArray<Source>): ReadonlyArray<string> =>
  Array.dedupe([
    ...sources.flatMap((source) =>
      [...source].filter(([key]) => !all.some((setting) => setting.key === key)).map(([key, given]) =>
        unknownKey(key, given)
      )
    ),
    ...Array.getLefts(all.map((setting) => read(sources, setting)))
  ])

/** Every setting with its value as it may be shown, and where that came from. */
export const resolved = (sources: ReadonlyArray<Source>): ReadonlyArray<Resolved> =>
  all.map((setting) =>
    Option.match(winner(sources, setting.key), {
      onNone: () => ({
        key: setting.key,
        shown: Option.fromNullable(setting.fallback),
        origin: Origin.Default()
      }),
      onSome: ({ origin, text }) => ({ key: setting.key, shown: Option.some(setting.show(text)), origin })
    })
  )
