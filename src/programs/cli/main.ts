import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { ExitCode } from "../../domain/failure/Consequence.js"
import * as Storable from "../../domain/text/Storable.js"
import { environment, load, Settings } from "../Settings.js"
import { read } from "./Argv.js"
import type { Asked } from "./Argv.js"
import { CommandTable } from "./Command.js"
import { table } from "./commands.js"
import { faultOf, UsageProblem } from "./Fault.js"
import type { Fault } from "./Fault.js"
import * as Given from "./Given.js"
import * as Logging from "./Logging.js"
import { Output } from "./Output.js"
import { commandResult } from "./CommandResult.js"
import type { CommandResult } from "./CommandResult.js"
import { paint } from "./Style.js"

/** What ended a program from outside. */
export type Signal = "SIGINT" | "SIGTERM"

const print = (output: Output["Type"], { json, lines, text }: CommandResult) =>
  output.json
    ? output.print((lines ?? [json]).map((object) => `${JSON.stringify(object)}\n`).join(""))
    : output.print(text(output.stdout).map((line) => `${line}\n`).join(""))

/** What a failure quotes may come from anywhere, the command line included. */
const lines = ({ detail, message }: Fault): ReadonlyArray<string> => [
  ...message.split("\n").map(Storable.clean),
  ...(detail === "" || message.includes(detail) ? [] : [`  ${Storable.clean(detail)}`])
]

const interrupted: Fault = {
  tag: "Interrupted",
  message: "What was finished is stored; the same command goes on from there.",
  exitCode: 130,
  detail: ""
}

/** Tell a failure: one sentence to the person on stderr, or one object on stdout. */
const complain = Effect.fnUntraced(function*(output: Output["Type"], fault: Fault, hint: Option.Option<string>) {
  yield* output.show(Option.none())
  if (output.json) {
    const { detail, message, tag } = fault
    yield* output.print(`${JSON.stringify({ error: { tag, message, ...(detail === "" ? {} : { detail }) } })}\n`)
  } else {
    const [first = "", ...others] = lines(fault)
    const head = fault.tag === interrupted.tag
      ? paint(output.stderr, "attention", "■ stopped")
      : paint(output.stderr, "bad", "✗ error")
    yield* output.note(`${head} ${first}`)
    yield* Effect.forEach([...others, ...Option.toArray(hint)], (line) => output.note(line), { discard: true })
  }
  return fault.exitCode
})

/** A bug: what a person can do about it. The stack is for those who ask. */
const bug = (cause: Cause.Cause<never>): Fault => ({
  tag: "Bug",
  message: `Something went wrong that should not: ${
    (Cause.pretty(cause).split("\n")[0] ?? "").slice(0, 300)
  } Run it again with --log-level debug and report what it says.`,
  exitCode: 1,
  detail: ""
})

const usageHint = (path: ReadonlyArray<string>) => Option.some(`Try "${["holdfast", ...path, "--help"].join(" ")}".`)

const runCommand = Effect.fnUntraced(function*(
  asked: Extract<Asked, { _tag: "Run" }>,
  output: Output["Type"],
  loaded: ReturnType<typeof load>
) {
  const values = yield* Given.values(asked.command, asked.given)
  const settings = yield* loaded
  yield* Effect.forEach(settings.warnings, (warning) => Effect.logWarning(warning), { discard: true })
  const run = yield* Effect.promise(asked.command.load)
  const done = yield* run(values).pipe(Effect.scoped, Effect.provideService(Settings, settings))
  yield* output.show(Option.none())
  yield* print(output, done)
  return done.exitCode
})

/** A command that a signal ended: well, where that is how it ends. */
const stopped = (asked: Asked, output: Output["Type"], signal: Signal): Effect.Effect<ExitCode> =>
  asked._tag === "Run" && asked.command.endsBySignal === true
    ? Effect.as(print(output, commandResult({ stopped: true, signal }, () => [])), 0 as const)
    : complain(output, interrupted, Option.none())

/** What finalizers may take after a signal, whatever they wait for: a supervisor kills what takes longer. */
const longestStop = "9500 millis"

/** The work's result, or the signal: the work is interrupted then, and left behind where it does not end in time. */
const untilSignalled = <A, R>(
  work: Effect.Effect<A, never, R>,
  signal: Effect.Effect<Signal, never, R>
): Effect.Effect<Either.Either<A, Signal>, never, R> =>
  Effect.flatMap(Effect.forkDaemon(Effect.interruptible(work)), (running) =>
    Effect.raceFirst(
      Effect.map(Fiber.join(running), (done): Either.Either<A, Signal> => Either.right(done)),
      Effect.map(signal, (name): Either.Either<A, Signal> => Either.left(name))
    ).pipe(
      Effect.onInterrupt(() => Fiber.interrupt(running)),
      Effect.tap((ended) =>
        Either.isLeft(ended) ? Effect.timeoutOption(Fiber.interrupt(running), longestStop) : Effect.void
      )
    ))

/**
 * Run one command line to its exit code. Never fails. `signal` ends when the program is asked to stop; then the command is
 * interrupted, its finalizers run, and the rest is silence or one sentence.
 */
export const main = (
  argv: ReadonlyArray<string>,
  output: Output["Type"],
  signal: Effect.Effect<Signal>
): Effect.Effect<ExitCode> => {
  const asked = read(argv)
  if (asked._tag === "Mistaken") {
    return complain(output, faultOf(new UsageProblem(asked)), usageHint(asked.path))
  }
  const { command, globals } = asked
  const loaded = load({ flags: globals.settings, config: globals.config }).pipe(Effect.withConfigProvider(environment))
  const level = Option.getOrElse(globals.logLevel, () => command.logs ?? "warning")
  const work = runCommand(asked, output, loaded).pipe(
    Effect.catchAll((error) =>
      complain(output, faultOf(error), error._tag === "UsageProblem" ? usageHint(command.path) : Option.none())
    ),
    Effect.sandbox,
    Effect.catchAll((cause) =>
      Cause.isInterruptedOnly(cause)
        ? Effect.interrupt
        : Effect.zipRight(Effect.logDebug("What went wrong", cause), complain(output, bug(cause), Option.none()))
    )
  )
  const stop = Effect.tap(signal, () =>
    output.isWatched && !output.json
      ? output.note("Stopping: what is under way is being stored. Ctrl-C again stops at once.")
      : Effect.void)
  return untilSignalled(work, stop).pipe(
    Effect.flatMap(Either.match({
      onRight: (code) => Effect.succeed<ExitCode>(code),
      onLeft: (name) => stopped(asked, output, name)
    })),
    Effect.provide(
      Layer.mergeAll(
        NodeFileSystem.layer,
        Logging.layer(output, level),
        Layer.succeed(Output, output),
        Layer.succeed(CommandTable, table)
      )
    )
  )
}
