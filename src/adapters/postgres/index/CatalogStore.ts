import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { CatalogNotFound, CatalogStore, type NewCatalog } from "../../../domain/catalog/CatalogStore.js"
import type { IndexRequest } from "../../../domain/catalog/CatalogStore.js"
import * as IndexJob from "../../../domain/index/IndexJob.js"
import { Tenant } from "../../../domain/store/Tenant.js"
import { nearest } from "../../../domain/text/nearest.js"
import { catalogs, names } from "./catalogs.js"
import { enqueue } from "./enqueue.js"
import { remove } from "./equalise.js"
import { put, teachPlanner } from "./put.js"
import { forget } from "./refusals.js"
import * as SourceLock from "./source.js"
import * as Stray from "./strayVectors.js"
import { archiveKey, cancelKey } from "../jobs/control.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { bound } from "../driver/Tables.js"
import { transact } from "../driver/transact.js"

const sourceOf = (name: string): IndexJob.Source => ({ kind: "catalog", id: name })

const stored = Effect.fnUntraced(function*(catalog: NewCatalog, request: IndexRequest) {
  const tenant = yield* Tenant
  const source = sourceOf(catalog.name)
  yield* SourceLock.lock(tenant, source)
  yield* put(tenant, source, catalog)
  if (request.retryRefused === true) yield* forget(tenant, source)
  return yield* enqueue(tenant, { source, revision: catalog.revision, ...request })
})

const notFound = Effect.fnUntraced(function*(tenant: string, name: string) {
  const meant = nearest(name, yield* names(tenant))
  return yield* new CatalogNotFound({ name, ...(Option.isSome(meant) ? { nearest: meant.value } : {}) })
})

/** The job comes first, so that its holder's writes are refused from the moment at which the rows begin to go. */
const removed = Effect.fnUntraced(function*(name: string) {
  const tenant = yield* Tenant
  const source = sourceOf(name)
  yield* SourceLock.lock(tenant, source)
  yield* cancelKey(tenant, IndexJob.kind, IndexJob.keyOf(source))
  yield* archiveKey(tenant, IndexJob.kind, IndexJob.keyOf(source))
  if (!(yield* remove(tenant, source))) return yield* notFound(tenant, name)
})

/** The catalog is gone already: garbage that stays is swept after the next job. */
const sweep = Effect.flatMap(Tenant, Stray.sweep).pipe(
  Effect.catchAll((failure) => Effect.logWarning(`Unused vectors were left for later: ${failure.message}`))
)

const stands = (name?: string) => SqlFailure.renamed(Effect.flatMap(Tenant, (tenant) => catalogs(tenant, name)))

/** The stored catalogs, on a server and on PGlite alike. */
export const layer = Layer.effect(
  CatalogStore,
  Effect.map(bound, (withClient) =>
    CatalogStore.of({
      put: Effect.fn("CatalogStore.put")((catalog, request) =>
        transact(stored(catalog, request)).pipe(
          Effect.zipLeft(teachPlanner(catalog.items.length)),
          withClient
        )
      ),
      list: stands().pipe(withClient, Effect.withSpan("CatalogStore.list")),
      find: Effect.fn("CatalogStore.find")(function*(name) {
        const [found] = yield* withClient(stands(name))
        return found ?? (yield* withClient(SqlFailure.renamed(notFound(yield* Tenant, name))))
      }),
      remove: Effect.fn("CatalogStore.remove")((name) =>
        transact(removed(name)).pipe(Effect.zipRight(sweep), withClient)
      )
    }))
)
