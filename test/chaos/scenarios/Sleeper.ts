import * as Effect from "effect/Effect"
import { Arena, check, drained, eventually, sources, world } from "../Arena.js"
import type { Scenario, World } from "../Arena.js"
import { judge, told, whole } from "../Judge.js"
import * as Lines from "../Lines.js"
import { refusedByMetric, said } from "../Workers.js"

const lease = 2

/** Notes which session wrote under which fence while the row's newest fence was which: the database's own witness. */
const witness = `
  create table witness (job bigint, session text, old_fence bigint, new_fence bigint, old_status text, at timestamptz default clock_timestamp());
  create function witnessed() returns trigger language plpgsql as $$ begin
    insert into witness values (new.id, current_setting('application_name'), old.fence, new.fence, old.status);
    return new;
  end $$;
  create trigger witness after update on index_job for each row execute function witnessed()`

interface Count {
  readonly count: number
}

const count = (here: World, sql: string, values: ReadonlyArray<unknown>) =>
  Effect.map(here.sql<Count>(sql, values), ([row]) => row?.count ?? 0)

/** A worker is stopped for three leases in the midst of its jobs, and goes on when others have them. */
export const sleeper: Scenario = {
  name: "sleeper",
  run: Effect.gen(function*() {
    const { long } = yield* Arena
    const here = yield* world({ latency: 150 })
    const expected = sources(12, long ? 400 : 120)
    const settings = { workers: 4, lease_duration: `${lease}s`, batch_size: 2 }
    yield* here.put(expected)
    yield* here.sql(witness)
    const sleepy = yield* here.worker("sleepy", settings)
    const running = (name: string) =>
      count(
        here,
        `select count(*)::int as count from index_job as job join worker on worker.id = job.worker
        where job.status = 'running' and worker.pid = $1`,
        [here.workers.find((worker) => worker.name === name)?.pid]
      )
    yield* eventually(running("sleepy"), (jobs) => jobs === 4, 30_000)
    yield* here.worker("awake", { ...settings, workers: 12 })
    yield* eventually(running("awake"), (jobs) => jobs === 8, 30_000)
    const rounds = long ? 10 : 2
    let taken = 0
    for (let round = 0; round < rounds; round++) {
      yield* eventually(running("sleepy"), (jobs) => jobs > 0, 30_000)
      yield* sleepy.signal("SIGSTOP")
      yield* Effect.sleep(`${3 * lease} seconds`)
      taken += (yield* running("sleepy")) === 0 ? 1 : 0
      yield* here.sql("insert into witness (job, session) values (0, 'woken')")
      yield* sleepy.signal("SIGCONT")
      yield* Effect.sleep("1 second")
    }
    const left = yield* drained(here, 120_000)
    // An update by the sleeper of a row that it did not hold: one whose last claim was another session's.
    const stolen = yield* count(
      here,
      `select count(*)::int as count from witness as late
      where late.session = 'sleepy' and late.old_status = 'running' and late.old_fence = late.new_fence and exists (
        select from witness as claim where claim.job = late.job and claim.new_fence = late.new_fence
          and claim.old_fence <> claim.new_fence and claim.session <> 'sleepy'
      )`,
      []
    )
    yield* Effect.forEach(here.workers, (worker) => Effect.zipRight(worker.signal("SIGTERM"), worker.ended), {
      concurrency: "unbounded"
    })
    const judgement = yield* judge(here, expected)
    const refused = said(here.workers, Lines.refused)
    const stopped = said(here.workers, Lines.stopped)
    return {
      told: `${told(judgement)}; taken over in ${taken} of ${rounds} sleeps, ${refused} writes refused (metric ${
        refusedByMetric(here.workers)
      }), ${stopped} jobs stopped by the heartbeat, ${stolen} late writes got through`,
      checks: [
        ...whole(judgement),
        check("every job ends", left === 0),
        check("its jobs are taken over while it sleeps", taken > 0),
        check("no late write gets through", stolen === 0),
        check("late writes are refused", refused > 0),
        check("each refusal is counted", refusedByMetric(here.workers) === refused)
      ]
    }
  })
}
