import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { CatalogStore, NoCatalogs } from "../../../domain/catalog/CatalogStore.js"
import type { CatalogNotFound } from "../../../domain/catalog/CatalogStore.js"
import type { Embedder } from "../../../domain/index/Embedder.js"
import type { StoreEmbedder } from "../../../domain/index/StoreEmbedder.js"
import type { Failure } from "../../../domain/failure/Failure.js"
import * as Request from "../../../domain/request/RequestProblem.js"
import type { RequestProblem } from "../../../domain/request/RequestProblem.js"
import type { Pacer } from "../../../domain/retry/Pacer.js"
import { fuse, meant, single } from "../../../domain/search/fuse.js"
import { SearchAnswer, SearchMode } from "../../../domain/search/Query.js"
import { SearchIndex } from "../../../domain/search/SearchIndex.js"
import type { SearchFilter } from "../../../domain/search/SearchIndex.js"
import { findable } from "../../../domain/text/Findable.js"
import type { GateShut } from "../../../domain/session/Gate.js"
import type { Gates } from "../../../domain/session/Gates.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import { Tenant } from "../../../domain/store/Tenant.js"
import { byMeaning } from "./SearchByMeaning.js"

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
export type SearchError = RequestProblem | CatalogNotFound | NoCatalogs | StoreFailure | Failure | GateShut

type SearchNeeds = SearchIndex | CatalogStore | Embedder | StoreEmbedder | Gates | Pacer | Tenant

/** How deep each leg looks before both are fused. */
const depth = (limit: number) => Math.max(50, limit * 4)

const degradedBy = (reasons: ReadonlyArray<string>) => reasons.length === 0 ? null : { reason: reasons.join("; ") }

/** The hits of each leg that the mode asks for, fused. */
const answer = Effect.fnUntraced(function*(
  request: SearchRequest
): Effect.fn.Return<SearchAnswer, SearchError, SearchNeeds> {
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
    const { failed, hits, reasons } = yield* byMeaning(question, filter, limit)
    if (hits.length === 0 && Option.isSome(failed)) return yield* failed.value
    return SearchAnswer.make({ hits: meant(hits, limit), mode, degraded: degradedBy(reasons) })
  }
  const legs = yield* Effect.all({
    lexical: index.lexical(question, filter, depth(limit)),
    semantic: byMeaning(question, filter, depth(limit))
  }, { concurrency: 2 })
  const hits = fuse({ lexical: legs.lexical, semantic: legs.semantic.hits }, limit)
  return SearchAnswer.make({ hits, mode, degraded: degradedBy(legs.semantic.reasons) })
})

/** Asked only where nothing was found, so that it costs no answer anything. */
const anyCatalog = Effect.gen(function*() {
  const catalogs = yield* Effect.flatMap(CatalogStore, (store) => store.list)
  if (catalogs.length === 0) return yield* new NoCatalogs({ tenant: yield* Tenant })
})

/**
 * Find the operations that answer a question in plain words. A hybrid search goes on without its vectors when no embedder can
 * serve, and says so in `degraded`; a semantic one fails instead. Catalogs that cannot be asked are named there too. Where the
 * tenant has no catalog at all it fails with NoCatalogs: to have found nothing means something else.
 */
export const search = Effect.fn("Search.search")((request: SearchRequest) =>
  Effect.tap(answer(request), ({ hits }) => hits.length === 0 ? anyCatalog : Effect.void)
)
