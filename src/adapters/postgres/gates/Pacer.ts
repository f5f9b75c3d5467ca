import * as SqlClient from "@effect/sql/SqlClient"
import type { Fragment } from "@effect/sql/Statement"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Pace from "../../../domain/retry/Pace.js"
import { Grant, Pacer } from "../../../domain/retry/Pacer.js"
import { longestNamed } from "../../../domain/retry/RetryPolicy.js"
import { Tenant } from "../../../domain/store/Tenant.js"
import { prepared } from "../driver/Prepared.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { transact } from "../driver/transact.js"
import { Tables } from "../driver/Tables.js"

/** A provider's row. Times are milliseconds of the database's clock; `cooling` is what is left of the cooldown. */
interface Row {
  readonly now: number
  readonly cooling: number
  readonly pace: Pace.Pace | null
}

/** What the row says of the next grant, and the pace after it; the pace is null once it is over. */
const next = ({ cooling, now, pace }: Row): { readonly grant: Grant; readonly pace: Pace.Pace | null } => {
  if (cooling > 0) return { grant: Grant.Cooling({ wait: Duration.millis(cooling) }), pace }
  if (pace === null || Pace.isOver(pace, now)) return { grant: Grant.Free(), pace: null }
  const full = Pace.full(pace, now)
  if (full > 0) return { grant: Grant.Later({ wait: Duration.millis(full) }), pace }
  const taken = Pace.grant(pace, now)
  return { grant: Grant.Given({ wait: Duration.millis(taken.at - now), cycle: pace.cycle }), pace: taken.pace }
}

/**
 * A row for each provider that ever refused. One that never did costs a look at an empty place in the key; the row of one that
 * did is locked while a grant is taken from it, by one worker of a process at a time.
 */
export const layer: Layer.Layer<Pacer, never, SqlClient.SqlClient | Tables> = Layer.effect(
  Pacer,
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const t = yield* Tables
    const one = yield* Effect.makeSemaphore(1)
    // Not now(): a transaction that waited for the lock would date its grant from before the wait.
    const now = sql.literal("(extract(epoch from clock_timestamp()) * 1000)::float8 as now")
    const cooling = sql.literal("(extract(epoch from until - clock_timestamp()) * 1000)::float8 as cooling")
    /** The row of a provider, for the tenant that calls. */
    const rowOf = (provider: string) =>
      Effect.map(Tenant, (tenant) => sql`tenant = ${tenant} and provider = ${provider}`)

    const set = (its: Fragment, pace: Pace.Pace | null) =>
      sql`update ${t.cooldown} set pace = ${pace === null ? null : JSON.stringify(pace)}::text::jsonb where ${its}`

    const isFree: typeof Pacer.Service.isFree = Effect.fn("Pacer.isFree")(function*(provider) {
      const its = yield* rowOf(provider)
      const rows = yield* sql`${prepared}
        select provider from ${t.cooldown} where ${its} and (pace is not null or until > clock_timestamp())`
      return rows.length === 0
    }, SqlFailure.renamed)

    const take: typeof Pacer.Service.take = Effect.fn("Pacer.take")(function*(provider) {
      const its = yield* rowOf(provider)
      const [row] = yield* sql<
        Row
      >`${prepared} select ${now}, ${cooling}, pace from ${t.cooldown} where ${its} for update`
      if (row === undefined) return Grant.Free()
      const { pace, grant } = next(row)
      if (pace !== row.pace) yield* set(its, pace)
      return grant
    }, (taking) => one.withPermits(1)(Effect.provideService(transact(taking), SqlClient.SqlClient, sql)))

    const stands: typeof Pacer.Service.stands = Effect.fn("Pacer.stands")(function*(provider, cycle) {
      const its = yield* rowOf(provider)
      const rows = yield* sql`${prepared}
        select provider from ${t.cooldown}
        where ${its} and ((pace ->> 'cycle')::float8 <> ${cycle}::float8 or until > clock_timestamp())`
      return rows.length === 0
    }, SqlFailure.renamed)

    const throttled: typeof Pacer.Service.throttled = Effect.fn("Pacer.throttled")(function*(provider, cycle, wait) {
      const tenant = yield* Tenant
      const its = yield* rowOf(provider)
      const millis = Duration.toMillis(Duration.min(wait, longestNamed))
      const [row] = yield* sql<Row>`
        insert into ${t.cooldown} as cooling (tenant, provider, until)
        values (${tenant}, ${provider}, clock_timestamp() + ${millis}::float8 * interval '1 millisecond')
        on conflict (tenant, provider) do update
        set until = greatest(cooling.until, clock_timestamp() + ${millis}::float8 * interval '1 millisecond')
        returning ${now}, ${cooling}, pace`
      if (row === undefined) return
      yield* set(
        its,
        row.pace === null ? Pace.start(millis, row.now) : Pace.throttled(row.pace, cycle, millis, row.now)
      )
    }, (telling) => Effect.provideService(transact(telling), SqlClient.SqlClient, sql))

    return Pacer.of({ isFree, take, stands, throttled })
  })
)
