import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { isOpen, JobId } from "../../../domain/job/Job.js"
import type { Job } from "../../../domain/job/Job.js"
import type { JobKind } from "../../../domain/job/JobKind.js"
import { JobQueue } from "../../../domain/job/JobQueue.js"
import type { JobFilter, JobListing } from "../../../domain/job/JobQueue.js"

/** Jobs as those see them who asked for them: whatever their kind. All of it is read from the store, so that it holds over processes. */

/** One job; fails with JobNotFound. */
export const find = (id: JobId) => Effect.flatMap(JobQueue, (queue) => queue.find(id))

/** The newest jobs first, 100 unless another limit is given. */
export const list = ({ limit = 100, ...filter }: Omit<JobListing, "limit"> & { readonly limit?: number } = {}) =>
  Effect.flatMap(JobQueue, (queue) => queue.list({ ...filter, limit }))

/** Another try at once, with all attempts before it: what has failed goes on from its finished steps. */
export const retry = (id: JobId) => Effect.flatMap(JobQueue, (queue) => queue.retry(id))

/** The end of a job; whoever runs it is stopped, and what it has stored stays. */
export const cancel = (id: JobId) => Effect.flatMap(JobQueue, (queue) => queue.cancel(id))

/** Retry all jobs that are meant and do not run. Answers how many. */
export const retryAll = (filter: JobFilter) => Effect.flatMap(JobQueue, (queue) => queue.askAll("retry", filter))

/** Cancel all open jobs that are meant. Answers how many. */
export const cancelAll = (filter: JobFilter) => Effect.flatMap(JobQueue, (queue) => queue.askAll("cancel", filter))

/** The finished steps of a job's present run, in the order in which they ended. */
export const steps = (id: JobId, limit = 1000) => Effect.flatMap(JobQueue, (queue) => queue.steps(id, limit))

/** How often a job that is followed is looked at. */
const lookEvery = Duration.millis(200)

const isSame = (before: Job, now: Job): boolean =>
  before.status === now.status && before.attempts === now.attempts && before.run === now.run &&
  before.progress.done === now.progress.done && before.progress.total === now.progress.total &&
  before.runAt.epochMillis === now.runAt.epochMillis

/** The job at each look, five a second, until it is over. */
export const watch = (id: JobId) =>
  Stream.concat(
    Stream.fromEffect(find(id)),
    Stream.repeatEffect(Effect.delay(find(id), lookEvery))
  ).pipe(Stream.takeUntil((job) => !isOpen(job.status)))

/** The job as it stands now, then each time that its state, its progress or its attempts change, until it is over. */
export const follow = (id: JobId) => Stream.changesWith(watch(id), isSame)

type Found = ReturnType<typeof find>

const ended = (id: JobId): Found =>
  Effect.flatMap(find(id), (job) => isOpen(job.status) ? Effect.delay(ended(id), lookEvery) : Effect.succeed(job))

/** Waits until the job is over; answers it. */
const awaitEnd = (id: JobId): Found => Effect.withSpan(ended(id), "Jobs.await", { attributes: { job: id } })
export { awaitEnd as await }

/** A job that is over, and has no output: it failed, or was cancelled. */
export class JobUnfinished extends Schema.TaggedError<JobUnfinished>()("JobUnfinished", {
  job: JobId,
  status: Schema.String,
  /** The tag and the words of its last error; empty where it has none. */
  tag: Schema.String,
  message: Schema.String
}) {}

/** Waits until the job is over; answers its output, read by its kind. */
export const result = Effect.fnUntraced(function*<P, S>(kind: JobKind<P, S>, id: JobId) {
  const job = yield* awaitEnd(id)
  if (job.status === "succeeded" || job.status === "partial") return yield* kind.outputOf(job)
  const { message, tag } = job.lastError._tag === "Some"
    ? job.lastError.value
    : { message: `Job ${id} is ${job.status}.`, tag: "" }
  return yield* new JobUnfinished({ job: id, status: job.status, tag, message })
})
