import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { LineCounter, parseDocument } from "yaml"
import { Origin, problem } from "./resolve.js"
import type { Given, SettingsProblem, Source } from "./resolve.js"

/** A settings file's text. A module of its own, because most starts have no such file and need not load a YAML parser. */

/** The leaves of nested maps, by dotted path. None for a list or a map where a value belongs. */
const leaves = (value: unknown, path: string): ReadonlyArray<readonly [string, Option.Option<string>]> => {
  if (value === null || value === undefined) return []
  if (value instanceof Map) {
    return [...value].flatMap(([key, below]) => leaves(below, path === "" ? String(key) : `${path}.${String(key)}`))
  }
  return [[
    path,
    typeof value === "string"
      ? Option.some(value)
      : typeof value === "number" || typeof value === "boolean"
      ? Option.some(String(value))
      : Option.none()
  ]]
}

const parse = Effect.fnUntraced(function*(path: string, text: string) {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const [first] = document.errors
  if (first !== undefined) {
    const { col, line } = lines.linePos(first.pos[0])
    return yield* problem(`${path} is broken YAML at line ${line}, column ${col}: ${first.message.split("\n")[0]}`)
  }
  const content: unknown = yield* Effect.try({
    try: () => document.toJS({ mapAsMap: true, maxAliasCount: 100 }),
    catch: () => problem(`${path} uses more YAML aliases than settings need.`)
  })
  if (content !== null && !(content instanceof Map)) {
    return yield* problem(`${path} holds no settings; write one a line, such as "workers: 2".`)
  }
  return leaves(content, "")
})

/** The settings that the text of the file at this path gives. */
export const given = Effect.fn("SettingsFile.given")(
  function*(path: string, text: string): Effect.fn.Return<Source, SettingsProblem> {
    const found = new Map<string, Given>()
    for (const [key, value] of yield* parse(path, text)) {
      if (found.has(key)) return yield* problem(`${path} gives ${key} twice.`)
      if (Option.isNone(value)) return yield* problem(`${path} gives ${key} something that is no single value.`)
      found.set(key, { text: value.value, origin: Origin.File({ path }) })
    }
    return found
  }
)
