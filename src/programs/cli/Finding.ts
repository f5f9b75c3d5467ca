import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as ServerCheck from "../../adapters/postgres/driver/ServerCheck.js"
import type { Catalog } from "../../domain/catalog/CatalogStore.js"
import type { Embedder, Probe } from "../../domain/index/Embedder.js"
import type { EmbedderProfile } from "../../domain/index/EmbedderProfile.js"
import * as EmbedderUse from "../../domain/index/EmbedderUse.js"
import type { Headway } from "../../domain/index/StoreEmbedder.js"
import type { ExitCode } from "../../domain/failure/Consequence.js"
import type { Failure } from "../../domain/failure/Failure.js"
import type { Job } from "../../domain/job/Job.js"
import { nobodyWorks, waitReason } from "../../domain/job/WaitReason.js"
import type { Surroundings } from "../../domain/job/WaitReason.js"
import type { StoreFailure } from "../../domain/store/StoreFailure.js"
import { count } from "../../domain/text/count.js"
import { formatDuration } from "../settings/Kind.js"
import * as EmbedderView from "./EmbedderView.js"
import { startsWorker } from "./JobView.js"
import { faultOf } from "./Fault.js"
import type { CommandFailure } from "./Fault.js"
import * as Style from "./Style.js"

/** What the doctor found at one place. `fix` is the command that mends it. */
export interface Finding {
  readonly check: string
  readonly level: "ok" | "warn" | "fail"
  readonly message: string
  readonly fix: Option.Option<string>
  readonly exitCode: ExitCode
}

export const ok = (check: string, message: string): Finding => ({
  check,
  level: "ok",
  message,
  fix: Option.none(),
  exitCode: 0
})

export const warn = (check: string, message: string, fix: Option.Option<string> = Option.none()): Finding => ({
  check,
  level: "warn",
  message,
  fix,
  exitCode: 0
})

const fail = (
  check: string,
  message: string,
  fix: Option.Option<string> = Option.none(),
  exitCode: ExitCode = 1
): Finding => ({ check, level: "fail", message, fix, exitCode })

export const ofFailure = (check: string, failure: CommandFailure): Finding => {
  const { detail, exitCode, message } = faultOf(failure)
  return fail(
    check,
    detail === "" || message.includes(detail) ? message : `${message} (${detail})`,
    Option.none(),
    exitCode
  )
}

const exactScan = "search scans all vectors exactly, which is slower from about 100,000 on"

const pgvector = ({ pgvector, vectors }: ServerCheck.ServerFacts): Finding =>
  pgvector === "absent"
    ? warn("pgvector", `The server does not offer it: ${exactScan}.`)
    : pgvector === "denied"
    ? warn(
      "pgvector",
      `This role may not install it: ${exactScan}. A superuser can, before the first migration: create extension vector.`
    )
    : pgvector === "closed"
    ? warn(
      "pgvector",
      `It is installed in a schema that is closed to this role: ${exactScan}. Grant usage on that schema to it.`
    )
    : vectors === "arrays"
    ? warn("pgvector", `It came after the store was made, which goes on without it: ${exactScan}.`)
    : ok("pgvector", pgvector === "installed" ? "It is installed." : "The server offers it.")

/** The server's version, and what it can and lets us do. `embedded` is the data directory of the embedded one; `wanted` are the connections of a worker. */
export const ofServer = (
  server: ServerCheck.ServerFacts,
  embedded: Option.Option<string>,
  wanted: number
): ReadonlyArray<Finding> => [
  ok(
    "database",
    Option.match(embedded, {
      onNone: () => `PostgreSQL ${server.version} answers.`,
      onSome: (directory) => `PostgreSQL ${server.version}, embedded in ${directory}.`
    })
  ),
  ...(server.standby
    ? [
      fail(
        "database",
        "It is a standby and takes no writes: point database.url at the primary server.",
        Option.none(),
        7
      )
    ]
    : server.readOnly
    ? [fail("database", "It is set to read only.", Option.none(), 7)]
    : []),
  ...(server.mayCreate || server.readOnly
    ? []
    : [
      warn(
        "database",
        "This role may not create tables in the schema of database.schema: migrations must be run by another one."
      )
    ]),
  ...(Option.isNone(embedded) && server.connectionLimit < wanted
    ? [
      warn(
        "database",
        `It allows this role ${server.connectionLimit} connections at once, a worker wants ${wanted}: work waits for a free one.`
      )
    ]
    : []),
  pgvector(server)
]

/** How the tables stand in the schema of this name. */
export const ofSchema = (name: string, checked: Either.Either<unknown, StoreFailure>): Finding =>
  Either.match(checked, {
    onRight: () => ok("schema", `The tables in the schema ${name} are this program's.`),
    onLeft: (failure) =>
      failure._tag === "SchemaTooOld"
        ? failure.found === 0
          ? warn("schema", `The schema ${name} has no tables of holdfast yet.`, Option.some("holdfast migrate"))
          : fail(
            "schema",
            `The schema ${name} is at version ${failure.found}, this program needs ${failure.needed}.`,
            Option.some("holdfast migrate")
          )
        : ofFailure("schema", failure)
  })

/** What starts a worker for these jobs. */
const starts = (waiting: ReadonlyArray<{ readonly job: Job }>): Option.Option<string> =>
  startsWorker(waiting.map(({ job }) => job.kind))

const jobs = (n: number): string => `${n} ${n === 1 ? "job" : "jobs"}`

/** The work that may need somebody: jobs that gave up, open jobs, catalogs with refused items. */
export interface Work {
  readonly failed: ReadonlyArray<Job>
  readonly open: ReadonlyArray<Job>
  readonly lacking: ReadonlyArray<Catalog>
}

/** Closed gates, cooling providers, failed jobs, refused items, jobs whose worker is gone, jobs that nobody takes. */
export const ofWork = (around: Surroundings, { failed, lacking, open }: Work): ReadonlyArray<Finding> => {
  const waiting = open.map((job) => ({ job, reason: Option.getOrUndefined(waitReason(job, around)) }))
  const left = waiting.filter(({ reason }) => reason?._tag === "LeaseHeld")
  const ready = waiting.filter(({ reason }) => reason?._tag === "Concurrency")
  const unknown = [
    ...new Set(waiting.flatMap(({ reason }) => reason?._tag === "NoWorkerForKind" ? [reason.kind] : []))
  ]
  const [first] = failed
  const found = [
    ...around.gates.map(({ detail, reason, ref }) =>
      warn(
        "gates",
        `Work on ${ref.kind} ${ref.name} is parked (${reason})${detail === "" ? "" : `: ${Style.clean(detail)}`}.`,
        Option.some(`holdfast gates open ${ref.name}`)
      )
    ),
    ...around.cooldowns.map(({ provider, until }) =>
      warn(
        "gates",
        `${provider} asked everyone to wait until ${Style.time(until)}${
          nobodyWorks(around) ? "; no worker runs." : "; its work goes on by itself then."
        }`,
        nobodyWorks(around) ? starts(waiting.filter(({ job }) => job.provider === provider)) : Option.none()
      )
    ),
    ...(first === undefined
      ? []
      : [warn("jobs", `${jobs(failed.length)} failed.`, Option.some(`holdfast jobs show ${first.id}`))]),
    ...lacking.map(({ items, job, name, refused }) =>
      warn(
        "catalogs",
        `${name}: ${count(refused)} of ${count(items)} items are left out, because they were refused.`,
        Option.map(job, ({ id }) => `holdfast jobs show ${id}`)
      )
    ),
    ...(left.length === 0
      ? []
      : [
        nobodyWorks(around)
          ? warn("workers", `${jobs(left.length)} lost the worker, and none runs.`, starts(left))
          : warn("workers", `${jobs(left.length)} lost the worker; one that runs takes over.`)
      ]),
    ...unknown.map((kind) =>
      warn("workers", `Jobs of kind ${Style.clean(kind)} wait, and no worker that runs knows that kind.`)
    ),
    ...(ready.length === 0
      ? []
      : [
        nobodyWorks(around)
          ? warn(
            "workers",
            `${jobs(ready.length)} could start now, and no worker runs.`,
            starts(ready)
          )
          : warn(
            "workers",
            `${jobs(ready.length)} could start now: all workers are busy.`,
            starts(ready)
          )
      ])
  ]
  return found.length === 0 ? [ok("jobs", "Nothing is parked, failed, left out or left behind.")] : found
}

const hints: { readonly [provider: string]: (model: string) => string } = {
  ollama: (model) => `ollama pull ${model}`
}

/** Whether the embedder is there and knows its model. */
export const ofProbe = (
  { model, provider }: Embedder["Type"],
  probed: Either.Either<Probe, Failure>
): ReadonlyArray<Finding> =>
  Either.match(probed, {
    onLeft: (failure) => [ofFailure("embedder", failure)],
    onRight: ({ detail, modelKnown, took }) => [
      Option.contains(modelKnown, false)
        ? fail(
          "embedder",
          `${provider} answers but does not know the model ${model}.`,
          Option.map(Option.fromNullable(hints[provider]), (hint) => hint(model))
        )
        : ok("embedder", `${provider} with ${model} answered in ${formatDuration(took)}: ${Style.clean(detail)}.`)
    ]
  })

/** The embedder that the store uses against the one that the settings name. */
export const ofUse = (use: EmbedderUse.EmbedderUse, headway: Headway, settings: EmbedderProfile): Finding => {
  const refused = Either.getLeft(EmbedderUse.admitted(Option.some(use), settings))
  const mend = Option.some("holdfast embedder set")
  return Option.match(refused, {
    onSome: ({ message }) => fail("vectors", Style.clean(message), mend, 2),
    onNone: () =>
      Option.match(EmbedderView.change(use, headway), {
        onNone: () => ok("vectors", `The store uses ${EmbedderView.words(use.uses)}.`),
        onSome: (words) => warn("vectors", words, mend)
      })
  })
}

const looks = { ok: ["✓", "good"], warn: ["!", "attention"], fail: ["✗", "bad"] } as const

export const json = ({ check, fix, level, message }: Finding) => ({ check, level, message, fix: Option.getOrNull(fix) })

/** A row for each finding, and below it the command that mends it. */
export const lines = (style: Style.Style, found: ReadonlyArray<Finding>): ReadonlyArray<string> =>
  Style.prose(
    style,
    found.map(({ check, level, message }) => {
      const [glyph, tone] = looks[level]
      return [Style.paint(style, tone, `${glyph} ${level}`), check, Style.clean(message)]
    }),
    (row) => Option.toArray(Option.map(found[row]?.fix ?? Option.none(), (command) => `→ ${command}`))
  )

/** 0 where nothing fails, 7 where all that fails is a dependency that is down, else 1. */
export const exitCode = (found: ReadonlyArray<Finding>): ExitCode => {
  const failed = found.filter(({ level }) => level === "fail")
  return failed.length === 0 ? 0 : failed.every((one) => one.exitCode === 7) ? 7 : 1
}
