import * as Pg from "pg"
import { serve } from "./Peer.js"

/**
 * The limit: what remains of a queue when leases, fences, gates, retries and heartbeats are left out. One connection, batches of
 * a hundred, two prepared statements a batch.
 */
const claim = {
  name: "claim",
  text: `update job set status = 'running', started_at = now()
    where id = any(array(
      select id from job where status = 'pending' and run_at <= now() order by run_at, id limit 100 for update skip locked
    ))
    returning id, payload`
}

const complete = {
  name: "complete",
  text: `update job set status = 'done', finished_at = now() where id = any($1::bigint[])`
}

await serve({
  connect: async (url, ran) => {
    const client = new Pg.Client({ connectionString: url })
    await client.connect()
    await client.query("listen job")
    let wake = () => {}
    client.on("notification", () => wake())
    const job = async () => ran()
    const run = async () => {
      for (;;) {
        const heard = new Promise<void>((resolve) => {
          wake = resolve
        })
        const { rows } = await client.query<{ readonly id: string }>(claim)
        if (rows.length === 0) await heard
        for (const _ of rows) await job()
        if (rows.length > 0) await client.query({ ...complete, values: [rows.map(({ id }) => id)] })
      }
    }
    return () => void run()
  }
})
