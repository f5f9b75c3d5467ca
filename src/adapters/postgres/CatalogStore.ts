import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CatalogNotFound, CatalogStore, type NewCatalog } from "../../domain/catalog/CatalogStore.js"
import type { IndexRequest } from "../../domain/catalog/CatalogStore.js"
import { SourceRef } from "../../domain/job/Job.js"
import { Tenant } from "../../domain/store/Tenant.js"
import { catalogs } from "./index/catalogs.js"
import { remove } from "./index/complete.js"
import { put, teachPlanner } from "./index/put.js"
import { forget } from "./index/refusals.js"
import * as Source from "./index/source.js"
import * as Stray from "./index/stray.js"
import { cancelSource } from "./jobQueue/control.js"
import { enqueue } from "./jobQueue/enqueue.js"
import * as SqlFailure from "./SqlFailure.js"
import { transact } from "./transact.js"
import { bound, Tables } from "./Tables.js"

const sourceOf = (name: string): SourceRef => SourceRef.make({ kind: "catalog", id: name })

const stored = Effect.fnUntraced(function*(tenant: string, catalog: NewCatalog, request: IndexRequest) {
  const source = sourceOf(catalog.name)
  yield* Source.lock(tenant, source)
  yield* put(tenant, source, catalog)
  if (request.retryRefused === true) yield* forget(tenant, source)
  return yield* enqueue(yield* SqlClient.SqlClient, yield* Tables, tenant, { source, ...request })
})

/** The job comes first, so that its holder's writes are refused from the moment at which the rows begin to go. */
const removed = Effect.fnUntraced(function*(tenant: string, name: string) {
  const source = sourceOf(name)
  yield* Source.lock(tenant, source)
  yield* cancelSource(tenant, source)
  if (!(yield* remove(tenant, source))) return yield* new CatalogNotFound({ name })
})

/** The stored catalogs, on a server and on PGlite alike. */
export const layer = Layer.effect(
  CatalogStore,
  Effect.gen(function*() {
    const tenant = yield* Tenant
    const withClient = yield* bound

    /** The catalog is gone already: garbage that stays is swept after the next job. */
    const sweep = Stray.sweep(tenant).pipe(
      Effect.catchAll((failure) => Effect.logWarning(`Unused vectors were left for later: ${failure.message}`))
    )

    return CatalogStore.of({
      put: Effect.fn("CatalogStore.put")((catalog, request) =>
        transact(stored(tenant, catalog, request)).pipe(
          Effect.zipLeft(teachPlanner(catalog.items.length)),
          withClient
        )
      ),
      list: catalogs(tenant).pipe(SqlFailure.renamed, withClient, Effect.withSpan("CatalogStore.list")),
      find: Effect.fn("CatalogStore.find")(function*(name) {
        const [found] = yield* catalogs(tenant, name).pipe(SqlFailure.renamed, withClient)
        return found ?? (yield* new CatalogNotFound({ name }))
      }),
      remove: Effect.fn("CatalogStore.remove")((name) =>
        transact(removed(tenant, name)).pipe(Effect.zipRight(sweep), withClient)
      )
    })
  })
)
