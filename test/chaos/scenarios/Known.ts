import * as Effect from "effect/Effect"
import { CatalogStore } from "../../../src/domain/catalog/CatalogStore.js"
import { check, drained, eventually, sources, world } from "../Arena.js"
import type { Expected, Scenario, World } from "../Arena.js"
import { judge, receipts, told, whole } from "../Judge.js"

/** The cases that once went wrong for users, each by itself on worker processes. */

interface JobRow {
  readonly status: string
  readonly attempts: number
  readonly crashes: number
  readonly embedded: number
  readonly reused: number
}

/** The newest job. */
const newest = (here: World) =>
  Effect.map(
    here.sql<JobRow>(
      `select status, attempts, crashes, (detail ->> 'embedded')::int as embedded, (detail ->> 'reused')::int as reused
      from holdfast.job_all order by id desc limit 1`
    ),
    ([row]): JobRow => row ?? { status: "none", attempts: 0, crashes: 0, embedded: 0, reused: 0 }
  )

const calls = (here: World, count: number) =>
  Effect.promise(() => here.embedder.until((seen) => seen.calls.length >= count))

/** One call lasts eight leases, with a second worker there to take the job. */
export const eightLeases: Scenario = {
  name: "compute of eight leases",
  run: Effect.gen(function*() {
    const here = yield* world({ latency: 16_000 })
    const expected = sources(1, 2)
    yield* here.put(expected)
    const settings = { lease_duration: "2s", "embedder.timeout": "60s" }
    yield* Effect.forEach(["one", "two"], (name) => here.worker(name, settings))
    const left = yield* drained(here, 60_000)
    const judgement = yield* judge(here, expected)
    const job = yield* newest(here)
    return {
      told: `${told(judgement)}; ${job.attempts} attempt, ${job.crashes} crashes`,
      checks: [
        ...whole(judgement),
        check("every job ends", left === 0),
        check("it takes one attempt and one call", job.attempts === 1 && here.embedder.seen().calls.length === 1)
      ]
    }
  })
}

/** From the second of three batches on nothing is served until that attempt is over: its batch has been asked for three times. */
const secondBatch: Scenario = {
  name: "failure in batch 2 of 3",
  run: Effect.gen(function*() {
    const here = yield* world()
    const expected = sources(1, 12)
    const [, , , , fifth] = expected
    const own = new Set(expected.map(({ text }) => text))
    const served: Array<string> = []
    let asked = 0
    let refused = 0
    here.embedder.setFault(({ texts }) => {
      if (fifth !== undefined && texts.includes(fifth.text)) asked += 1
      if (asked === 0 || asked > 3) {
        served.push(...texts.filter((text) => own.has(text)))
        return undefined
      }
      refused += 1
      return { kind: "answer", status: 503, body: "{\"detail\":\"model is loading\"}" }
    })
    yield* here.put(expected)
    yield* here.worker("one", { workers: 1, "embedder.concurrency": 1 })
    const left = yield* drained(here, 60_000)
    const judgement = yield* judge(here, expected)
    const { attempts, embedded, reused } = yield* newest(here)
    return {
      told: `${
        told(judgement)
      }; ${attempts} attempts, ${served.length} texts served, ${refused} calls refused, progress ${reused} + ${embedded}`,
      checks: [
        ...whole(judgement),
        check("every job ends", left === 0),
        check("it takes a second attempt", attempts === 2),
        check("no text is served twice", served.length === own.size && new Set(served).size === own.size),
        check("the progress counts what both attempts did", reused + embedded === 12)
      ]
    }
  })
}

/** The embedder is too slow for 32 texts at once, and fast enough for eight. */
const tooMany: Scenario = {
  name: "time-outs at 32",
  run: Effect.gen(function*() {
    const here = yield* world()
    const expected = sources(1, 96)
    here.embedder.setFault(({ texts }) => texts.length > 8 ? { kind: "hang" } : undefined)
    yield* here.put(expected)
    const settings = { workers: 1, "embedder.concurrency": 1, "embedder.timeout": "2s", batch_size: 32 }
    yield* here.worker("one", settings)
    const left = yield* drained(here, 60_000)
    const judgement = yield* judge(here, expected)
    const sizes = here.embedder.seen().calls.map(({ texts }) => texts.length)
    const slow = sizes.filter((size) => size > 8).length
    return {
      told: `${told(judgement)}; calls of ${sizes.join(", ")}`,
      checks: [
        ...whole(judgement),
        check("every job ends", left === 0),
        check("it takes one attempt", judgement.mostAttempts === 1),
        check("each size is found too large once in each lane at most", slow <= 4)
      ]
    }
  })
}

/** One source is edited and another deleted, each while its job runs. */
const editAndDelete: Scenario = {
  name: "edit and delete",
  run: Effect.gen(function*() {
    const here = yield* world({ latency: 300 })
    const [edited, deleted] = [sources(1, 24), sources(2, 24).slice(24)]
    yield* here.put([...edited, ...deleted])
    yield* here.worker("one")
    yield* calls(here, 4)
    const anew = edited.map((one, n): Expected => n % 2 === 0 ? one : { ...one, text: `${one.text}, and is new` })
    yield* here.put(anew)
    yield* here.within(Effect.flatMap(CatalogStore, (store) => store.remove("source-1")))
    const left = yield* drained(here, 60_000)
    // What an edit leaves behind is swept once the job has ended, and what a deletion leaves with the deletion.
    const stray = Effect.map(
      here.sql<{ readonly count: number }>("select count(*)::int as count from holdfast.stray"),
      ([row]) => row?.count ?? 0
    )
    yield* eventually(stray, (count) => count === 0, 10_000)
    const judgement = yield* judge(here, anew, 2)
    const statuses = yield* here.sql<{ readonly key: string; readonly status: string }>(
      "select key, status from holdfast.job_all order by key, id"
    )
    const rest = yield* here.sql("select from holdfast.chunk where source_id = 'source-1'")
    const often = [...receipts(here).values()].filter((times) => times > 1).length
    return {
      told: `${judgement.lost} lost, ${judgement.wrong} wrong, ${judgement.duplicates} duplicate; jobs ${
        statuses.map(({ key, status }) => `${key} ${status}`).join(", ")
      }; ${often} texts embedded again`,
      checks: [
        check("every job ends", left === 0),
        check("nothing is lost, wrong or there twice", judgement.lost + judgement.wrong + judgement.duplicates === 0),
        check(
          "the edited source's job succeeds, the deleted one's is cancelled",
          statuses.map(({ status }) => status).join() === "succeeded,cancelled"
        ),
        check("nothing stays of the deleted source", rest.length === 0),
        check("at most the calls under way are made again", often <= 2 * 4)
      ]
    }
  })
}

/** A forced re-index is killed half way, and goes on where it was. */
const forced: Scenario = {
  name: "forced re-index",
  run: Effect.gen(function*() {
    const here = yield* world({ latency: 100 })
    const expected = sources(1, 60)
    const settings = { workers: 1, batch_size: 2 }
    yield* here.put(expected)
    const first = yield* here.worker("one", settings)
    const plain = yield* drained(here, 30_000)
    const before = here.embedder.seen().calls.length
    yield* here.put(expected, { force: true })
    yield* calls(here, before + 15)
    yield* Effect.zipRight(first.signal("SIGKILL"), first.ended)
    yield* here.worker("two", settings)
    const left = yield* drained(here, 30_000)
    const judgement = yield* judge(here, expected, 2)
    const times = [...receipts(here).values()]
    const [once, often] = [times.filter((count) => count < 2).length, times.filter((count) => count > 2).length]
    // Two calls and the answers that two more lanes have yet to store.
    const bound = 4 * 2
    const { attempts } = yield* newest(here)
    return {
      told: `${told(judgement)}, of which ${expected.length} by force; ${often} a third time, ${attempts} attempt`,
      checks: [
        ...whole(judgement),
        check("every job ends", plain + left === 0),
        check("every text is embedded anew", once === 0),
        check(`at most ${bound} texts are embedded a third time`, often <= bound)
      ]
    }
  })
}

export const known: ReadonlyArray<Scenario> = [secondBatch, tooMany, editAndDelete, forced]
