import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { SearchIndex } from "../../domain/search/SearchIndex.js"
import { Tenant } from "../../domain/store/Tenant.js"
import { incomplete } from "./search/incomplete.js"
import { lexical } from "./search/lexical.js"
import { semantic } from "./search/semantic.js"
import * as SqlFailure from "./SqlFailure.js"
import { bound } from "./Tables.js"

/** Both legs of a search over the stored catalogs, on a server and on PGlite alike. */
export const layer = Layer.effect(
  SearchIndex,
  Effect.gen(function*() {
    const tenant = yield* Tenant
    const withClient = yield* bound

    return SearchIndex.of({
      lexical: Effect.fn("SearchIndex.lexical")((words, filter, limit) =>
        lexical(tenant, words, filter, limit).pipe(SqlFailure.renamed, withClient)
      ),
      semantic: Effect.fn("SearchIndex.semantic")((vector, space, filter, limit) =>
        semantic(tenant, vector, space, filter, limit).pipe(SqlFailure.renamed, withClient)
      ),
      incomplete: Effect.fn("SearchIndex.incomplete")((space, filter) =>
        incomplete(tenant, space, filter).pipe(SqlFailure.renamed, withClient)
      )
    })
  })
)
