import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import { argv } from "node:process"
import { writesRefused } from "../../src/adapters/postgres/jobs/staleWrite.js"
import { Reporter } from "../../src/domain/failure/Reporter.js"
import { work } from "../../src/programs/flows/index/IndexWorker.js"
import * as Settings from "../../src/programs/Settings.js"
import { App } from "../../src/programs/Wiring.js"
import { counted, reported } from "./Lines.js"
import { steppingLive } from "./Stepping.js"

/**
 * One worker process, as a user composes it. Its settings come as JSON in the first argument, and in the second one the address to
 * which its steps send their receipts; its log goes to stdout as JSON.
 */
const given: Parameters<typeof Settings.layer>[0] = JSON.parse(argv[2] ?? "{}")
const { receipts = "" }: { readonly receipts?: string } = JSON.parse(argv[3] ?? "{}")

const Kinds = receipts === "" ? Layer.empty : steppingLive(receipts)

const Reports = Layer.succeed(Reporter, {
  report: ({ tag, work }) => Effect.logError(reported).pipe(Effect.annotateLogs({ work, failure: tag }))
})

const tally = Effect.flatMap(
  Metric.value(writesRefused),
  ({ count }) => Effect.logInfo(counted).pipe(Effect.annotateLogs({ count }))
)

NodeRuntime.runMain(
  work.pipe(
    Effect.provide(Layer.provideMerge(Kinds, App)),
    Effect.ensuring(tally),
    Effect.provide(Layer.mergeAll(Settings.layer(given), Reports)),
    Effect.provide(Logger.replace(Logger.defaultLogger, Logger.withConsoleLog(Logger.jsonLogger)))
  ),
  { disablePrettyLogger: true }
)
