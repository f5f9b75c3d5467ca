import * as Effect from "effect/Effect"
import { JobId } from "../../../domain/job/Job.js"
import { JobQueue } from "../../../domain/job/JobQueue.js"
import type { JobFilter } from "../../../domain/job/JobQueue.js"
import { count } from "../../../domain/text/count.js"
import { around } from "../surroundings.js"
import * as JobView from "../JobView.js"
import * as ManyJobs from "../ManyJobs.js"
import { commandResult } from "../CommandResult.js"
import { withStores } from "../provideLayers.js"

const one = Effect.fnUntraced(function*(id: number) {
  const job = yield* (yield* JobQueue).cancel(JobId.make(id))
  const now = yield* around
  return commandResult({ job: JobView.json(job, now) }, (style) => [
    `${JobView.state(style, job, now)}  job ${job.id}; what it has stored stays.`
  ])
})

const many = Effect.fnUntraced(function*(filter: JobFilter, yes: boolean) {
  const begun = yield* ManyJobs.agreed("cancel", filter, yes)
  const cancelled = begun ? yield* (yield* JobQueue).askAll("cancel", filter) : 0
  return commandResult({ cancelled }, () => [`Cancelled: ${count(cancelled)}. What was stored stays.`])
})

/** What cannot be meant is refused before a store is opened. */
export const run = (asked: ManyJobs.Asked) =>
  asked.job !== undefined && !ManyJobs.namesMany(asked)
    ? withStores(one(asked.job))
    : Effect.flatMap(ManyJobs.filterOf("cancel", asked, ["pending", "running"]), (filter) =>
      withStores(many(filter, asked.yes)))
