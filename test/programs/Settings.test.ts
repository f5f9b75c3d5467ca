import * as NodeContext from "@effect/platform-node/NodeContext"
import * as FileSystem from "@effect/platform/FileSystem"
import { describe, expect, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { existsSync, readFileSync } from "node:fs"
import { formatDuration, parseDuration } from "../../src/programs/settings/Kind.js"
import { nearest } from "../../src/domain/text/nearest.js"
import type { Key } from "../../src/programs/settings/table.js"
import { all } from "../../src/programs/settings/table.js"
import { layer, load, Settings, settingsTable } from "../../src/programs/Settings.js"

interface Places {
  readonly flags?: { readonly [K in Key]?: string }
  readonly env?: Record<string, string>
  readonly yaml?: string
}

const from = ({ env = {}, flags = {}, yaml }: Places) =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const path = yield* files.makeTempFileScoped({ suffix: ".yaml" })
    yield* files.writeFileString(path, yaml ?? "")
    const found = yield* load({
      // the keys of a Places.flags are Keys by its type
      flags: new Map(Object.entries(flags) as Array<[Key, string]>),
      config: Option.some(path)
    })
    return { found, path }
  }).pipe(
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(env)), { pathDelim: "/" })),
    Effect.provide(NodeContext.layer)
  )

const problemOf = (places: Places) => Effect.map(Effect.flip(from(places)), (problem) => problem.message)

describe("Settings: which place wins", () => {
  it.scoped("takes the default where no place says anything", () =>
    Effect.gen(function*() {
      const { found } = yield* from({})
      expect(found.workers).toBe(1)
      expect(found.embedder.kind).toBe("local")
      expect(Duration.toMinutes(found.leaseDuration)).toBe(10)
      expect(Option.isNone(found.databaseUrl)).toBe(true)
      expect(found.warnings).toEqual([])
    }))

  it.scoped("puts flag before environment before file before default, each setting for itself", () =>
    Effect.gen(function*() {
      const { found, path } = yield* from({
        flags: { workers: "4" },
        env: { HOLDFAST_WORKERS: "3", HOLDFAST_BATCH_SIZE: "8" },
        yaml: "workers: 2\nbatch_size: 9\nmax_attempts: 7\nembedder:\n  timeout: 90s"
      })
      expect([found.workers, found.batchSize, found.maxAttempts]).toEqual([4, 8, 7])
      expect(Duration.toSeconds(found.embedder.timeout)).toBe(90)
      const origins = Object.fromEntries(found.resolved.map(({ key, origin }) => [key, origin]))
      expect(origins).toMatchObject({
        workers: { _tag: "Flag", name: "--workers" },
        batch_size: { _tag: "Environment", name: "HOLDFAST_BATCH_SIZE" },
        max_attempts: { _tag: "File", path },
        tenant: { _tag: "Default" }
      })
    }))

  it.scoped("reads dotted keys of the file like nested ones", () =>
    Effect.gen(function*() {
      const { found } = yield* from({ yaml: "embedder.kind: http\nembedder:\n  url: http://127.0.0.1:9" })
      expect(found.embedder.kind).toBe("http")
    }))

  it.scoped("treats an empty environment variable as not set", () =>
    Effect.gen(function*() {
      const { found } = yield* from({ env: { HOLDFAST_WORKERS: "", HOLDFAST_DATABASE_URL: "  " }, yaml: "workers: 6" })
      expect(found.workers).toBe(6)
      expect(Option.isNone(found.databaseUrl)).toBe(true)
    }))

  it.scoped("takes a data directory of the file relative to the file", () =>
    Effect.gen(function*() {
      const { found, path } = yield* from({ yaml: "data_dir: rows" })
      expect(found.dataDir).toBe(`${path.slice(0, path.lastIndexOf("/"))}/rows`)
    }))
})

describe("Settings: what a bad setting gets", () => {
  it.scoped("names the setting, its value, its place and what is allowed", () =>
    Effect.gen(function*() {
      expect(yield* problemOf({ env: { HOLDFAST_WORKERS: "many" } })).toBe(
        `workers is "many" (environment HOLDFAST_WORKERS); allowed is a whole number from 1 to 512.`
      )
      expect(yield* problemOf({ flags: { "embedder.kind": "cohere" } })).toBe(
        `embedder.kind is "cohere" (flag --embedder-kind); allowed is one of local, ollama, http, openai.`
      )
    }))

  it.scoped("takes a plain name alone for the schema, and none that is the server's", () =>
    Effect.gen(function*() {
      for (const name of ["pg_jobs", "information_schema", "My", "a-b", "a.b", "1a", "a\"b", "x".repeat(59)]) {
        expect(yield* problemOf({ env: { HOLDFAST_DATABASE_SCHEMA: name } })).toContain("database.schema is")
      }
      const { found } = yield* from({ flags: { "database.schema": "pgjobs_2" } })
      expect(found.databaseSchema).toBe("pgjobs_2")
    }))

  it.scoped("asks for the unit of a duration instead of guessing it", () =>
    Effect.gen(function*() {
      expect(yield* problemOf({ yaml: "lease_duration: 600" })).toContain(`a duration with its unit from 100ms to 1d`)
    }))

  it.scoped("tells all problems at once, a line each", () =>
    Effect.gen(function*() {
      const message = yield* problemOf({ env: { HOLDFAST_WORKERS: "0", HOLDFAST_BATCH_SIZE: "-1" } })
      expect(message.split("\n")).toHaveLength(2)
    }))

  it.scoped("refuses an unknown key of the file and suggests the one that was meant", () =>
    Effect.gen(function*() {
      expect(yield* problemOf({ yaml: "embeder:\n  kind: http" })).toMatch(
        /^There is no setting "embeder\.kind" \(file .*\); did you mean embedder\.kind\?$/
      )
    }))

  it.scoped("refuses an empty value of a flag or the file", () =>
    Effect.gen(function*() {
      expect(yield* problemOf({ flags: { "embedder.model": "" } })).toContain(
        "embedder.model is empty (flag --embedder-model)"
      )
      expect(yield* problemOf({ yaml: `tenant: ""` })).toContain("tenant is empty")
    }))

  it.scoped("points at line and column of broken YAML", () =>
    Effect.gen(function*() {
      expect(yield* problemOf({ yaml: "workers: 2\nembedder: {kind: http" })).toMatch(
        /is broken YAML at line 2, column \d+:/
      )
    }))

  it.scoped("refuses a list, a lone word, and a key given twice", () =>
    Effect.gen(function*() {
      expect(yield* problemOf({ yaml: "workers: [1, 2]" })).toContain("no single value")
      expect(yield* problemOf({ yaml: "workers" })).toContain("holds no settings")
      expect(yield* problemOf({ yaml: "embedder.kind: http\nembedder:\n  kind: local" })).toContain(
        "gives embedder.kind twice"
      )
    }))

  it.effect("says which settings file is missing", () =>
    load({ flags: new Map(), config: Option.some("/nowhere/holdfast.yaml") }).pipe(
      Effect.flip,
      Effect.map(({ message }) => {
        expect(message).toBe("There is no settings file /nowhere/holdfast.yaml.")
      }),
      Effect.provide(NodeContext.layer)
    ))

  it.scoped("asks for the address or the key that an embedder cannot do without", () =>
    Effect.gen(function*() {
      expect(yield* problemOf({ env: { HOLDFAST_EMBEDDER_KIND: "http" } })).toContain("needs embedder.url")
      expect(yield* problemOf({ env: { HOLDFAST_EMBEDDER_KIND: "openai" } })).toContain("needs embedder.api_key")
    }))

  it.scoped("warns where a call may outlast its lease, and of variables that nothing reads", () =>
    Effect.gen(function*() {
      const { found } = yield* from({
        env: { HOLDFAST_LEASE_DURATION: "1m", HOLDFAST_EMBEDER_KIND: "http", UNRELATED: "x" }
      })
      expect(found.warnings[0]).toContain("embedder.timeout (5m) is not shorter than lease_duration (1m)")
      expect(found.warnings[1]).toBe(
        "Nothing reads the environment variable HOLDFAST_EMBEDER_KIND; did you mean HOLDFAST_EMBEDDER_KIND?"
      )
      expect(found.warnings).toHaveLength(2)
    }))
})

describe("Settings: secrets", () => {
  const password = "pl4nted-s3cret"

  it.scoped("shows a database by its place alone, and hides keys and tokens", () =>
    Effect.gen(function*() {
      const { found } = yield* from({
        env: {
          HOLDFAST_DATABASE_URL: `postgres://ann:${password}@db.example:6432/app?sslpassword=${password}`,
          HOLDFAST_EMBEDDER_API_KEY: password,
          HOLDFAST_API_TOKEN: `${password}-long-enough`,
          HOLDFAST_EMBEDDER_URL: `http://u:${password}@h:1/x?key=${password}`,
          HOLDFAST_EMBEDDER_KIND: "http"
        }
      })
      expect(JSON.stringify(found.resolved)).not.toContain(password)
      expect(JSON.stringify(found.resolved)).toContain("postgres://db.example:6432/app")
      expect(Option.getOrThrow(Option.map(found.embedder.apiKey, Redacted.value))).toBe(password)
    }))

  it.scoped("keeps a bad secret out of its own complaint", () =>
    Effect.gen(function*() {
      for (
        const env of [
          { HOLDFAST_DATABASE_URL: `mysql://ann:${password}@db/app` },
          { HOLDFAST_DATABASE_URL: `ann:${password}@db` },
          { HOLDFAST_DATABASE_URL: password },
          { HOLDFAST_EMBEDDER_URL: `ftp://u:${password}@h/` },
          { HOLDFAST_EMBEDDER_URL: `u:${password}@h` }
        ]
      ) {
        const message = yield* problemOf({ env })
        expect(message).not.toContain(password)
        expect(message).toContain("allowed is")
      }
    }))

  const bent: ReadonlyArray<readonly [name: string, key: string, words: string]> = [
    ["typographic quotes", `\u201c${password}\u201d`, "a typographic quotation mark (U+201C) at its beginning"],
    ["a zero-width space", `${password}\u200b`, "an invisible character (U+200B) at its end"],
    ["a line break", `pl4nted-\ns3cret`, "a line break (U+000A) within"],
    ["a letter of another alphabet", `${password}\u0430`, "no HTTP header can carry (U+0430) at its end"]
  ]
  for (const [name, key, words] of bent) {
    it.scoped(`name a key with ${name} before any call, and do not show it`, () =>
      Effect.gen(function*() {
        const message = yield* problemOf({ env: { HOLDFAST_EMBEDDER_API_KEY: key } })
        expect(message).toContain("embedder.api_key is (hidden) (environment HOLDFAST_EMBEDDER_API_KEY); it holds")
        expect(message).toContain(words)
        expect(message).not.toMatch(/pl4nted|s3cret/u)
      }))
  }
})

describe("Settings: the embedder's address", () => {
  const problems: ReadonlyArray<readonly [url: string, words: string]> = [
    ["localhost:11434", "it has no scheme; allowed is an address with http:// or https://"],
    ["127.0.0.1:11434/v1", "it has no scheme"],
    ["embed.internal", "it has no scheme"],
    ["ftp://embed.internal", "allowed is an address with http:// or https://"],
    ["http://embed.internal/v1#key", "what stands behind its # is never sent: leave it out"]
  ]
  for (const [url, words] of problems) {
    it.scoped(`is refused as ${url}, with what is wrong`, () =>
      Effect.map(
        problemOf({ env: { HOLDFAST_EMBEDDER_KIND: "ollama", HOLDFAST_EMBEDDER_URL: url } }),
        (message) => expect(message).toContain(words)
      ))
  }

  it.scoped("has a user and password beside a key told of, since only one of them is sent", () =>
    Effect.gen(function*() {
      const { found } = yield* from({
        env: {
          HOLDFAST_EMBEDDER_KIND: "openai",
          HOLDFAST_EMBEDDER_URL: "https://ann:pl4nted@embed.internal",
          HOLDFAST_EMBEDDER_API_KEY: "sk-abc"
        }
      })
      expect(found.warnings.join()).toContain("The user and password in embedder.url are not sent")
      expect(found.warnings.join()).not.toContain("pl4nted")
    }))
})

describe("Settings in code", () => {
  it.effect("takes values under the keys of holdfast.yaml and reads nothing else", () =>
    Effect.gen(function*() {
      const found = yield* Settings
      expect(found.workers).toBe(3)
      expect(Duration.toMinutes(found.leaseDuration)).toBe(2)
      expect(Duration.toSeconds(found.embedder.timeout)).toBe(30)
      expect(found.tenant).toBe("default")
    }).pipe(
      Effect.provide(layer({ workers: 3, lease_duration: Duration.minutes(2), "embedder.timeout": "30 seconds" })),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["HOLDFAST_TENANT", "other"]])))
    ))

  it.effect("fails with the same sentences", () =>
    Effect.gen(function*() {
      const { message } = yield* Effect.flip(Effect.scoped(Effect.provide(Settings, layer({ workers: 0 }))))
      expect(message).toBe(`workers is "0" (code); allowed is a whole number from 1 to 512.`)
    }))
})

describe("the table of settings", () => {
  it("keeps the names that others build on", () => {
    expect(all.map(({ env }) => env)).toEqual(expect.arrayContaining([
      "HOLDFAST_DATA_DIR",
      "HOLDFAST_DATABASE_URL",
      "HOLDFAST_EMBEDDER_KIND",
      "HOLDFAST_EMBEDDER_URL",
      "HOLDFAST_EMBEDDER_MODEL",
      "HOLDFAST_EMBEDDER_DIMENSION",
      "HOLDFAST_EMBEDDER_TIMEOUT",
      "HOLDFAST_WORKERS",
      "HOLDFAST_BATCH_SIZE",
      "HOLDFAST_LEASE_DURATION"
    ]))
  })

  it("has defaults that its own rules allow", () => {
    expect(all.filter(({ read }) => Option.isNone(read(Option.none()))).map(({ key }) => key)).toEqual([])
  })

  it("stands in the README as it is", () => {
    const readme = new URL("../../README.md", import.meta.url)
    const text = existsSync(readme) ? readFileSync(readme, "utf8") : ""
    const [, section] = /<!-- settings -->\n([\s\S]*?)\n?<!-- \/settings -->/.exec(text) ?? []
    expect(section === undefined || section.trim() === settingsTable()).toBe(true)
  })
})

describe("durations", () => {
  it.prop("are read back as they are written", [FastCheck.integer({ min: 1, max: 10 ** 12 })], ([millis]) => {
    expect(Option.map(parseDuration(formatDuration(Duration.millis(millis))), Duration.toMillis)).toEqual(
      Option.some(millis)
    )
  })

  it.prop("never throw, whatever is given", [FastCheck.string()], ([text]) => {
    expect(Either.isEither(Either.try(() => parseDuration(text)))).toBe(true)
    expect(Either.isRight(Either.try(() => parseDuration(text)))).toBe(true)
  })

  it.each([["5 minutes", 300_000], ["1h 30m", 5_400_000], ["1.5s", 1500], ["250MS", 250]])("%s", (text, millis) => {
    expect(Option.map(parseDuration(text), Duration.toMillis)).toEqual(Option.some(millis))
  })

  it.each(["", "5", "m", "5 fortnights", "5m!", "-5m"])("has no meaning: %j", (text) => {
    expect(Option.isNone(parseDuration(text))).toBe(true)
  })
})

describe("nearest", () => {
  it("finds the word that was meant, and nothing where no word is close", () => {
    expect(nearest("worker", all.map(({ key }) => key))).toEqual(Option.some("workers"))
    expect(nearest("leaseDuration", all.map(({ key }) => key))).toEqual(Option.some("lease_duration"))
    expect(nearest("colour_scheme", all.map(({ key }) => key))).toEqual(Option.none())
  })
})
