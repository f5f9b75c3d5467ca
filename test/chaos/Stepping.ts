import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { AuthenticationFailed, Network } from "../../src/domain/failure/Failure.js"
import * as JobKind from "../../src/domain/job/JobKind.js"

/** Steps of each job. */
export const stepsOfAJob = 30

/** A kind of job beside `index`: every step of it leaves a receipt outside of the database. */
export const Stepping = JobKind.make("stepping", {
  payload: Schema.Struct({ n: Schema.Int }),
  success: Schema.Struct({ sum: Schema.Int }),
  key: ({ n }) => String(n),
  provider: () => "receipts",
  maxAttempts: 100
})

/** What is sent for a receipt. */
export interface Receipt {
  readonly job: number
  readonly step: string
  readonly idempotencyKey: string
}

const provider = "receipts"

const send = (url: string, receipt: Receipt) =>
  Effect.tryPromise({
    try: (signal) => fetch(url, { method: "POST", body: JSON.stringify(receipt), signal }),
    catch: (error) => new Network({ provider, detail: String(error), phase: "connect" })
  }).pipe(
    Effect.flatMap(({ status }) =>
      status === 401 ? new AuthenticationFailed({ provider, detail: "HTTP 401" }) : Effect.void
    )
  )

/** The handler: thirty steps in order, each of which is a call. */
export const steppingLive = (url: string) =>
  Stepping.toLayer(Effect.fnUntraced(function*({ n }, { job, step }) {
    let sum = 0
    for (let at = 0; at < stepsOfAJob; at++) {
      const name = `step-${at}`
      sum += yield* step(
        name,
        Schema.Int,
        (idempotencyKey) => Effect.as(send(url, { job: job.id, step: name, idempotencyKey }), n + at)
      )
    }
    return { sum }
  }))
