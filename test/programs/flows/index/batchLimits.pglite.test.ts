import { expect, layer } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as OpenAiEmbedder from "../../../../src/adapters/openai/OpenAiEmbedder.js"
import { all } from "../../../../src/adapters/postgres/migrations/all.js"
import { countsOf } from "../../../../src/domain/index/IndexJob.js"
import { Embedder } from "../../../../src/domain/index/Embedder.js"
import { workOn } from "../../../../src/programs/flows/index/IndexWorker.js"
import { pglite } from "../../../support/Databases.js"
import { embedderOf } from "../../../support/Embedders.js"
import type { Fault } from "../../../support/FaultyServer.js"
import { house, settings } from "../../../support/House.js"
import { catalog, freshTenant, put } from "../../../support/Indexing.js"
import { openAiServer } from "../../../support/OpenAiServer.js"
import { script } from "../../../support/ScriptedEmbedder.js"

/** Servers take fewer texts a call than the settings send, and say so each in their own words. */
const servers: ReadonlyArray<readonly [name: string, most: number, refusal: (texts: number) => Fault]> = [
  ["text-embeddings-inference", 32, (texts) => ({
    kind: "answer",
    status: 422,
    body: JSON.stringify({ error: `batch size ${texts} > maximum allowed batch size 32`, error_type: "Validation" })
  })],
  ["Cohere", 96, () => ({
    kind: "answer",
    status: 400,
    body: JSON.stringify({ message: "invalid request: total number of texts must be at most 96" })
  })],
  ["DashScope", 10, () => ({
    kind: "answer",
    status: 400,
    body: JSON.stringify({
      error: {
        message:
          "<400> InternalError.Algo.InvalidParameter: Value error, batch size is invalid, it should not be larger than 10.: input.contents",
        type: "InvalidParameter",
        code: "InvalidParameter"
      }
    })
  })],
  ["a proxy with a bound for bodies", 20, () => ({
    kind: "answer",
    status: 413,
    body: "<html><head><title>413 Request Entity Too Large</title></head><body></body></html>",
    headers: { "content-type": "text/html" }
  })]
]

const count = 640

const texts = Object.fromEntries(Array.from({ length: count }, (_, n) => [`op${n}`, `reads the page number ${n}`]))

layer(pglite.fresh(all), { timeout: "2 minutes", excludeTestServices: true })(
  "A server that takes fewer texts a call than it is sent",
  (it) => {
    it.effect.each(servers)("%s gets smaller calls, and each text once", ([, most, refusal]) => {
      const tenant = freshTenant()
      return Effect.scoped(Effect.gen(function*() {
        const server = yield* openAiServer({
          fault: ({ texts }) => texts.length > most ? refusal(texts.length) : undefined
        })
        const embedder = yield* embedderOf(OpenAiEmbedder.layer, { kind: "openai", url: server.url })
        const job = yield* put(catalog("pages", texts), { provider: "openai", maxAttempts: 1, force: false }).pipe(
          Effect.flatMap(({ id }) => workOn(id)),
          Effect.provideService(Embedder, embedder),
          Effect.provide(house(script(), {}, tenant, settings({ batchSize: 128, pollInterval: Duration.millis(200) })))
        )
        expect([job.status, countsOf(job.progress).embedded]).toEqual(["succeeded", count])
        const { calls } = server.seen()
        const served = calls.filter(({ texts }) => texts.length <= most).flatMap(({ texts }) => texts)
        expect(served.toSorted()).toEqual(Object.values(texts).toSorted())
        // Beside the calls of half the bound's size at least, each of the lanes learns it for itself.
        const lanes = 2 * embedder.concurrency
        const halvings = Math.ceil(Math.log2(128 / most))
        expect(calls.length).toBeLessThanOrEqual(Math.ceil(count / (most / 2)) + lanes * 2 ** halvings)
      }))
    })
  }
)
