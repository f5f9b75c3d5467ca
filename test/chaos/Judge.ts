import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Record from "effect/Record"
import { textVector } from "../support/TextVectors.js"
import { check, sha } from "./Arena.js"
import type { Check, Expected, World } from "./Arena.js"

/** What the rows, the receipts and the expected vectors say together. */
export interface Judgement {
  readonly items: number
  /** Items without the chunk and the vector of their text. */
  readonly lost: number
  /** Rows that should not be there: chunks, vectors, jobs. */
  readonly duplicates: number
  /** Vectors that are not their text's. */
  readonly wrong: number
  /** Texts asked of the embedder beyond the first time. */
  readonly again: number
  readonly asked: number
  readonly statuses: Readonly<Record<string, number>>
  readonly mostAttempts: number
  readonly mostCrashes: number
}

interface ChunkRow {
  readonly source_id: string
  readonly item_id: string
  readonly ordinal: number
  readonly item_hash: string
  readonly text_hash: string
  readonly vector: string | null
}

interface JobRow {
  readonly status: string
  readonly attempts: number
  readonly crashes: number
}

const cosine = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number =>
  a.reduce((sum, x, index) => sum + x * (b[index] ?? 0), 0) / (Math.hypot(...a) * Math.hypot(...b))

const numbers = (written: string): ReadonlyArray<number> => written.slice(1, -1).split(",").map(Number)

const isRight = (written: string, text: string): boolean => {
  const stored = numbers(written)
  return cosine(stored, textVector(text, stored.length)) > 0.9999
}

/** How often each text was asked for: the embedder's own receipts. */
export const receipts = (world: World): ReadonlyMap<string, number> => {
  const times = new Map<string, number>()
  for (const { texts } of world.embedder.seen().calls) {
    for (const text of texts) times.set(text, (times.get(text) ?? 0) + 1)
  }
  return times
}

/** One job a source, unless more are due. */
export const judge = (
  world: World,
  expected: ReadonlyArray<Expected>,
  due = new Set(expected.map(({ source }) => source)).size
): Effect.Effect<Judgement> =>
  Effect.gen(function*() {
    const chunks = yield* world.sql<ChunkRow>(
      `select c.source_id, c.item_id, c.ordinal, c.item_hash, c.text_hash, e.vector::text as vector
      from holdfast.chunk c left join holdfast.embedding e using (tenant, model, dimension, text_hash)`
    )
    const vectors = yield* world.sql<{ readonly count: number }>(
      "select count(*)::int as count from holdfast.embedding"
    )
    const jobs = yield* world.sql<JobRow>("select status, attempts, crashes from holdfast.job_all")
    const found = Array.groupBy(chunks, ({ item_id, source_id }) => `${source_id}/${item_id}`)
    const texts = new Set(expected.map(({ text }) => text))
    const count = { lost: 0, wrong: 0 }
    for (const { item, source, text } of expected) {
      const [chunk] = found[`${source}/${item}`] ?? []
      const hash = sha(text)
      if (chunk?.vector == null || chunk.item_hash !== hash || chunk.text_hash !== hash) count.lost += 1
      else if (!isRight(chunk.vector, text)) count.wrong += 1
    }
    const asked = [...receipts(world).values()]
    return {
      ...count,
      items: expected.length,
      duplicates: Math.max(0, chunks.length - expected.length) + Math.max(0, (vectors[0]?.count ?? 0) - texts.size) +
        Math.max(0, jobs.length - due),
      again: asked.reduce((sum, times) => sum + times - 1, 0),
      asked: asked.length,
      statuses: Record.map(Array.groupBy(jobs, ({ status }) => status), (all) => all.length),
      mostAttempts: Math.max(0, ...jobs.map(({ attempts }) => attempts)),
      mostCrashes: Math.max(0, ...jobs.map(({ crashes }) => crashes))
    }
  })

/** What must hold in every scenario whose jobs all end well. */
export const whole = (judgement: Judgement): ReadonlyArray<Check> => [
  check("nothing is lost", judgement.lost === 0),
  check("no row is there twice", judgement.duplicates === 0),
  check("every vector is its text's", judgement.wrong === 0),
  check("every job succeeded", Object.keys(judgement.statuses).join() === "succeeded")
]

/** The judgement in a line. */
export const told = ({ again, duplicates, items, lost, statuses, wrong }: Judgement): string =>
  `${
    Object.entries(statuses).map(([status, count]) => `${count} ${status}`).join(", ")
  }; ${items} items: ${lost} lost, ${duplicates} duplicate, ${wrong} wrong, ${again} texts embedded again`
