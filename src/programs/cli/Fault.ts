import * as ConfigError from "effect/ConfigError"
import * as Match from "effect/Match"
import * as Schema from "effect/Schema"
import * as Catalog from "../../domain/catalog/CatalogProblem.js"
import type { CatalogNotFound, NoCatalogs } from "../../domain/catalog/CatalogStore.js"
import type { EmbedderMismatch } from "../../domain/index/EmbedderUse.js"
import { consequence, exitCodeOf } from "../../domain/failure/Consequence.js"
import type { ExitCode } from "../../domain/failure/Consequence.js"
import { Failure, isFailure } from "../../domain/failure/Failure.js"
import { CallContext } from "../../domain/failure/CallContext.js"
import type { LastError } from "../../domain/job/Job.js"
import type { JobNotFound, JobStateConflict } from "../../domain/job/JobQueue.js"
import type { LeaseLost } from "../../domain/lease/Lease.js"
import type { RequestProblem } from "../../domain/request/RequestProblem.js"
import type { GateReason, GateShut } from "../../domain/session/Gate.js"
import * as Store from "../../domain/store/StoreFailure.js"
import type { NameProblem } from "../flows/index/IndexCatalog.js"
import type { SettingsProblem } from "../settings/resolve.js"

/** The command line is not what a command takes. */
export class UsageProblem extends Schema.TaggedError<UsageProblem>()("UsageProblem", {
  path: Schema.Array(Schema.String),
  message: Schema.String
}) {}

/** There is no closed gate of that name. */
export class GateNotClosed extends Schema.TaggedError<GateNotClosed>()("GateNotClosed", { name: Schema.String }) {
  override get message(): string {
    return `No gate "${this.name}" is closed, and it has no cooldown. "holdfast gates list" shows what is.`
  }
}

/** Everything that may end a command but a bug. */
export type CommandFailure =
  | Store.StoreFailure
  | Failure
  | Catalog.SourceProblem
  | Catalog.CatalogProblem
  | CatalogNotFound
  | NoCatalogs
  | JobNotFound
  | JobStateConflict
  | NameProblem
  | RequestProblem
  | LeaseLost
  | GateShut
  | GateNotClosed
  | EmbedderMismatch
  | SettingsProblem
  | UsageProblem
  | ConfigError.ConfigError

/** A failure as the program tells it: one sentence, what JSON calls it, and the exit code. */
export interface Fault {
  readonly tag: string
  readonly message: string
  readonly exitCode: ExitCode
  /** What a provider said, scrubbed; empty for all others. */
  readonly detail: string
}

/** What a closed gate means to a program that needs what is behind it. */
export const exitCodeOfGate = (reason: GateReason): ExitCode =>
  Match.value(reason).pipe(
    Match.withReturnType<ExitCode>(),
    Match.when("sign-in", () => 4),
    Match.when("budget", () => 6),
    Match.when("key", () => 1),
    Match.exhaustive
  )

/** What a job's last error means to a program that waited for the job; crashes and stalls have no tag of a failure. */
export const exitCodeOfError = ({ tag }: LastError): ExitCode => {
  const known = Failure.members.find((member) => member._tag === tag)
  return known === undefined ? 1 : exitCodeOf(known._tag)
}

const isSource = Schema.is(Schema.Union(Catalog.SourceProblem, Catalog.CatalogProblem))

const fault = (error: { readonly _tag: string; readonly message: string }, exitCode: ExitCode, detail = ""): Fault => ({
  tag: error._tag,
  message: error.message,
  exitCode,
  detail
})

const isConfigError = (error: CommandFailure): error is ConfigError.ConfigError => ConfigError.isConfigError(error)

/** The failure in the program's words. */
export const faultOf = (error: CommandFailure): Fault => {
  if (isFailure(error)) {
    const { exitCode, userMessage } = consequence(error, CallContext.Request({ malformedTries: 0 }))
    return { tag: error._tag, message: userMessage, exitCode, detail: error.detail }
  }
  if (Store.isStoreFailure(error)) return fault(error, Store.exitCode(error))
  if (isSource(error)) return fault(error, Catalog.exitCode(error))
  if (isConfigError(error)) return { tag: "SettingsProblem", message: String(error), exitCode: 2, detail: "" }
  return Match.value(error).pipe(
    Match.withReturnType<Fault>(),
    Match.tagsExhaustive({
      CatalogNotFound: (problem) => fault(problem, 1),
      NoCatalogs: (problem) => fault(problem, 1),
      JobNotFound: (problem) => fault(problem, 1),
      JobStateConflict: (problem) => fault(problem, 1),
      LeaseLost: (problem) => fault(problem, 1),
      GateNotClosed: (problem) => fault(problem, 1),
      GateShut: (problem) => fault(problem, exitCodeOfGate(problem.reason)),
      NameProblem: (problem) => fault(problem, 2),
      RequestProblem: (problem) => fault(problem, 2),
      EmbedderMismatch: (problem) => fault(problem, 2),
      SettingsProblem: (problem) => fault(problem, 2),
      UsageProblem: (problem) => fault(problem, 2)
    })
  )
}
