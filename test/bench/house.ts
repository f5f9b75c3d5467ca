import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Embedder } from "../../src/domain/index/Embedder.js"
import * as Fingerprint from "../../src/adapters/crypto/Fingerprint.js"
import { CatalogName, CatalogStore } from "../../src/domain/catalog/CatalogStore.js"
import type { NewCatalog } from "../../src/domain/catalog/CatalogStore.js"
import { workOn } from "../../src/programs/flows/index/IndexWorker.js"
import * as Settings from "../../src/programs/Settings.js"
import { Stores, Work } from "../../src/programs/Wiring.js"

/** holdfast with an embedder of the bench's own. */
export const house = (
  embedder: Layer.Layer<Embedder>,
  settings: Parameters<typeof Settings.layer>[0]
) => Layer.mergeAll(Stores, Work, Fingerprint.layer, embedder).pipe(Layer.provideMerge(Settings.layer(settings)))

/** A catalog of so many operations, no two alike. */
export const catalogOf = (name: string, size: number, words = 30): NewCatalog => ({
  name: CatalogName.make(name),
  location: "made by the bench",
  title: name,
  version: "1",
  revision: `${size}`,
  items: Array.from({ length: size }, (_, n) => ({
    id: `operation-${n}`,
    method: "GET",
    path: `/things/${n}`,
    summary: `Get thing number ${n}`,
    text: `Get thing number ${n} of ${name}. ${
      Array.from({ length: words }, (_, k) => `word${(n * 31 + k * 7) % 997}`).join(" ")
    }`,
    lexical: { a: `Get thing number ${n}`, b: `things ${n}`, c: "" }
  }))
})

/** Store the catalog and run its job in this process. Answers the job and the milliseconds that the run took. */
export const index = (catalog: NewCatalog, force = false) =>
  Effect.gen(function*() {
    const store = yield* CatalogStore
    const job = yield* store.put(catalog, { provider: "fake", maxAttempts: 5, force })
    const [took, ended] = yield* Effect.timed(workOn(job.id))
    return { job: ended, took }
  })
