import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { JobId } from "../../../domain/job/Job.js"
import { JobQueue } from "../../../domain/job/JobQueue.js"
import * as JobView from "../JobView.js"
import { report } from "../Report.js"
import { withStores } from "../wired.js"

export const run = ({ job: id }: { readonly job: number }) =>
  withStores(Effect.gen(function*() {
    const queue = yield* JobQueue
    const job = yield* queue.cancel(JobId.make(id))
    return report({ job: JobView.json(job, Option.none()) }, (style) => [
      `${JobView.status(style, job, Option.none())}  job ${job.id}; what it has stored stays.`
    ])
  }))
