import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import * as Assembly from "../../../domain/index/Assembly.js"
import * as BatchSize from "../../../domain/index/BatchSize.js"
import { Embedder } from "../../../domain/index/Embedder.js"
import * as Profile from "../../../domain/index/EmbedderProfile.js"
import type { EmbedderProfile } from "../../../domain/index/EmbedderProfile.js"
import * as EmbeddingPlan from "../../../domain/index/EmbeddingPlan.js"
import { Fingerprint } from "../../../domain/index/Fingerprint.js"
import { IndexStore } from "../../../domain/index/IndexStore.js"
import type { Batch, NewVector, VectorSpace } from "../../../domain/index/IndexStore.js"
import type { Failure } from "../../../domain/failure/Failure.js"
import { InvalidRequest } from "../../../domain/failure/Failure.js"
import { Progress, Refusal } from "../../../domain/job/Job.js"
import type { Held, Settled } from "../../../domain/job/JobQueue.js"
import { Outcome } from "../../../domain/job/Outcome.js"
import type { LeaseLost } from "../../../domain/lease/Lease.js"
import type { Pacer } from "../../../domain/retry/Pacer.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import type { Tenant } from "../../../domain/store/Tenant.js"
import { embedBatch } from "./EmbedBatch.js"
import * as EmbedCall from "./EmbedCall.js"
import type { Calls } from "../work/Paced.js"
import { patiently } from "../work/PatientStore.js"

/** How one attempt ended: the job is settled by its completion, or its outcome is still to be written. */
export type Attempt = Data.TaggedEnum<{
  Settled: { readonly settled: Settled }
  Unsettled: { readonly outcome: Outcome }
}>
export const Attempt = Data.taggedEnum<Attempt>()

export interface RunOptions {
  /** Texts per call, at most. */
  readonly batchSize: number
  /** An attempt that makes no progress for so long ends as stalled. */
  readonly stallAfter: Duration.Duration
  /** Done when nothing new is to be begun: the batches under way are stored, then the attempt ends as Released. */
  readonly stop: Deferred.Deferred<void>
  /** What all jobs of this process share in calling the embedder. */
  readonly calls: Calls
  /** What the store uses: the embedder's own profile, with the dimension where that is known. */
  readonly profile: EmbedderProfile
}

/** Items that are planned at a time: bounds the memory that a catalog of any size takes. */
const pageSize = 500

interface Answer {
  readonly vectors: ReadonlyArray<NewVector>
  readonly stored: Deferred.Deferred<void, StoreFailure | LeaseLost>
}

/** What the lanes of one pass share. The permit makes each write see the assembly as the last one left it. */
interface Shared {
  readonly held: Held
  readonly pass: EmbedCall.Pass
  readonly space: Effect.Effect<VectorSpace>
  readonly assembly: Assembly.Assembly
  readonly progress: Ref.Ref<Progress>
  readonly progressAt: Ref.Ref<number>
  readonly writing: Effect.Semaphore
  /** Answers that wait for the permit. */
  readonly waiting: Array<Answer>
}

const counted = (progress: Progress, more: Partial<Progress>): Progress =>
  Progress.make({
    items: progress.items,
    embedded: progress.embedded + (more.embedded ?? 0),
    reused: progress.reused + (more.reused ?? 0),
    refused: progress.refused + (more.refused ?? 0)
  })

const write = Effect.fnUntraced(function*(shared: Shared, batch: Omit<Batch, "progress">, more: Partial<Progress>) {
  const store = yield* IndexStore
  const progress = counted(yield* Ref.get(shared.progress), more)
  yield* patiently(store.persist(shared.held, yield* shared.space, { ...batch, progress }))
  yield* Ref.set(shared.progress, progress)
  yield* Ref.set(shared.progressAt, yield* Clock.currentTimeMillis)
})

/** Store answers with the items that they complete. */
const writeServed = Effect.fnUntraced(function*(shared: Shared, vectors: ReadonlyArray<NewVector>) {
  const hashes = vectors.map((vector) => vector.hash)
  const items = Assembly.completedBy(shared.assembly, hashes)
  yield* write(shared, { vectors, items: items.map(EmbeddingPlan.indexed), refusals: [] }, { embedded: items.length })
  Assembly.arrived(shared.assembly, hashes)
})

/**
 * Store an answer before its lane goes on. Answers that come while another is being stored are stored together, by the first of
 * them: one transaction is dearer than the rows in it.
 */
const served = (shared: Shared) => (vectors: ReadonlyArray<NewVector>) =>
  Effect.gen(function*() {
    // A turn of the event loop: the call that waited for this one's permit goes out before milliseconds go into a write.
    yield* Effect.sleep(Duration.zero)
    const stored = yield* Deferred.make<void, StoreFailure | LeaseLost>()
    shared.waiting.push({ vectors, stored })
    yield* shared.writing.withPermits(1)(Effect.suspend(() => {
      const together = shared.waiting.splice(0)
      if (together.length === 0) return Effect.void
      return writeServed(shared, together.flatMap((one) => one.vectors)).pipe(
        Effect.onExit((exit) => Effect.forEach(together, (one) => Deferred.done(one.stored, exit), { discard: true })),
        Effect.ignore
      )
    }))
    yield* Deferred.await(stored)
  })

const refusal = (item: EmbeddingPlan.ChunkedItem, failure: Failure) =>
  Refusal.make({ item: item.id, itemHash: item.hash, failure })

/** Store that the items that need these texts cannot be embedded. */
const refuse = (shared: Shared, texts: ReadonlyArray<{ readonly hash: string; readonly failure: Failure }>) =>
  shared.writing.withPermits(1)(Effect.gen(function*() {
    const refusals = new Map(
      texts.flatMap(({ failure, hash }) =>
        Assembly.neededBy(shared.assembly, [hash]).map((item) => [item.id, refusal(item, failure)] as const)
      )
    )
    if (refusals.size > 0) {
      yield* write(shared, { vectors: [], items: [], refusals: [...refusals.values()] }, { refused: refusals.size })
    }
    for (const { failure, hash } of texts) Assembly.refuse(shared.assembly, hash, failure)
  }))

/** Plan one page: what needs no call is stored at once, the rest is expected by the assembly and answered as texts. */
const planPage = Effect.fnUntraced(function*(shared: Shared, after: number) {
  const store = yield* IndexStore
  const embedder = yield* Embedder
  const hashOf = yield* Fingerprint
  const space = yield* shared.space
  const page = yield* patiently(store.pending(shared.held, space, after, pageSize))
  const items = page.map((item) => EmbeddingPlan.chunked(item, embedder.chunkWords, hashOf))
  const hashes = [...new Set(items.flatMap((item) => item.chunks.map((chunk) => chunk.hash)))]
  // Under the permit: a text that is stored between the question and the plan would be asked for twice.
  return yield* shared.writing.withPermits(1)(Effect.gen(function*() {
    const stored = yield* patiently(store.known(shared.held, space, hashes))
    const refusals = items.flatMap((item) => {
      const failure = Assembly.refusalOf(shared.assembly, item)
      return failure === undefined ? [] : [refusal(item, failure)]
    })
    const plan = EmbeddingPlan.plan(
      items.filter((item) => Assembly.refusalOf(shared.assembly, item) === undefined),
      stored
    )
    const blank = plan.blank.map((item) =>
      refusal(item, new InvalidRequest({ provider: embedder.provider, detail: "The text is empty." }))
    )
    const texts = plan.texts.filter((text) => !Assembly.isUnderWay(shared.assembly, text.hash))
    for (const item of plan.waiting) Assembly.expect(shared.assembly, item, stored)
    if (plan.reusable.length + refusals.length + blank.length > 0) {
      yield* write(shared, {
        vectors: [],
        items: plan.reusable.map(EmbeddingPlan.indexed),
        refusals: [...refusals, ...blank]
      }, { reused: plan.reusable.length, refused: refusals.length + blank.length })
    }
    const last = page.at(-1)
    const next = page.length < pageSize || last === undefined ? Option.none<number>() : Option.some(last.position)
    return [Chunk.fromIterable(texts), next] as const
  }))
})

/**
 * Twice as many lanes as the embedder takes calls: while answers are being stored, every call that the embedder allows is
 * under way. Each lane stores its answer before its next call.
 */
const lanes = (concurrency: number) => 2 * concurrency

/** Bring every pending text through the embedder. A lane that ends the attempt lets the others store what they asked for. */
const embedAll = Effect.fnUntraced(function*(
  shared: Shared,
  batchSize: number,
  halt: Deferred.Deferred<void>,
  ending: Deferred.Deferred<Outcome>
) {
  const embedder = yield* Embedder
  yield* Stream.paginateChunkEffect(-1, (after) => planPage(shared, after)).pipe(
    Stream.rechunk(batchSize),
    Stream.chunks,
    Stream.buffer({ capacity: 2 }),
    Stream.haltWhenDeferred(halt),
    Stream.mapEffect(
      (batch) =>
        embedBatch(shared.pass, Chunk.toReadonlyArray(batch), served(shared)).pipe(
          Effect.flatMap((texts) =>
            refuse(shared, texts.map(({ failure, planned }) => ({ failure, hash: planned.hash })))
          ),
          Effect.catchTag("Ended", ({ outcome }) =>
            Deferred.succeed(ending, outcome).pipe(Effect.zipRight(Deferred.succeed(halt, undefined))))
        ),
      { concurrency: lanes(embedder.concurrency), unordered: true }
    ),
    Stream.runDrain
  )
})

/** Ends when nothing has been stored for `stallAfter`. */
const stalled = (progressAt: Ref.Ref<number>, stallAfter: Duration.Duration): Effect.Effect<void> =>
  Effect.gen(function*() {
    const quiet = (yield* Clock.currentTimeMillis) - (yield* Ref.get(progressAt))
    const left = Duration.toMillis(stallAfter) - quiet
    if (left <= 0) return
    yield* Effect.sleep(Duration.millis(left))
    yield* stalled(progressAt, stallAfter)
  })

const attempt = Effect.fnUntraced(function*(
  held: Held,
  options: RunOptions,
  known: number | null,
  movable: boolean
) {
  const store = yield* IndexStore
  const halt = yield* Deferred.make<void>()
  const ending = yield* Deferred.make<Outcome>()
  const dimension = yield* Ref.make(known)
  const space = Effect.map(Ref.get(dimension), (found) => Profile.spaceOf(options.profile, found ?? 0))
  const standing = yield* patiently(store.standing(held, yield* space))
  const shared: Shared = {
    held,
    pass: yield* EmbedCall.begin({
      job: held.job,
      size: yield* Ref.make(BatchSize.start(options.batchSize, held.job.attempts)),
      dimension,
      movable,
      stop: halt,
      calls: options.calls
    }),
    space,
    assembly: Assembly.make(),
    progress: yield* Ref.make(
      Progress.make({ items: standing.items, reused: standing.current, refused: standing.refused, embedded: 0 })
    ),
    progressAt: yield* Ref.make(yield* Clock.currentTimeMillis),
    writing: yield* Effect.makeSemaphore(1),
    waiting: []
  }
  yield* Effect.forkScoped(Effect.zipRight(Deferred.await(options.stop), Deferred.succeed(halt, undefined)))
  const watched = Effect.zipRight(
    stalled(shared.progressAt, options.stallAfter),
    Deferred.succeed(ending, Outcome.Stalled({ after: options.stallAfter }))
  )
  yield* Effect.raceFirst(embedAll(shared, options.batchSize, halt, ending), watched)
  const ended = yield* Deferred.poll(ending)
  if (Option.isSome(ended)) return Attempt.Unsettled({ outcome: yield* ended.value })
  if (yield* Deferred.isDone(halt)) return Attempt.Unsettled({ outcome: Outcome.Released() })
  const settled = yield* patiently(store.complete(held, yield* space, yield* Ref.get(shared.progress)))
  return Attempt.Settled({ settled })
}, Effect.scoped)

/**
 * One attempt at an index job: plan what is new, embed it batch by batch, store each batch under the fence, and at the end
 * make the stored set equal the source's. Fails only when the lease is lost or the store stays away.
 */
export const runJob = Effect.fn("IndexJob.runJob")(function*(held: Held, options: RunOptions) {
  const { profile } = options
  const store = yield* IndexStore
  const known = Option.getOrNull(profile.dimension) ?? (yield* patiently(store.dimensionOf(Profile.qualified(profile))))
  const run = (
    dimension: number | null,
    movable: boolean
  ): Effect.Effect<Attempt, StoreFailure | LeaseLost, Embedder | IndexStore | Fingerprint | Pacer | Tenant> =>
    attempt(held, options, dimension, movable).pipe(
      Effect.catchTag("SpaceMoved", (moved) => run(moved.dimension, false))
    )
  return yield* run(known, Option.isNone(profile.dimension))
})
