import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Clock from "effect/Clock"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { argv, stdout } from "node:process"
import { parseArgs } from "node:util"
import { startServer } from "../support/PostgresServer.js"
import { Arena, since } from "./Arena.js"
import type { Scenario } from "./Arena.js"
import { kills } from "./scenarios/Kills.js"
import { crashes } from "./scenarios/Crashes.js"
import { clocks } from "./scenarios/Clocks.js"
import { eightLeases, known } from "./scenarios/Known.js"
import { expiredSession, revokedKey } from "./scenarios/Parked.js"
import { noisy, silent } from "./scenarios/Networks.js"
import { pace } from "./scenarios/Pace.js"
import { restarts } from "./scenarios/Restarts.js"
import { rolling } from "./scenarios/Rolling.js"
import { lonely, sleeper } from "./scenarios/Sleeper.js"
import { steps } from "./scenarios/Steps.js"
import * as Workers from "./Workers.js"

/**
 * Workers as processes, disturbed in every way, on a real server. One line of verdict a scenario; the log of one that is
 * missed is kept.
 *
 *     tsx test/chaos/main.ts [--long] [--only NAME]... [--seed N]
 */
const { values: asked } = parseArgs({
  args: argv.slice(2),
  options: {
    long: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    seed: { type: "string" }
  }
})

interface Part {
  readonly scenarios: ReadonlyArray<Scenario>
  readonly atOnce: number
}

/**
 * One part after another: the first looks at seconds, the second at a rate that a busy machine does not reach, beside what sleeps or
 * waits; the third waits more than it works, the others keep the machine busy.
 */
const parts: ReadonlyArray<Part> = [
  { scenarios: [crashes], atOnce: 1 },
  { scenarios: [pace, sleeper, lonely, eightLeases, ...silent], atOnce: 2 },
  { scenarios: [restarts, revokedKey, rolling, ...noisy, ...known], atOnce: 4 },
  { scenarios: [kills], atOnce: 1 },
  { scenarios: [steps], atOnce: 1 },
  { scenarios: [expiredSession, clocks], atOnce: 2 }
]

const say = (line: string) => stdout.write(`${line}\n`)

const keep = (name: string, lines: ReadonlyArray<string>) => {
  const file = join(mkdtempSync(join(tmpdir(), "holdfast-chaos-log-")), `${name.replaceAll(/\W+/g, "-")}.log`)
  writeFileSync(file, `${lines.join("\n")}\n`)
  return file
}

/** Run one scenario and print its verdict; true where all of its conditions held. */
const verdict = (scenario: Scenario, shared: Omit<Arena["Type"], "note">) =>
  Effect.gen(function*() {
    const start = yield* Clock.currentTimeMillis
    const lines: Array<string> = []
    const note = (line: string) => {
      lines.push(line)
    }
    const stamped = Effect.map(Effect.clock, (clock) => (line: string) =>
      note(`${clock.unsafeCurrentTimeMillis() - start} ${line}`))
    const exit = yield* scenario.run.pipe(
      Effect.provideService(Arena, { ...shared, note: yield* stamped }),
      Effect.timeout(shared.long ? "1 hour" : "4 minutes"),
      Effect.scoped,
      Effect.exit
    )
    const seconds = yield* since(start)
    const missed = Exit.isFailure(exit)
      ? ["it runs to its end"]
      : exit.value.checks.filter(({ held }) =>
        !held
      ).map(({ what }) => what)
    const told = Exit.isFailure(exit) ? Cause.pretty(exit.cause) : exit.value.told
    say(`${missed.length === 0 ? "held  " : "MISSED"} ${scenario.name} (${seconds} s): ${told}`)
    if (missed.length > 0) say(`       not held: ${missed.join("; ")}. Log: ${keep(scenario.name, [told, ...lines])}`)
    return missed.length === 0
  })

const program = Effect.gen(function*() {
  const seed = asked.seed ?? String(yield* Random.nextIntBetween(0, 1_000_000))
  const chosen = (scenarios: ReadonlyArray<Scenario>) =>
    scenarios.filter(({ name }) => asked.only.length === 0 || asked.only.some((part) => name.includes(part)))
  say(`seed ${seed}, ${asked.long ? "long" : "short"} form`)
  const directory = yield* Workers.bundle
  const server = yield* Effect.acquireRelease(
    Effect.promise(() => startServer()),
    (running) => Effect.promise(running.remove)
  )
  const shared = { directory, server, long: asked.long }
  const start = yield* Clock.currentTimeMillis
  const held = yield* Effect.forEach(
    parts,
    ({ atOnce, scenarios }) =>
      Effect.forEach(chosen(scenarios), (scenario) => verdict(scenario, shared), { concurrency: atOnce })
  ).pipe(Effect.map((verdicts) => verdicts.flat()), Effect.withRandom(Random.make(seed)))
  say(`${held.filter(Boolean).length} of ${held.length} held, ${yield* since(start)} s`)
  return held.length > 0 && !held.includes(false)
})

/** A signal ends what was started before it ends the run. */
NodeRuntime.runMain(
  Effect.flatMap(Effect.scoped(program), (held) => held ? Effect.void : Effect.fail("missed")),
  { disableErrorReporting: true }
)
