import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as IndexJob from "../../../domain/index/IndexJob.js"
import type { JobStatus } from "../../../domain/job/Job.js"
import { JobQueue } from "../../../domain/job/JobQueue.js"
import { count } from "../../../domain/text/count.js"
import { around } from "../surroundings.js"
import { UsageProblem } from "../Fault.js"
import * as JobView from "../JobView.js"
import { commandResult } from "../CommandResult.js"
import * as Style from "../Style.js"
import { withStores } from "../provideLayers.js"

interface Asked {
  readonly kind: string | undefined
  readonly state: JobStatus | "all" | "open"
  readonly catalog: string | undefined
  readonly limit: number
}

const statuses = (asked: Asked["state"]): ReadonlyArray<JobStatus> | undefined =>
  asked === "all" ? undefined : asked === "open" ? ["pending", "running"] : [asked]

/** The jobs of a catalog are index jobs. */
const filterOf = ({ catalog, kind, state }: Asked) => {
  const status = statuses(state)
  const of = catalog === undefined ? kind : IndexJob.kind
  return {
    ...(status === undefined ? {} : { status }),
    ...(of === undefined ? {} : { kind: of }),
    ...(catalog === undefined ? {} : { key: IndexJob.keyOf({ kind: "catalog", id: catalog }) })
  }
}

export const run = (asked: Asked) =>
  Effect.gen(function*() {
    if (asked.catalog !== undefined && asked.kind !== undefined && asked.kind !== IndexJob.kind) {
      return yield* new UsageProblem({
        path: ["jobs", "list"],
        message: `--catalog shows index jobs: leave out --kind ${asked.kind}.`
      })
    }
    return yield* withStores(listed(asked))
  }).pipe(
    Effect.catchTag("StoreMissing", ({ message }) =>
      Effect.succeed(commandResult({ jobs: [] }, () => [`There are no jobs yet. ${message}`])))
  )

const listed = Effect.fnUntraced(function*(asked: Asked) {
  const queue = yield* JobQueue
  const now = yield* around
  const found = yield* queue.list({ limit: asked.limit + 1, ...filterOf(asked) })
  const jobs = found.slice(0, asked.limit)
  const more = found.length > jobs.length
  return commandResult(
    { jobs: jobs.map((job) => JobView.json(job, now)), more },
    (style) =>
      jobs.length === 0
        ? ["There are no such jobs."]
        : [
          ...Style.table(
            style,
            ["job", "kind", "key", "state", "done", "attempts", "created", "error"],
            jobs.map((job) => [
              String(job.id),
              Style.clean(job.kind),
              Style.clean(job.key),
              JobView.state(style, job, now),
              JobView.progress(job),
              `${job.attempts}/${job.maxAttempts}`,
              Style.ago(job.createdAt, now.now),
              Option.match(job.lastError, { onNone: () => "", onSome: ({ tag }) => tag })
            ]),
            [2]
          ),
          ...(more
            ? [Style.paint(style, "faint", `These are the newest ${count(jobs.length)}; older ones by --limit.`)]
            : [])
        ]
  )
})
