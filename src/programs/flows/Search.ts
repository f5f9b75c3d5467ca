import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { CatalogStore } from "../../domain/catalog/CatalogStore.js"
import type { CatalogNotFound } from "../../domain/catalog/CatalogStore.js"
import { Embedder } from "../../domain/embedding/Embedder.js"
import * as Text from "../../domain/embedding/Text.js"
import { classify } from "../../domain/failure/classify.js"
import { consequence, userMessage } from "../../domain/failure/Consequence.js"
import { isFailure, RateLimited } from "../../domain/failure/Failure.js"
import type { Failure } from "../../domain/failure/Failure.js"
import { Work } from "../../domain/failure/Work.js"
import { Pacer, unpaced } from "../../domain/retry/Pacer.js"
import * as RetryPolicy from "../../domain/retry/RetryPolicy.js"
import { fuse, single } from "../../domain/search/fuse.js"
import * as Request from "../../domain/request/RequestProblem.js"
import type { RequestProblem } from "../../domain/request/RequestProblem.js"
import { SearchAnswer, SearchMode } from "../../domain/search/Query.js"
import { SearchIndex } from "../../domain/search/SearchIndex.js"
import type { SearchFilter } from "../../domain/search/SearchIndex.js"
import { findable } from "../../domain/text/Findable.js"
import { GateShut, holds } from "../../domain/session/Gate.js"
import { Gates } from "../../domain/session/Gates.js"
import type { StoreFailure } from "../../domain/store/StoreFailure.js"
import type { Tenant } from "../../domain/store/Tenant.js"
import * as Paced from "./Paced.js"

export interface SearchRequest {
  readonly question: string
  /** Only this catalog; all of them where it is not given. */
  readonly catalog?: string | undefined
  /** Default hybrid. */
  readonly mode?: SearchMode | undefined
  /** Hits, at most. Default 10. */
  readonly limit?: number | undefined
}

/** What may keep a question from being answered. `Failure` and `GateShut` come from a search by meaning alone. */
export type SearchError = RequestProblem | CatalogNotFound | StoreFailure | Failure | GateShut

/** A person waits for the answer: past this the full-text leg answers alone. */
const questionTimeout = Duration.seconds(10)

/** A cooldown that lasts longer is not waited for. */
const patience = Duration.seconds(2)

/** What a refusal without a named wait is taken to ask for. */
const unnamedWait = RetryPolicy.ceiling(RetryPolicy.request, 1)

/** How deep each leg looks before both are fused. */
const depth = (limit: number) => Math.max(50, limit * 4)

/** One request at its turn. A refusal that asks to wait is told to everyone. */
const ask = Effect.fnUntraced(function*(question: string) {
  const { embed, provider } = yield* Embedder
  const pacer = yield* Pacer
  const cycle = (yield* pacer.isFree(provider)) ? unpaced : yield* Paced.turn(provider, patience, Effect.sleep).pipe(
    Effect.catchTag(
      "Cooling",
      ({ wait }) => new RateLimited({ provider, detail: "It asked everyone to wait.", retryAfter: wait })
    )
  )
  return yield* Effect.tapError(embed([question]), (failure) => {
    const { action } = consequence(failure, Work.Request({ malformedTries: 0 }))
    return action._tag === "Wait"
      ? pacer.refused(provider, cycle, Option.getOrElse(action.delay, () => unnamedWait))
      : Effect.void
  })
})

/** The question as a vector. Asks nobody while the provider's gate is closed, or while it cools down. */
const vectorOf = Effect.fnUntraced(function*(question: string) {
  const embedder = yield* Embedder
  const gates = yield* Gates
  const about = { provider: embedder.provider, surface: "embed", auth: "none" } as const
  const shut = (yield* gates.closed).find((gate) => holds(gate, embedder.provider))
  if (shut !== undefined) return yield* new GateShut({ ...shut.ref, reason: shut.reason })
  const [text = question] = Text.chunks(question, embedder.chunkWords)
  return yield* RetryPolicy.retryRequest(ask(text)).pipe(
    Effect.timeoutFail({
      duration: questionTimeout,
      onTimeout: (): Failure => classify({ ...about, timedOutAfter: Duration.toMillis(questionTimeout) })
    }),
    Effect.map((vectors) => vectors[0] ?? [])
  )
})

/** The leg of meaning, with a word about what it could not see. */
const semanticLeg = Effect.fnUntraced(function*(question: string, filter: SearchFilter, limit: number) {
  const embedder = yield* Embedder
  const index = yield* SearchIndex
  const vector = yield* vectorOf(question)
  const space = { model: embedder.model, dimension: vector.length }
  const hits = yield* index.semantic(vector, space, filter, limit)
  const incomplete = yield* index.incomplete(space, filter)
  const reason = incomplete.length === 0
    ? null
    : `not all of ${incomplete.join(", ")} is indexed with ${space.model} yet`
  return { hits, reason }
})

const reasonOf = (failure: Failure | GateShut): string =>
  failure._tag === "GateShut" ? failure.message : userMessage(failure)

const degradedBy = (reason: string | null) => reason === null ? null : { reason }

/**
 * Find the operations that answer a question in plain words. A hybrid search goes on without its vectors when the embedder
 * cannot serve, and says so in `degraded`; a semantic one fails instead.
 */
export const search = Effect.fn("Search.search")(function*(
  request: SearchRequest
): Effect.fn.Return<SearchAnswer, SearchError, SearchIndex | CatalogStore | Embedder | Gates | Pacer | Tenant> {
  const asked = yield* Request.filled("question", request.question, "what you want to find, in plain words")
  const question = findable(asked)
  const limit = yield* Request.whole("limit", request.limit ?? 10, 1, 1000)
  const mode = yield* Request.oneOf("mode", request.mode ?? "hybrid", SearchMode.literals)
  const index = yield* SearchIndex
  const catalog = Option.fromNullable(request.catalog)
  const filter: SearchFilter = Option.match(catalog, { onNone: () => ({}), onSome: (name) => ({ catalog: name }) })
  yield* Effect.transposeMapOption(catalog, (name) => Effect.flatMap(CatalogStore, (store) => store.find(name)))
  if (mode === "lexical") {
    const hits = single("lexical", yield* index.lexical(question, filter, limit))
    return SearchAnswer.make({ hits, mode, degraded: null })
  }
  if (mode === "semantic") {
    const { hits, reason } = yield* semanticLeg(question, filter, limit)
    return SearchAnswer.make({ hits: single("semantic", hits), mode, degraded: degradedBy(reason) })
  }
  const semantic = semanticLeg(question, filter, depth(limit)).pipe(
    Effect.catchIf(
      (error): error is Failure | GateShut => error._tag === "GateShut" || isFailure(error),
      (error) => Effect.succeed({ hits: [], reason: reasonOf(error) })
    )
  )
  const legs = yield* Effect.all({ lexical: index.lexical(question, filter, depth(limit)), semantic }, {
    concurrency: 2
  })
  const hits = fuse({ lexical: legs.lexical, semantic: legs.semantic.hits }, limit)
  return SearchAnswer.make({ hits, mode, degraded: degradedBy(legs.semantic.reason) })
})
