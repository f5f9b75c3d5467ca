import * as SqlClient from "@effect/sql/SqlClient"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { FailureTag } from "../../../domain/failure/Failure.js"
import { ClosedGate, GateRef } from "../../../domain/session/Gate.js"
import type { GateKind, GateReason } from "../../../domain/session/Gate.js"
import { type Cooldown, Gates } from "../../../domain/session/Gates.js"
import { Tenant } from "../../../domain/store/Tenant.js"
import * as Pending from "../jobs/pending.js"
import { prepared } from "../driver/Prepared.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { Tables } from "../driver/Tables.js"

interface GateRow {
  readonly kind: GateKind
  readonly name: string
  readonly reason: GateReason
  readonly detail: string
  readonly since: Date
  readonly until: Date | null
}

const toGate = (row: GateRow): ClosedGate =>
  ClosedGate.make({
    ref: GateRef.make({ kind: row.kind, name: row.name }),
    reason: row.reason,
    since: DateTime.unsafeFromDate(row.since),
    until: Option.map(Option.fromNullable(row.until), DateTime.unsafeFromDate),
    detail: row.detail
  })

/** What a job is sent back with that waits for a cooldown. */
const cooledTag: FailureTag = "RateLimited"

/** Gates and cooldowns as rows. The database's clock decides what is over: a gate past its `until` counts as open. */
export const layer: Layer.Layer<Gates, never, SqlClient.SqlClient | Tables> = Layer.effect(
  Gates,
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const t = yield* Tables

    const close: typeof Gates.Service.close = Effect.fn("Gates.close")(function*(gate, reason, until, detail) {
      const tenant = yield* Tenant
      const end = Option.getOrNull(Option.map(until, DateTime.formatIso))
      // The row's lock lets one of many closers through; the others then find the gate closed.
      const rows = yield* sql`
        insert into ${t.gate} (tenant, kind, name, closed, reason, detail, since, until)
        values (${tenant}, ${gate.kind}, ${gate.name}, true, ${reason}, ${detail}, now(), ${end}::timestamptz)
        on conflict (tenant, kind, name) do update set
          closed = true, reason = excluded.reason, detail = excluded.detail, since = excluded.since,
          until = excluded.until
        where not gate.closed or gate.until <= now()
        returning gate.name`
      return rows.length > 0
    }, SqlFailure.renamed)

    const open: typeof Gates.Service.open = Effect.fn("Gates.open")(function*(gate) {
      const tenant = yield* Tenant
      const [row] = yield* sql<{ readonly opened: boolean }>`
        with was as (
          select coalesce(gate.until > now(), true) as shut from ${t.gate}
          where gate.tenant = ${tenant} and gate.kind = ${gate.kind} and gate.name = ${gate.name} and gate.closed
          for update
        ),
        opened as (
          update ${t.gate} set closed = false, since = null, until = null
          where gate.tenant = ${tenant} and gate.kind = ${gate.kind} and gate.name = ${gate.name}
            and exists (select from was)
        )
        select was.shut as opened, pg_notify(${t.channel}, ${tenant}) from was`
      return row?.opened === true
    }, SqlFailure.renamed)

    // A job that a refusal sent back is due when the cooldown is over, and not before.
    const endCooldown: typeof Gates.Service.endCooldown = Effect.fn("Gates.endCooldown")(function*(provider) {
      const tenant = yield* Tenant
      const rows = yield* sql`
        with was as materialized (
          select cooldown.until from ${t.cooldown}
          where cooldown.tenant = ${tenant} and cooldown.provider = ${provider} and cooldown.until > now()
          for update
        ),
        ended as (
          update ${t.cooldown} set until = now(), pace = null
          where cooldown.tenant = ${tenant} and cooldown.provider = ${provider} and exists (select from was)
        ),
        locked as materialized (
          select pending.id from ${t.pending}
          where pending.tenant = ${tenant} and pending.provider = ${provider} and pending.run_at > now()
            and exists (select from was)
          for update
        ),
        due as (
          update ${t.job} as job set run_at = now()
          where job.tenant = ${tenant} and job.id = any(array(select locked.id from locked))
            and job.status = 'pending' and job.last_error ->> 'tag' = ${cooledTag}
          returning ${sql.literal(Pending.columns)}
        ),
        written as (${Pending.writing(sql, t, "due")})
        select pg_notify(${t.channel}, ${tenant}) from was`
      return rows.length > 0
    }, SqlFailure.renamed)

    const closed = Effect.flatMap(Tenant, (tenant) =>
      sql<GateRow>`${prepared}
        select kind, name, reason, detail, since, until from ${t.gate}
        where tenant = ${tenant} and closed and (until is null or until > now())
        order by since, kind, name`).pipe(
        Effect.map((rows) => rows.map(toGate)),
        SqlFailure.renamed,
        Effect.withSpan("Gates.closed")
      )

    const cooling = Effect.flatMap(Tenant, (tenant) =>
      sql<{ readonly provider: string; readonly until: Date }>`
        select provider, until from ${t.cooldown} where tenant = ${tenant} and until > now() order by provider`).pipe(
        Effect.map((rows) =>
          rows.map((row): Cooldown => ({ provider: row.provider, until: DateTime.unsafeFromDate(row.until) }))
        ),
        SqlFailure.renamed,
        Effect.withSpan("Gates.cooling")
      )

    return Gates.of({ close, open, endCooldown, closed, cooling })
  })
)
