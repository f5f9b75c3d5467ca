import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { JobId } from "../../../domain/job/Job.js"
import { JobQueue } from "../../../domain/job/JobQueue.js"
import * as WaitReason from "../../../domain/job/WaitReason.js"
import { around } from "../around.js"
import * as JobView from "../JobView.js"
import { report } from "../Report.js"
import { paint } from "../Style.js"
import { withStores } from "../wired.js"

export const run = ({ job: id }: { readonly job: number }) =>
  withStores(Effect.gen(function*() {
    const queue = yield* JobQueue
    const job = yield* queue.retry(JobId.make(id))
    const waits = WaitReason.waitReason(job, yield* around)
    return report({ job: JobView.json(job, waits) }, (style) => [
      `${JobView.status(style, job, waits)}  job ${job.id} is ready to be tried again${
        Option.match(waits, { onNone: () => "", onSome: (reason) => `; it waits for ${WaitReason.describe(reason)}` })
      }.`,
      paint(
        style,
        "faint",
        Option.match(JobView.endsWait(waits), {
          onNone: () => "  A worker runs it: holdfast worker",
          onSome: (command) => `  A worker runs it then: holdfast worker. Without the wait: ${command}`
        })
      )
    ])
  }))
