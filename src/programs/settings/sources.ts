import * as FileSystem from "@effect/platform/FileSystem"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HashSet from "effect/HashSet"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { resolve as absolute } from "node:path"
import { nearest } from "../../domain/text/nearest.js"
import { Origin, problem } from "./resolve.js"
import type { SettingsProblem } from "./resolve.js"
import type { Given, Source } from "./resolve.js"
import { all } from "./table.js"
import type { Key } from "./table.js"

/** Names that holdfast reads from the environment besides its settings. */
const otherNames = ["HOLDFAST_CONFIG"]

/** One variable of the environment; an empty one counts as not set, as compose files leave them. */
export const variable = (name: string): Effect.Effect<Option.Option<string>> =>
  Config.option(Config.string(name)).pipe(
    Effect.option,
    Effect.map((found) => Option.filter(Option.flatten(found), (value) => value.trim() !== ""))
  )

/** The settings that the environment gives. */
export const environment: Effect.Effect<Source> = Effect.gen(function*() {
  const given = new Map<string, Given>()
  for (const { env, key } of all) {
    const found = yield* variable(env)
    if (Option.isSome(found)) given.set(key, { text: found.value, origin: Origin.Environment({ name: env }) })
  }
  return given
})

/** A sentence for every HOLDFAST_ variable that nothing reads: most are misspelt. */
export const strayVariables: Effect.Effect<ReadonlyArray<string>> = Effect.configProviderWith((provider) =>
  provider.flattened.enumerateChildren([]).pipe(
    Effect.orElseSucceed(() => HashSet.empty<string>()),
    Effect.map((names) => {
      const known = [...all.map(({ env }) => env), ...otherNames]
      return [...names].filter((name) => name.startsWith("HOLDFAST_") && !known.includes(name)).toSorted().map((name) =>
        `Nothing reads the environment variable ${name}${
          Option.match(nearest(name, known), { onNone: () => "", onSome: (meant) => `; did you mean ${meant}?` })
        }`
      )
    })
  )
)

/** The settings that a YAML file gives, nested (`embedder: {kind: ollama}`) or dotted (`embedder.kind: ollama`). */
export const file = Effect.fn("Settings.file")(
  function*(path: string): Effect.fn.Return<Source, SettingsProblem, FileSystem.FileSystem> {
    const files = yield* FileSystem.FileSystem
    const text = yield* files.readFileString(path).pipe(
      Effect.mapError((error) =>
        problem(
          error._tag === "SystemError" && error.reason === "NotFound"
            ? `There is no settings file ${path}.`
            : `The settings file ${path} cannot be read${
              error._tag === "SystemError" && error.reason === "PermissionDenied" ? ": no permission" : ""
            }.`
        )
      )
    )
    const { given } = yield* Effect.promise(() => import("./SettingsFile.js"))
    return yield* given(path, text)
  }
)

/** holdfast.yaml in the working directory, where there is one. */
export const fileInPlace = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const path = absolute("holdfast.yaml")
  const there = yield* files.exists(path).pipe(Effect.orElseSucceed(() => false))
  return there ? yield* file(path) : new Map<string, Given>()
})

/** What flags gave, by key. */
export const flags = (given: ReadonlyMap<Key, string>): Source =>
  new Map(
    all.flatMap(({ flag, key }) => {
      const text = given.get(key)
      return text === undefined ? [] : [[key, { text, origin: Origin.Flag({ name: flag }) }] as const]
    })
  )

/** A value given in code: text as in holdfast.yaml, or the value itself. */
export type Override = string | number | Duration.Duration | Redacted.Redacted

/** What a program that embeds holdfast gives, under the keys of holdfast.yaml. */
export const code = (given: { readonly [K in Key]?: Override | undefined }): Source =>
  new Map(
    Object.entries(given).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, { text: written(value), origin: Origin.Code() }] as const]
    )
  )

const written = (value: Override): string =>
  Redacted.isRedacted(value)
    ? String(Redacted.value(value))
    : Duration.isDuration(value)
    ? `${Duration.toMillis(value)}ms`
    : String(value)
