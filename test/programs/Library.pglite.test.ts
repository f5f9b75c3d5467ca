import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { fileURLToPath } from "node:url"
import {
  enqueueInTransaction,
  indexCatalog,
  JobQueue,
  search,
  SearchMode,
  Settings,
  Sha256,
  Sources,
  StoresInMemory,
  Tenant,
  Work,
  workOn
} from "../../src/programs/index.js"
import { script, scripted } from "../support/ScriptedEmbedder.js"

/** The library as an application's own tests use it: the stores in memory, an embedder of the application's own. */

const location = fileURLToPath(new URL("../domain/catalog/fixtures/corners.yaml", import.meta.url))

const House = Layer.mergeAll(StoresInMemory, Sources, Work, Sha256, scripted(script())).pipe(
  Layer.provideMerge(Settings.layer({ max_attempts: 3 }))
)

layer(House, { timeout: "1 minute", excludeTestServices: true })("The library in memory", (it) => {
  it.effect("indexes a description and answers a question with nothing but a location and the question", () =>
    Effect.gen(function*() {
      const { catalog, items, job } = yield* indexCatalog({ location })
      expect((yield* workOn(job.id)).status).toBe("succeeded")
      const { hits } = yield* search({ question: "list", catalog, mode: "semantic", limit: 1000 })
      expect(hits).toHaveLength(items)
    }))

  it.effect("says of a tenant without catalogs that it has none, and of one with catalogs that nothing was found", () =>
    Effect.gen(function*() {
      yield* indexCatalog({ location, name: "unread" })
      for (const mode of SearchMode.literals) {
        const asked = search({ question: "xyzzy", mode })
        expect((yield* Effect.flip(Effect.provideService(asked, Tenant, "nobody"))).message).toBe(
          "The tenant \"nobody\" has no catalogs yet; \"holdfast index <file|url>\" adds one."
        )
      }
      expect((yield* search({ question: "xyzzy", mode: "lexical" })).hits).toEqual([])
    }))

  it.effect("enqueues for the provider of its own embedder", () =>
    Effect.gen(function*() {
      const { catalog, job } = yield* indexCatalog({ location, name: "enqueued" })
      const again = yield* enqueueInTransaction({ source: { kind: "catalog", id: catalog }, provider: "scripted" })
      expect(again.id).toBe(job.id)
    }))

  it.effect("gives a job the tries that the settings say, where the request says nothing", () =>
    Effect.gen(function*() {
      const tries = (request: Parameters<typeof indexCatalog>[0]) =>
        Effect.flatMap(
          indexCatalog(request),
          ({ job }) =>
            Effect.map(Effect.flatMap(JobQueue, (queue) => queue.find(job.id)), ({ maxAttempts }) => maxAttempts)
        )
      expect(yield* tries({ location, name: "by-settings" })).toBe(3)
      expect(yield* tries({ location, name: "by-request", maxAttempts: 7 })).toBe(7)
    }))

  it.effect("refuses a request that cannot be meant, in one sentence, before it reads or stores anything", () =>
    Effect.gen(function*() {
      const refusals = yield* Effect.all([
        Effect.flip(search({ question: "x", limit: -1 })),
        Effect.flip(search({ question: " " })),
        // as a caller in JavaScript may ask
        Effect.flip(search({ question: "x", mode: JSON.parse("\"fuzzy\"") })),
        Effect.flip(indexCatalog({ location: "missing.json", maxAttempts: -3 })),
        Effect.flip(
          enqueueInTransaction({ source: { kind: "catalog", id: "x" }, provider: "scripted", maxAttempts: 0 })
        ),
        Effect.flip(enqueueInTransaction({ source: { kind: "catalog", id: "x" }, provider: "opnai" }))
      ])
      expect(refusals.map(({ _tag, message }) => `${_tag}: ${message}`)).toEqual([
        "RequestProblem: limit is -1; allowed is a whole number from 1 to 1000.",
        "RequestProblem: question is empty; allowed is what you want to find, in plain words.",
        "RequestProblem: mode is \"fuzzy\"; allowed is one of hybrid, lexical, semantic.",
        "RequestProblem: maxAttempts is -3; allowed is a whole number from 1 to 100.",
        "RequestProblem: maxAttempts is 0; allowed is a whole number from 1 to 100.",
        "RequestProblem: provider is \"opnai\"; allowed is one of local, ollama, http, openai, scripted."
      ])
    }))
})
