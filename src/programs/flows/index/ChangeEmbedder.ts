import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Embedder } from "../../../domain/index/Embedder.js"
import * as Profile from "../../../domain/index/EmbedderProfile.js"
import { EmbedderProfile } from "../../../domain/index/EmbedderProfile.js"
import * as EmbedderUse from "../../../domain/index/EmbedderUse.js"
import { StoreEmbedder } from "../../../domain/index/StoreEmbedder.js"
import type { Estimate, Headway } from "../../../domain/index/StoreEmbedder.js"
import { JobQueue } from "../../../domain/job/JobQueue.js"
import { retryRequest } from "../../../domain/failure/RetryRequest.js"
import * as KnownModel from "./KnownModel.js"
import { patiently } from "../work/PatientStore.js"
import { reindexAll } from "./Reconcile.js"
import { isPutOff, workUntil } from "./IndexWorker.js"

/**
 * A store moves to another embedder: the wish is recorded, jobs make the new vectors beside the old ones, each source is served
 * by the new ones as soon as all of its own are there, and the old ones go when the last source has moved. Whoever dies on the
 * way leaves the wish and what was embedded: the same call, or any worker with the new settings, goes on.
 */

/** What a change would be, before anything is written. */
export interface Plan {
  readonly before: Option.Option<EmbedderUse.EmbedderUse>
  readonly to: EmbedderProfile
  /** `none`: the store uses it already; `resume`: it is moving to it. */
  readonly step: "none" | "resume" | "change"
  readonly estimate: Estimate
}

/** A text to see the new embedder at work: whether it answers, and in which dimension. */
const sample = "Which embedder answers?"

/** The profile with its dimension. A change to an embedder that does not answer is not begun. */
const seen = Effect.fnUntraced(function*(profile: EmbedderProfile) {
  const embedder = yield* Embedder
  const [vector] = yield* retryRequest(embedder.embed([sample]))
  yield* KnownModel.verified(embedder)
  return Profile.completed(
    profile,
    EmbedderProfile.make({ ...profile, dimension: Option.map(Option.fromNullable(vector), ({ length }) => length) })
  )
})

/** What it would take to move to this process's embedder. One call is made, where the store does not use it yet. */
export const plan = Effect.fn("ChangeEmbedder.plan")(function*() {
  const store = yield* StoreEmbedder
  const came = Profile.of(yield* Embedder)
  const before = yield* store.find
  const isUsed = Option.exists(before, ({ uses }) => Profile.matches(uses, came))
  const to = isUsed ? came : yield* seen(came)
  const step = !isUsed ? "change" : Option.exists(before, EmbedderUse.isChanging) ? "resume" : "none"
  return { before, to, step, estimate: yield* store.estimate(to) } satisfies Plan
})

/** Record the wish and open the jobs that carry it out. From here on it happens wherever a worker with these settings runs. */
export const begin = Effect.fn("ChangeEmbedder.begin")(function*(to: EmbedderProfile) {
  yield* (yield* StoreEmbedder).change(to)
  yield* reindexAll
})

/** How a change stands when whoever waited for it goes on. */
export interface Moved extends Headway {
  /** Nothing of the old embedder is left. */
  readonly isOver: boolean
}

const lookEvery = Duration.millis(500)

/** Whether a job is left that may go on within the minute. */
const isMoving = Effect.gen(function*() {
  const queue = yield* JobQueue
  const open = yield* queue.list({ status: ["pending", "running"], limit: 1000 })
  for (const job of open) {
    if (job.status === "running" || !(yield* isPutOff(job))) return true
  }
  return false
})

const look = Effect.gen(function*() {
  const headway = yield* (yield* StoreEmbedder).headway
  const isOver = headway.moved === headway.sources && (yield* (yield* StoreEmbedder).retire)
  return { ...headway, isOver } satisfies Moved
})

/**
 * Work until every source has moved and the old vectors are gone, or until no job that is left may go on soon: what is missing
 * has failed, or stands behind a gate or a long wait. `onLook` is told how far it is.
 */
export const carryOut = Effect.fn("ChangeEmbedder.carryOut")(function*<R>(
  onLook: (headway: Headway) => Effect.Effect<void, never, R>
) {
  const watch = Effect.gen(function*() {
    while (true) {
      const now = yield* patiently(look)
      yield* onLook(now)
      if (now.isOver || !(yield* patiently(isMoving))) return yield* patiently(look)
      yield* Effect.sleep(lookEvery)
    }
  })
  return yield* workUntil(watch)
})
