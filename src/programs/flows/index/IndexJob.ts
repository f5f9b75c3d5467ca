import * as Chunk from "effect/Chunk"
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
import { toProgress } from "../../../domain/index/IndexJob.js"
import type { HeldSource, ItemCounts } from "../../../domain/index/IndexJob.js"
import { Refusal } from "../../../domain/index/SourceRef.js"
import { Outcome } from "../../../domain/job/Outcome.js"
import type { LeaseLost } from "../../../domain/lease/Lease.js"
import type { Pacer } from "../../../domain/retry/Pacer.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import type { Tenant } from "../../../domain/store/Tenant.js"
import { embedBatch } from "./EmbedBatch.js"
import * as EmbedCall from "./EmbedCall.js"
import type { Calls } from "../work/Paced.js"
import { patiently } from "../work/PatientStore.js"

export interface RunOptions {
  /** Texts per call, at most. */
  readonly batchSize: number
  /** What all jobs of this process share in calling the embedder. */
  readonly calls: Calls
  /** What the store uses: the embedder's own profile, with the dimension where that is known. */
  readonly profile: EmbedderProfile
}

/** A claimed index job: whose it is, its source, and when it is to give way. */
export interface IndexRun {
  readonly held: HeldSource
  readonly stop: Effect.Effect<void>
  /** Hears that the job got on. */
  readonly gotOn: Effect.Effect<void>
}

/** Items that are planned at a time: bounds the memory that a catalog of any size takes. */
const pageSize = 500

interface Answer {
  readonly vectors: ReadonlyArray<NewVector>
  readonly stored: Deferred.Deferred<void, StoreFailure | LeaseLost>
}

/** What the lanes of one pass share. The permit makes each write see the assembly as the last one left it. */
interface Shared {
  readonly run: IndexRun
  readonly pass: EmbedCall.Pass
  readonly space: Effect.Effect<VectorSpace>
  readonly assembly: Assembly.Assembly
  readonly counts: Ref.Ref<ItemCounts>
  readonly writing: Effect.Semaphore
  /** Answers that wait for the permit. */
  readonly waiting: Array<Answer>
}

const counted = (counts: ItemCounts, more: Partial<ItemCounts>): ItemCounts => ({
  items: counts.items,
  embedded: counts.embedded + (more.embedded ?? 0),
  reused: counts.reused + (more.reused ?? 0),
  refused: counts.refused + (more.refused ?? 0)
})

const write = Effect.fnUntraced(function*(shared: Shared, batch: Omit<Batch, "progress">, more: Partial<ItemCounts>) {
  const store = yield* IndexStore
  const counts = counted(yield* Ref.get(shared.counts), more)
  yield* patiently(store.persist(shared.run.held, yield* shared.space, { ...batch, progress: toProgress(counts) }))
  yield* Ref.set(shared.counts, counts)
  yield* shared.run.gotOn
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
  const page = yield* patiently(store.pending(shared.run.held, space, after, pageSize))
  const items = page.map((item) => EmbeddingPlan.chunked(item, embedder.chunkWords, hashOf))
  const hashes = [...new Set(items.flatMap((item) => item.chunks.map((chunk) => chunk.hash)))]
  // Under the permit: a text that is stored between the question and the plan would be asked for twice.
  return yield* shared.writing.withPermits(1)(Effect.gen(function*() {
    const stored = yield* patiently(store.known(shared.run.held, space, hashes))
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

/** What an operator reads of a source that is indexed. */
const said = ({ source: { id, kind } }: HeldSource, { embedded, items, refused, reused }: ItemCounts): string =>
  `Indexed ${kind} ${id}: ${items} items, ${embedded} embedded, ${reused} reused, ${refused} refused`

const attempt = Effect.fnUntraced(function*(
  run: IndexRun,
  options: RunOptions,
  known: number | null,
  movable: boolean
) {
  const store = yield* IndexStore
  const { held } = run
  const halt = yield* Deferred.make<void>()
  const ending = yield* Deferred.make<Outcome>()
  const dimension = yield* Ref.make(known)
  const space = Effect.map(Ref.get(dimension), (found) => Profile.spaceOf(options.profile, found ?? 0))
  const there = yield* patiently(store.counts(held, yield* space))
  const shared: Shared = {
    run,
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
    counts: yield* Ref.make<ItemCounts>({
      items: there.items,
      reused: there.current,
      refused: there.refused,
      embedded: 0
    }),
    writing: yield* Effect.makeSemaphore(1),
    waiting: []
  }
  yield* Effect.forkScoped(Effect.zipRight(run.stop, Deferred.succeed(halt, undefined)))
  yield* embedAll(shared, options.batchSize, halt, ending)
  const ended = yield* Deferred.poll(ending)
  if (Option.isSome(ended)) return yield* ended.value
  if (yield* Deferred.isDone(halt)) return Outcome.Released()
  const counts = yield* Ref.get(shared.counts)
  switch (yield* patiently(store.equalise(held, yield* space, toProgress(counts)))) {
    case "complete":
      yield* Effect.logInfo(said(held, counts))
      return Outcome.Completed({ output: null, partial: counts.refused > 0 })
    case "incomplete":
      // Items came meanwhile, or the store moves to another embedder: what was done stands, and the rest is another pass's.
      return Outcome.Released()
    case "gone":
      return Outcome.Cancelled()
  }
}, Effect.scoped)

/**
 * One attempt at an index job: plan what is new, embed it batch by batch, store each batch under the fence, and at the end
 * make the stored set equal the source's. Fails only when the lease is lost or the store stays away.
 */
export const runJob = Effect.fn("IndexJob.runJob")(function*(run: IndexRun, options: RunOptions) {
  const { profile } = options
  const store = yield* IndexStore
  const known = Option.getOrNull(profile.dimension) ?? (yield* patiently(store.dimensionOf(Profile.qualified(profile))))
  const tried = (
    dimension: number | null,
    movable: boolean
  ): Effect.Effect<Outcome, StoreFailure | LeaseLost, Embedder | IndexStore | Fingerprint | Pacer | Tenant> =>
    attempt(run, options, dimension, movable).pipe(
      Effect.catchTag("SpaceMoved", (moved) => tried(moved.dimension, false))
    )
  return yield* tried(known, Option.isNone(profile.dimension))
})
