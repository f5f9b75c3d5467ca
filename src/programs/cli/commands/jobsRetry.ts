import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { JobId } from "../../../domain/job/Job.js"
import * as WaitReason from "../../../domain/job/WaitReason.js"
import { retry, retryAll } from "../../flows/index/RetryJob.js"
import type { JobFilter } from "../../../domain/job/JobQueue.js"
import { count } from "../../../domain/text/count.js"
import { around } from "../surroundings.js"
import * as JobView from "../JobView.js"
import * as ManyJobs from "../ManyJobs.js"
import { commandResult } from "../CommandResult.js"
import { paint } from "../Style.js"
import { withStores } from "../provideLayers.js"

const one = Effect.fnUntraced(function*(id: number) {
  const job = yield* retry(JobId.make(id))
  const now = yield* around
  const waits = WaitReason.waitReason(job, now)
  return commandResult({ job: JobView.json(job, now) }, (style) => [
    `${JobView.state(style, job, now)}  job ${job.id} is ready to be tried again${
      Option.match(waits, { onNone: () => "", onSome: (reason) => `; it waits for ${WaitReason.describe(reason)}` })
    }.`,
    ...(job.id === id ? [] : [`  It followed job ${id}, and has the same key: only the newest job of a key can run.`]),
    paint(
      style,
      "faint",
      Option.match(JobView.endsWait(waits), {
        onNone: () => `  It is run by ${JobView.whoRuns(job.kind)}`,
        onSome: (command) => `  It is run then by ${JobView.whoRuns(job.kind)}. Without the wait: ${command}`
      })
    )
  ])
})

const runners = ({ kind }: JobFilter): string =>
  kind === undefined
    ? "the workers that have their kinds; those of the program itself by: holdfast worker"
    : JobView.whoRuns(kind)

const many = Effect.fnUntraced(function*(filter: JobFilter, yes: boolean) {
  const begun = yield* ManyJobs.agreed("retry", filter, yes)
  const retried = begun ? yield* retryAll(filter) : 0
  return commandResult({ retried }, (style) => [
    `To be tried again: ${count(retried)}.`,
    ...(retried === 0 ? [] : [paint(style, "faint", `  They are run by ${runners(filter)}`)])
  ])
})

/** What cannot be meant is refused before a store is opened. */
export const run = (asked: ManyJobs.Asked) =>
  asked.job !== undefined && !ManyJobs.namesMany(asked)
    ? withStores(one(asked.job))
    : Effect.flatMap(ManyJobs.filterOf("retry", asked, ["failed"]), (filter) => withStores(many(filter, asked.yes)))
