import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { makeWorkerUtils } from "graphile-worker"
import type * as Pg from "pg"
import PgBoss from "pg-boss"
import * as Settings from "../../../src/programs/Settings.js"
import { Stores } from "../../../src/programs/Wiring.js"
import { Noop } from "./noop.js"

/** One of the queues that are compared: how its tables are made, filled, looked at, and how one job is enqueued. */
export interface Queue {
  readonly name: string
  readonly module: string
  readonly prepare: (url: string) => Promise<Prepared>
  /** Empties the tables and makes so many jobs that are ready. */
  readonly fill: (db: Pg.Client, jobs: number) => Promise<unknown>
  /** A statement that answers `open`: whether a job is left. */
  readonly open: string
}

export interface Prepared {
  /** Enqueues one job. Where the queue's own function is not what is called first, `called` is told when it is. */
  readonly enqueue: (n: number, called: () => void) => Promise<unknown>
  readonly close: () => Promise<unknown>
}

const holdfast: Queue = {
  name: "holdfast",
  module: "holdfast",
  prepare: async (url) => {
    const runtime = ManagedRuntime.make(Layer.provide(Stores, Settings.layer({ "database.url": url })))
    await runtime.runPromise(Effect.void)
    return {
      // Whoever enqueues is a fiber already; the one that is made here stands for it.
      enqueue: (n, called) =>
        runtime.runPromise(Effect.suspend(() => {
          called()
          return Noop.enqueue({ n })
        })),
      close: () => runtime.dispose()
    }
  },
  fill: async (db, jobs) => {
    await db.query("truncate holdfast.job, holdfast.job_history, holdfast.pending, holdfast.lease")
    await db.query(
      `with made as (
        insert into holdfast.job (tenant, kind, key, max_attempts, payload)
        select $2, 'noop', n::text, 5, json_build_object('n', n) from generate_series(1, $1::integer) n
        returning *
      )
      insert into holdfast.pending (tenant, kind, provider, session, priority, run_at, id)
      select tenant, kind, provider, session, priority, run_at, id from made`,
      [jobs, "default"]
    )
  },
  open: "select exists (select from holdfast.job where status in ('pending', 'running')) as open"
}

const loop: Queue = {
  name: "hand-written loop",
  module: "loop",
  prepare: async (url) => {
    const db = new (await import("pg")).default.Client({ connectionString: url })
    await db.connect()
    await db.query(`create table job (
      id bigint generated always as identity primary key,
      payload jsonb not null,
      status text not null default 'pending',
      run_at timestamptz not null default now(),
      started_at timestamptz,
      finished_at timestamptz
    ) with (fillfactor = 80)`)
    await db.query("create index job_ready on job (run_at, id) where status = 'pending'")
    return {
      enqueue: (n) =>
        db.query("with job as (insert into job (payload) values ($1)) select pg_notify('job', '')", [{ n }]),
      close: () => db.end()
    }
  },
  fill: async (db, jobs) => {
    await db.query("truncate job")
    await db.query(
      "insert into job (payload) select json_build_object('n', n) from generate_series(1, $1::integer) n",
      [jobs]
    )
  },
  open: "select exists (select from job where status <> 'done') as open"
}

const graphile: Queue = {
  name: "graphile-worker 0.17",
  module: "graphile",
  prepare: async (url) => {
    const utils = await makeWorkerUtils({ connectionString: url })
    await utils.migrate()
    return { enqueue: (n) => utils.addJob("noop", { n }), close: async () => utils.release() }
  },
  fill: async (db, jobs) => {
    await db.query("delete from graphile_worker._private_jobs")
    await db.query(
      `select count(graphile_worker.add_job('noop', json_build_object('n', n))) from generate_series(1, $1::integer) n`,
      [jobs]
    )
  },
  open: "select exists (select from graphile_worker._private_jobs) as open"
}

const pgBoss: Queue = {
  name: "pg-boss 10",
  module: "pgBoss",
  prepare: async (url) => {
    const boss = new PgBoss({ connectionString: url, supervise: false, schedule: false })
    await boss.start()
    await boss.createQueue("noop")
    return { enqueue: (n) => boss.send("noop", { n }), close: () => boss.stop({ graceful: false }) }
  },
  fill: async (db, jobs) => {
    await db.query("truncate pgboss.job")
    await db.query(
      `insert into pgboss.job (name, data) select 'noop', json_build_object('n', n) from generate_series(1, $1::integer) n`,
      [jobs]
    )
  },
  open: "select exists (select from pgboss.job where state < 'completed') as open"
}

export const limit = loop
export const peers: ReadonlyArray<Queue> = [graphile, pgBoss]
export const queues: ReadonlyArray<Queue> = [loop, holdfast, graphile, pgBoss]
export const ours = holdfast
