import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { SourceRef } from "../../../domain/job/Job.js"
import type { JobStatus } from "../../../domain/job/Job.js"
import { JobQueue } from "../../../domain/job/JobQueue.js"
import { waitReason } from "../../../domain/job/WaitReason.js"
import { around } from "../around.js"
import * as JobView from "../JobView.js"
import { report } from "../Report.js"
import * as Style from "../Style.js"
import { withStores } from "../wired.js"

interface Asked {
  readonly status: JobStatus | "all" | "open"
  readonly catalog: string | undefined
  readonly limit: number
}

const statuses = (asked: Asked["status"]): ReadonlyArray<JobStatus> | undefined =>
  asked === "all" ? undefined : asked === "open" ? ["pending", "running"] : [asked]

export const run = (asked: Asked) =>
  withStores(Effect.gen(function*() {
    const queue = yield* JobQueue
    const now = yield* around
    const status = statuses(asked.status)
    const jobs = yield* queue.list({
      limit: asked.limit,
      ...(status === undefined ? {} : { status }),
      ...(asked.catalog === undefined ? {} : { source: SourceRef.make({ kind: "catalog", id: asked.catalog }) })
    })
    const seen = jobs.map((job) => ({ job, waits: waitReason(job, now) }))
    return report(
      { jobs: seen.map(({ job, waits }) => JobView.json(job, waits)) },
      (style) =>
        seen.length === 0
          ? ["There are no such jobs."]
          : Style.table(
            style,
            ["job", "source", "state", "done", "attempts", "created", "error"],
            seen.map(({ job, waits }) => [
              String(job.id),
              job.source.id,
              JobView.status(style, job, waits),
              JobView.progress(job),
              `${job.attempts}/${job.maxAttempts}`,
              Style.ago(job.createdAt, now.now),
              Option.match(job.lastError, { onNone: () => "", onSome: ({ tag }) => tag })
            ]),
            [1]
          )
    )
  })).pipe(
    Effect.catchTag("StoreMissing", ({ message }) =>
      Effect.succeed(report({ jobs: [] }, () => [`There are no jobs yet. ${message}`])))
  )
