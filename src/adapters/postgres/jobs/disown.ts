import * as SqlClient from "@effect/sql/SqlClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Disowning } from "../../../domain/job/JobQueue.js"
import { prepared } from "../driver/Prepared.js"
import { Tables } from "../driver/Tables.js"
import * as JobRow from "./JobRow.js"

/** An answer that is on its way for longer than this is taken for lost. Where it comes all the same, the fence refuses its holder. */
const onItsWay = Duration.seconds(5)

/** Ends the leases of this worker that it does not know; `reclaim` frees their jobs. Answers how many leases that are. */
export const disown = Effect.fn("JobQueue.disown")(function*({ duration, held, tenants, worker }: Disowning) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const fences = JobRow.array([...new Set(held.map(({ fence }) => fence))])
  const fresh = Duration.toMillis(duration) - Duration.toMillis(onItsWay)
  const rows = yield* sql`${prepared}
    update ${t.lease} set expires_at = now()
    where lease.tenant = any(${JobRow.texts(tenants)}::text::text[]) and lease.worker = ${worker}
      and lease.fence <> all(${fences}::text::bigint[])
      and lease.expires_at > now() and lease.expires_at <= now() + ${fresh}::float8 * interval '1 millisecond'
    returning lease.fence`
  return rows.length
})
