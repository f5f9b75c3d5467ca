import type * as SqlClient from "@effect/sql/SqlClient"
import * as Sql from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { all } from "../../../src/adapters/postgres/migrations/all.js"
import type { Tables } from "../../../src/adapters/postgres/driver/Tables.js"
import type { JobQueue } from "../../../src/domain/job/JobQueue.js"
import { Pacer, unpaced } from "../../../src/domain/retry/Pacer.js"
import type { Grant } from "../../../src/domain/retry/Pacer.js"
import type { Gates } from "../../../src/domain/session/Gates.js"
import { Tenant } from "../../../src/domain/store/Tenant.js"
import type { Backend } from "../../support/Databases.js"
import * as Kit from "./queueKit.js"

const take = Effect.flatMap(Pacer, (pacer) => pacer.take("ollama"))
const isFree = Effect.flatMap(Pacer, (pacer) => pacer.isFree("ollama"))
const stands = (cycle: number) => Effect.flatMap(Pacer, (pacer) => pacer.stands("ollama", cycle))
const throttled = (cycle: number, wait: Duration.DurationInput) =>
  Effect.flatMap(Pacer, (pacer) => pacer.throttled("ollama", cycle, Duration.decode(wait)))

/** How long until the grant, and of which cycle; fails where none was given. */
const given = (grant: Grant) =>
  grant._tag === "Given"
    ? Effect.succeed({ cycle: grant.cycle, wait: Duration.toMillis(grant.wait) })
    : Effect.dieMessage(`no grant: ${grant._tag}`)

const rows = Effect.flatMap(
  Sql.SqlClient,
  (sql) =>
    Effect.flatMap(
      Tenant,
      (tenant) =>
        sql<
          { readonly pace: { readonly calls: number; readonly last: number } | null }
        >`select pace from holdfast.cooldown where tenant = ${tenant}`
    )
)

/** What every back end's pacer does. */
export const pacer = (backend: Backend) =>
  describe(`the pacer on ${backend.name}`, () => {
    it.layer(backend.fresh(all), { timeout: "60 seconds" })((it) => {
      const test = <E>(
        name: string,
        body: () => Effect.Effect<void, E, JobQueue | Gates | Pacer | Tenant | SqlClient.SqlClient | Tables>
      ) => it.effect(name, () => Kit.alone(body()))

      test("nothing holds calls of a provider that never refused, and nothing is written for it", () =>
        Effect.gen(function*() {
          expect(yield* isFree).toBe(true)
          expect(yield* take).toEqual({ _tag: "Free" })
          expect(yield* stands(unpaced)).toBe(true)
          expect(yield* rows).toEqual([])
        }))

      test("nobody calls before the time that a refusal named", () =>
        Effect.gen(function*() {
          yield* throttled(unpaced, "10 minutes")
          expect(yield* isFree).toBe(false)
          const grant = yield* take
          expect(grant._tag).toBe("Cooling")
          if (grant._tag === "Cooling") expect(Math.ceil(Duration.toMinutes(grant.wait))).toBe(10)
          expect(yield* stands(1)).toBe(false)
          yield* Kit.pass("11 minutes")
          expect(yield* isFree).toBe(false)
          expect((yield* given(yield* take)).cycle).toBe(1)
          expect(yield* stands(1)).toBe(true)
        }))

      test("grants follow each other at the pace", () =>
        Effect.gen(function*() {
          yield* throttled(unpaced, "1 minute")
          yield* Kit.pass("10 minutes")
          yield* take
          const [first] = yield* rows
          yield* take
          const [second] = yield* rows
          expect((second?.pace?.last ?? 0) - (first?.pace?.last ?? 0)).toBeGreaterThan(500)
        }))

      test("grants are not given far ahead", () =>
        Effect.gen(function*() {
          const sql = yield* Sql.SqlClient
          yield* throttled(unpaced, "1 second")
          yield* sql`update holdfast.cooldown set until = now(), pace = pace || '{"base": 0.02}'::jsonb where tenant = ${yield* Tenant}`
          expect((yield* given(yield* take)).wait).toBeGreaterThan(30_000)
          expect((yield* take)._tag).toBe("Later")
        }))

      test("grants are given one at a time, however many ask at once", () =>
        Effect.gen(function*() {
          yield* throttled(unpaced, "1 minute")
          yield* Kit.pass("10 minutes")
          const grants = yield* Effect.all(Array.from({ length: 20 }, () => take), { concurrency: "unbounded" })
          const taken = grants.filter(({ _tag }) => _tag === "Given")
          expect(taken.length).toBeGreaterThan(0)
          expect((yield* rows).map(({ pace }) => pace?.calls)).toEqual([taken.length])
        }))

      test("a refusal makes the grants before it void, and one that comes late does not", () =>
        Effect.gen(function*() {
          yield* throttled(unpaced, "1 minute")
          yield* Kit.pass("2 minutes")
          const first = yield* given(yield* take)
          yield* throttled(unpaced, "0 millis")
          expect(yield* stands(first.cycle)).toBe(true)
          yield* throttled(first.cycle, "0 millis")
          expect(yield* stands(first.cycle)).toBe(false)
          expect(yield* stands(first.cycle + 1)).toBe(true)
        }))

      test("a pace that has climbed to where nothing is held back is over", () =>
        Effect.gen(function*() {
          const sql = yield* Sql.SqlClient
          yield* throttled(unpaced, "1 second")
          yield* Kit.pass("2 seconds")
          yield* sql`update holdfast.cooldown set pace = pace || '{"base": 1000}'::jsonb where tenant = ${yield* Tenant}`
          expect(yield* take).toEqual({ _tag: "Free" })
          expect(yield* isFree).toBe(true)
          expect(yield* rows).toEqual([{ pace: null }])
          expect(yield* stands(1)).toBe(true)
        }))

      test("one tenant's refusals hold nobody else's calls", () =>
        Effect.gen(function*() {
          yield* throttled(unpaced, "10 minutes")
          expect(yield* Effect.provide(take, Kit.queueOf(Kit.newTenant()))).toEqual({ _tag: "Free" })
        }))
    })
  })
