import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as IndexJob from "../../../domain/index/IndexJob.js"
import { IndexStore } from "../../../domain/index/IndexStore.js"
import type { Job, JobId } from "../../../domain/job/Job.js"
import { JobQueue } from "../../../domain/job/JobQueue.js"
import type { JobFilter } from "../../../domain/job/JobQueue.js"

/** A person's retry of a job asks for its refused items again, too. */

const askAgain = Effect.fnUntraced(function*(job: Job) {
  const source = IndexJob.sourceOf(job)
  if (Option.isSome(source)) yield* (yield* IndexStore).forgetRefusals(source.value)
})

/** Another try at once; see JobQueue.retry. */
export const retry = Effect.fn("RetryJob.retry")(function*(id: JobId) {
  const job = yield* (yield* JobQueue).retry(id)
  yield* askAgain(job)
  return job
})

/** Jobs whose refusals are looked up at once. */
const most = 10_000

/** Another try for all that are meant; answers how many. */
export const retryAll = Effect.fn("RetryJob.retryAll")(function*(filter: JobFilter) {
  const queue = yield* JobQueue
  const indexes = filter.kind === undefined || filter.kind === IndexJob.kind
    ? yield* queue.list({ ...filter, kind: IndexJob.kind, limit: most })
    : []
  const refusing = indexes.filter(({ progress }) => IndexJob.countsOf(progress).refused > 0)
  const count = yield* queue.askAll("retry", filter)
  yield* Effect.forEach(refusing, askAgain, { discard: true })
  return count
})
