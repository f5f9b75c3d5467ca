import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { SearchIndex } from "../../../domain/search/SearchIndex.js"
import { Tenant } from "../../../domain/store/Tenant.js"
import { lexical } from "./lexical.js"
import { semantic } from "./semantic.js"
import { served } from "./served.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { bound } from "../driver/Tables.js"
import type { Tables } from "../driver/Tables.js"

/** Both legs of a search over the stored catalogs, on a server and on PGlite alike. */
export const layer = Layer.effect(
  SearchIndex,
  Effect.gen(function*() {
    const withClient = yield* bound
    const ask = <A>(leg: (tenant: string) => Effect.Effect<A, SqlError, SqlClient.SqlClient | Tables>) =>
      Effect.flatMap(Tenant, leg).pipe(SqlFailure.renamed, withClient)

    return SearchIndex.of({
      lexical: Effect.fn("SearchIndex.lexical")((words, filter, limit) =>
        ask((tenant) => lexical(tenant, words, filter, limit))
      ),
      semantic: Effect.fn("SearchIndex.semantic")((vector, space, filter, limit) =>
        ask((tenant) => semantic(tenant, vector, space, filter, limit))
      ),
      served: Effect.fn("SearchIndex.served")((filling, filter) => ask((tenant) => served(tenant, filling, filter)))
    })
  })
)
