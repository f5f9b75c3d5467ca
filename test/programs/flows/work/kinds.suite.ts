import * as SqlClient from "@effect/sql/SqlClient"
import { expect, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { all } from "../../../../src/adapters/postgres/migrations/all.js"
import { Reporter } from "../../../../src/domain/failure/Reporter.js"
import type { Incident } from "../../../../src/domain/failure/Reporter.js"
import type { JobId } from "../../../../src/domain/job/Job.js"
import * as JobKind from "../../../../src/domain/job/JobKind.js"
import { JobQueue } from "../../../../src/domain/job/JobQueue.js"
import { Tenant } from "../../../../src/domain/store/Tenant.js"
import * as IndexWorker from "../../../../src/programs/flows/index/IndexWorker.js"
import * as Jobs from "../../../../src/programs/flows/work/Jobs.js"
import * as Worker from "../../../../src/programs/flows/work/Worker.js"
import type { Backend } from "../../../support/Databases.js"
import { house, settings } from "../../../support/House.js"
import { catalog, put } from "../../../support/Indexing.js"
import { script, serve } from "../../../support/ScriptedEmbedder.js"
import type { Answer } from "../../../support/ScriptedEmbedder.js"

/** What the next call of a kind's work meets: it is done, waits until the test lets it go, or meets a bug in the handler. */
type Plan = "serve" | "hold" | "bug"

/** How a test steers the work of a kind, and sees it begin. */
interface Steering {
  plan: Plan
  readonly begun: Deferred.Deferred<void>
  readonly go: Deferred.Deferred<void>
}

const steering = Effect.map(
  Effect.all([Deferred.make<void>(), Deferred.make<void>()]),
  ([begun, go]): Steering => ({ plan: "serve", begun, go })
)

/** A bug meets one call; what comes after it is served. */
const next = (steered: Steering): Plan => {
  const { plan } = steered
  if (plan === "bug") steered.plan = "serve"
  return plan
}

const meets = (steered: Steering) =>
  Effect.suspend(() => {
    switch (next(steered)) {
      case "serve":
        return Effect.void
      case "hold":
        return Effect.zipRight(Deferred.succeed(steered.begun, undefined), Deferred.await(steered.go))
      case "bug":
        return Effect.dieMessage("a bug of the kind's own")
    }
  })

type House = Layer.Layer.Success<ReturnType<typeof house>>
type Database = SqlClient.SqlClient

/** A kind of job as this suite sees it. */
interface Subject {
  readonly name: string
  readonly house: (steered: Steering) => ReturnType<typeof house>
  /** Ask for the nth job. */
  readonly enqueue: (n: number) => Effect.Effect<JobId, unknown, House | Database>
  readonly workUntil: <A, E>(over: Effect.Effect<A, E, House | Database>) => Effect.Effect<A, unknown, House | Database>
  readonly output: unknown
  /** Rows that its work has left behind. */
  readonly written: Effect.Effect<number, unknown, House | Database>
}

const counted = (table: string) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [row] = yield* sql<{ readonly count: number }>`
      select count(*) as count from ${sql.literal(table)} where tenant = ${yield* Tenant}`
    return row?.count ?? 0
  })

const slow = settings({ workers: 2, grace: Duration.millis(200), pollInterval: Duration.millis(200) })

const withKind = (kind: (steered: Steering) => Layer.Layer<never, never, House | Database>) => (steered: Steering) => {
  const base = house(script(), {}, undefined, slow)
  return Layer.provideMerge(kind(steered), base) as typeof base // it adds nothing but a handler to the registry
}

const Plain = JobKind.make("plain", {
  payload: Schema.Struct({ n: Schema.Int }),
  success: Schema.Struct({ doubled: Schema.Int }),
  key: ({ n }) => String(n)
})

/** Its one write is made under the fence. */
const plain: Subject = {
  name: "a kind that writes under the fence",
  house: withKind((steered) =>
    Plain.toLayer(Effect.fnUntraced(function*({ n }, { fenced, job }) {
      const sql = yield* SqlClient.SqlClient
      yield* meets(steered)
      yield* fenced(
        Effect.orDie(sql`insert into witness (tenant, job) values (${yield* Tenant}, ${job.id})`),
        { done: 1, total: 1, detail: {} }
      )
      return { doubled: 2 * n }
    }))
  ),
  enqueue: (n) => Effect.map(Plain.enqueue({ n }), ({ id }) => id),
  workUntil: (over) => Worker.workUntil(over),
  output: { doubled: 2 },
  written: counted("witness")
}

const Stepped = JobKind.make("stepped", {
  payload: Schema.Struct({ n: Schema.Int }),
  success: Schema.String,
  key: ({ n }) => String(n)
})

/** Its work is a step. */
const stepped: Subject = {
  name: "a kind of steps",
  house: withKind((steered) =>
    Stepped.toLayer(Effect.fnUntraced(function*({ n }, { step }) {
      const draft = yield* step("draft", Schema.Int, Effect.as(meets(steered), n + 1))
      return `draft ${draft}`
    }))
  ),
  enqueue: (n) => Effect.map(Stepped.enqueue({ n }), ({ id }) => id),
  workUntil: (over) => Worker.workUntil(over),
  output: "draft 2",
  written: counted("holdfast.job_step")
}

const answerOf = (steered: Steering): Answer => {
  switch (next(steered)) {
    case "serve":
      return serve
    case "hold":
      return { _tag: "Hold", begun: steered.begun, until: steered.go }
    case "bug":
      throw new Error("a bug of the kind's own")
  }
}

const index: Subject = {
  name: "the kind index",
  house: (steered) => house(script(() => answerOf(steered)), { concurrency: 2 }, undefined, slow),
  enqueue: (n) =>
    Effect.map(
      put(catalog(`catalog-${n}`, { a: `text ${n}` }), { provider: "scripted", maxAttempts: 5, force: false }),
      ({ id }) => id
    ),
  workUntil: (over) => IndexWorker.workUntil(over),
  output: null,
  written: counted("holdfast.chunk")
}

/** What every kind of job is held to, with a worker on a real store. */
export const kinds = (backend: Backend) =>
  layer(backend.fresh(all), { timeout: "1 minute", excludeTestServices: true })(
    `Every kind of job on ${backend.name}`,
    (it) => {
      const tried = <A, E>(
        subject: Subject,
        test: (steered: Steering, heard: ReadonlyArray<Incident>) => Effect.Effect<A, E, House | Database>
      ) =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          yield* sql`create table if not exists witness (tenant text, job bigint)`
          const steered = yield* steering
          const heard: Array<Incident> = []
          const reporter = Layer.succeed(Reporter, {
            report: (incident) => Effect.sync(() => void heard.push(incident))
          })
          return yield* Effect.provide(test(steered, heard), Layer.merge(subject.house(steered), reporter))
        })

      const status = (id: JobId) =>
        Effect.map(Jobs.find(id), ({ attempts, lease, status }) => [status, attempts, Option.isSome(lease)])

      it.effect.each([plain, stepped, index])(
        "is given back, its attempt unspent, when its worker stops: $name",
        (subject) =>
          tried(subject, (steered) =>
            Effect.gen(function*() {
              steered.plan = "hold"
              const id = yield* subject.enqueue(1)
              yield* subject.workUntil(Deferred.await(steered.begun))
              expect(yield* status(id)).toEqual(["pending", 0, false])
              expect(yield* subject.written).toBe(0)
            })),
        30_000
      )

      it.effect.each([plain, stepped, index])(
        "writes nothing once somebody has ended it: $name",
        (subject) =>
          tried(subject, (steered) =>
            Effect.gen(function*() {
              steered.plan = "hold"
              const id = yield* subject.enqueue(1)
              const other = yield* subject.enqueue(2)
              const working = yield* Effect.fork(subject.workUntil(Effect.zipRight(
                Deferred.await(steered.begun),
                Effect.gen(function*() {
                  yield* (yield* JobQueue).cancel(id)
                  yield* (yield* JobQueue).cancel(other)
                  steered.plan = "serve"
                  yield* Deferred.succeed(steered.go, undefined)
                  // A job that comes after them ends, so that what they could have written is written by then.
                  yield* Jobs.await(yield* subject.enqueue(3))
                })
              )))
              yield* Fiber.join(working)
              expect((yield* status(id))[0]).toBe("cancelled")
              expect((yield* status(other))[0]).toBe("cancelled")
              expect(yield* subject.written).toBe(1)
            })),
        30_000
      )

      it.effect.each([plain, stepped, index])(
        "ends well, and keeps what it answered: $name",
        (subject) =>
          tried(subject, () =>
            Effect.gen(function*() {
              const id = yield* subject.enqueue(1)
              const job = yield* subject.workUntil(Jobs.await(id))
              expect([job.status, job.attempts, job.output]).toEqual(["succeeded", 1, subject.output])
              expect(yield* subject.written).toBe(1)
            })),
        30_000
      )

      it.effect.each([plain, stepped, index])(
        "ends an attempt in a bug while its sibling goes on, and is tried again: $name",
        (subject) =>
          tried(subject, (steered, heard) =>
            Effect.gen(function*() {
              steered.plan = "bug"
              const one = yield* subject.enqueue(1)
              const other = yield* subject.enqueue(2)
              const ended = yield* subject.workUntil(Effect.all([Jobs.await(one), Jobs.await(other)]))
              expect(ended.map((job) => job.status)).toEqual(["succeeded", "succeeded"])
              expect(ended.map((job) => job.attempts).toSorted()).toEqual([1, 2])
              expect(heard.map(({ tag }) => tag)).toEqual(["bug"])
              expect(yield* subject.written).toBe(2)
            })),
        30_000
      )
    }
  )
