import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { read } from "../../../src/programs/cli/Argv.js"
import { table } from "../../../src/programs/cli/commands.js"
import { script, shells } from "../../../src/programs/cli/Completions.js"
import { help } from "../../../src/programs/cli/Help.js"
import * as Progress from "../../../src/programs/cli/Progress.js"
import { helpOrVersion } from "../../../src/programs/cli/HelpOrVersion.js"

const line = (text: string) => text.split(" ")

const mistake = (text: string) => {
  const asked = read(line(text))
  return asked._tag === "Mistaken" ? asked.message : `understood: ${asked.command.path.join(" ")}`
}

describe("a command line", () => {
  it("finds the command, its own arguments and the settings, wherever the flags stand", () => {
    for (
      const text of [
        "--workers 3 index api.json --name x --json",
        "index --json --name=x api.json --workers=3",
        "index api.json --workers 3 --name x --json"
      ]
    ) {
      const asked = read(line(text))
      expect(asked).toMatchObject({
        _tag: "Run",
        command: { path: ["index"] },
        globals: { json: true, settings: new Map([["workers", "3"]]) }
      })
      expect(asked).toMatchObject({ given: { operands: ["api.json"], flags: new Map([["name", "x"]]) } })
    }
  })

  it("takes everything behind -- as it stands", () => {
    const asked = read(["search", "--", "--json", "-x"])
    expect(asked).toMatchObject({
      _tag: "Run",
      given: { operands: ["--json", "-x"], flags: new Map() },
      globals: { json: false }
    })
  })

  it.each([
    ["statu", `There is no command "statu". Did you mean "status"?`],
    ["jobs shwo 1", `There is no command "jobs shwo". Did you mean "show"?`],
    ["jobs", `"holdfast jobs" needs one of: list, show, retry, cancel.`],
    ["index a.json --nmae x", `There is no flag "--nmae" for "holdfast index". Did you mean "--name"?`],
    ["index a.json --name", "--name needs a value."],
    ["index a.json --name --force", "--name needs a value."],
    ["index a.json --force=yes", "--force takes no value."],
    ["status --workers 1 --workers 2", "--workers is given twice."],
    ["status --log-level loud", `--log-level takes one of debug, info, warning, error, none, not "loud".`]
  ])("%s", (text, message) => {
    expect(mistake(text)).toBe(message)
  })

  it("lets help and version win, but not behind --", () => {
    expect(helpOrVersion(line("jobs show 3 --help"))).toEqual({ _tag: "Help", path: ["jobs", "show"] })
    expect(helpOrVersion(line("help jobs show"))).toEqual({ _tag: "Help", path: ["jobs", "show"] })
    expect(helpOrVersion(line("--version"))).toEqual({ _tag: "Version" })
    expect(helpOrVersion(["search", "--", "--help"])).toBeUndefined()
  })

  it.prop(
    "is understood or answered with a sentence, whatever it holds",
    [FastCheck.array(FastCheck.string())],
    ([argv]) => {
      const asked = Either.try(() => read(argv))
      expect(Either.isRight(asked)).toBe(true)
    }
  )
})

describe("help", () => {
  it("stays within the columns and names every flag of every command", () => {
    for (const { parameters, path } of table.commands) {
      const text = help(path, 80)
      expect(text.split("\n").filter((row) => row.length > 80 && !row.startsWith("  holdfast"))).toEqual([])
      for (const part of Object.values(parameters)) {
        expect(text).toContain(
          "flag" in part
            ? `--${part.flag}`
            : part._tag === "Rest" || part._tag === "MaybeNumber"
            ? `[${part.name}`
            : `<${part.name}`
        )
      }
    }
  })
})

describe("completions", () => {
  it("offer every command and flag in each shell", () => {
    for (const shell of shells) {
      const text = script(table, shell) ?? ""
      for (const { path } of table.commands) expect(text).toContain(path.at(-1))
      expect(text).toMatch(/-?-?embedder-kind/)
    }
    expect(script(table, "tcsh")).toBeUndefined()
  })
})

describe("progress in words", () => {
  it("tells done, total, rate and the time left", () => {
    expect(Progress.words("rclone", { done: 50, items: 100, from: 0, since: 5000 })).toBe(
      "rclone  50/100  50%  10/s, 5s left"
    )
  })

  it("names no rate before anything was finished", () => {
    expect(Progress.rate({ done: 40, items: 100, from: 40, since: 5000 })).toEqual(Option.none())
  })

  it.prop(
    "fits into the terminal as a bar",
    [FastCheck.integer({ min: 20, max: 200 }), FastCheck.nat(1000), FastCheck.nat(1000)],
    ([columns, done, more]) => {
      const shown = Progress.bar({ colour: false, columns }, "a-catalog", {
        done,
        items: done + more,
        from: 0,
        since: 900
      })
      expect(shown.length).toBeLessThan(columns)
    }
  )
})
