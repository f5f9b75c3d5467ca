import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { Output } from "../../../src/programs/cli/Output.js"
import * as Phase from "../../../src/programs/cli/Phase.js"

/** Runs a command's beginning on a terminal or a pipe that remembers what it was given. */
const seenBy = (isWatched: boolean, command: (phase: Phase.Phase) => Effect.Effect<void>) =>
  Effect.gen(function*() {
    const seen: Array<string> = []
    const style = { colour: false, columns: isWatched ? 80 : null }
    const output = Output.of({
      json: false,
      stdout: style,
      stderr: style,
      isWatched,
      print: () => Effect.void,
      note: (line) => Effect.sync(() => void seen.push(line)),
      show: (line) => Effect.sync(() => isWatched ? void seen.push(Option.getOrElse(line, () => "")) : undefined)
    })
    yield* Effect.flatMap(Phase.make, command).pipe(Effect.scoped, Effect.provideService(Output, output))
    return seen
  })

describe("what a command is busy with at its beginning", () => {
  it.effect("is one line in a pipe, within a second, however long it takes", () =>
    Effect.gen(function*() {
      const seen = yield* seenBy(false, (phase) =>
        phase.begin("reading a.json").pipe(
          Effect.zipRight(TestClock.adjust("1 second")),
          Effect.zipRight(TestClock.adjust("30 seconds")),
          Effect.zipRight(phase.begin("storing 3 operations")),
          Effect.zipRight(TestClock.adjust("1 second"))
        ))
      expect(seen).toEqual(["… reading a.json", "… storing 3 operations"])
    }))

  it.effect("is a line that counts on a terminal, and goes away at its end", () =>
    Effect.gen(function*() {
      const seen = yield* seenBy(true, (phase) =>
        phase.begin("reading a.json").pipe(
          Effect.zipRight(TestClock.adjust("3 seconds")),
          Effect.zipRight(phase.end)
        ))
      expect(seen).toContain("… reading a.json (1s)")
      expect(seen).toContain("… reading a.json (3s)")
      expect(seen.at(-1)).toBe("")
    }))

  it.effect("is not told where it takes but a moment, nor once it has ended", () =>
    Effect.gen(function*() {
      const seen = yield* seenBy(false, (phase) =>
        phase.begin("reading a.json").pipe(
          Effect.zipRight(TestClock.adjust("500 millis")),
          Effect.zipRight(phase.end),
          Effect.zipRight(TestClock.adjust("30 seconds"))
        ))
      expect(seen).toEqual([])
    }))
})
