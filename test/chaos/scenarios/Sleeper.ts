import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Arena, check, drained, eventually, sources, world } from "../Arena.js"
import type { Scenario, World } from "../Arena.js"
import { judge, told, whole } from "../Judge.js"
import * as Lines from "../Lines.js"
import { jobsOf, refusedByMetric, said } from "../Workers.js"

/** Seconds. Short, and yet long enough that a busy machine's heartbeats come in time. */
const lease = 3

/** The sleeper's. */
const slots = 6

/** Enqueued for each sleep: more jobs than the sleeper has slots, and more items than are embedded before it sleeps. */
const jobs = 9
const items = 40

/** Notes which session updated which job under which fence: the database's own witness. Anybody may reclaim a job. */
const witness = `
  create table witness (job bigint, session text, old_fence bigint, new_fence bigint, old_status text, reclaimed boolean, at timestamptz default clock_timestamp());
  create function witnessed() returns trigger language plpgsql as $$ begin
    insert into witness values (new.id, current_setting('application_name'), old.fence, new.fence, old.status, new.crashes > old.crashes);
    return new;
  end $$;
  create trigger witness after update on holdfast.job for each row execute function witnessed()`

const held = `
  do $$ begin
    lock table holdfast.job in access exclusive mode;
    perform pg_sleep(1.5);
  end $$`

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
    const here = yield* world({ latency: 300 })
    const rounds = long ? 10 : 2
    const expected = sources(jobs * rounds, items)
    const settings = { workers: slots, "embedder.concurrency": slots, lease_duration: `${lease}s`, batch_size: 2 }
    // The program's own tables come first.
    yield* here.put([])
    yield* here.sql(witness)
    const sleepy = yield* here.worker("sleepy", settings)
    const running = (name: string) =>
      count(
        here,
        `select count(*)::int as count from holdfast.job_all as job join holdfast.worker on worker.id = job.worker
        where job.status = 'running' and worker.pid = $1`,
        [here.workers.find((worker) => worker.name === name)?.pid]
      )
    let slept = 0
    let taken = 0
    let left = 0
    for (let round = 0; round < rounds; round++) {
      yield* here.put(expected.slice(round * jobs * items, (round + 1) * jobs * items))
      yield* eventually(running("sleepy"), (jobs) => jobs === slots, 30_000)
      const awake = yield* here.worker(`awake-${round}`, { ...settings, workers: jobs + slots })
      yield* eventually(running(awake.name), (jobs) => jobs > 0, 30_000)
      // More calls than the other one can make: some are its own, and their answers are written late.
      yield* Effect.promise(() => here.embedder.until(({ inFlight }) => inFlight > slots))
      yield* sleepy.signal("SIGSTOP")
      const holding = yield* running("sleepy")
      yield* Effect.sleep(`${3 * lease} seconds`)
      // A row that one of its open transactions holds stays with it, until the server ends that transaction after 60 s.
      taken += holding - (yield* running("sleepy"))
      slept += holding
      // The database answers nobody for a moment: its writes are under way when it finds out that its leases are gone.
      const busy = yield* Effect.fork(here.sql(held))
      yield* Effect.sleep("300 millis")
      yield* sleepy.signal("SIGCONT")
      yield* Fiber.join(busy)
      left += yield* drained(here, 120_000)
      // The next round's jobs are the sleeper's first.
      yield* Effect.zipRight(awake.signal("SIGTERM"), awake.ended)
    }
    // An update by the sleeper of a row that it did not hold: one whose last claim was another session's.
    const stolen = yield* count(
      here,
      `select count(*)::int as count from witness as late
      where late.session = 'sleepy' and late.old_status = 'running' and late.old_fence = late.new_fence
        and not late.reclaimed and exists (
        select from witness as claim where claim.job = late.job and claim.new_fence = late.new_fence
          and claim.old_fence <> claim.new_fence and claim.session <> 'sleepy'
      )`,
      []
    )
    yield* Effect.zipRight(sleepy.signal("SIGTERM"), sleepy.ended)
    const judgement = yield* judge(here, expected)
    const refused = said(here.workers, Lines.refused)
    const stopped = jobsOf(here.workers, Lines.stopped)
    const ended = new Set([...jobsOf(here.workers, Lines.refused), ...stopped])
    return {
      told: `${
        told(judgement)
      }; ${taken} of ${slept} jobs taken over in ${rounds} sleeps, ${refused} writes refused (metric ${
        refusedByMetric(here.workers)
      }), ${stopped.size} jobs stopped at once, ${stolen} late writes got through`,
      checks: [
        ...whole(judgement),
        check("every job ends", left === 0),
        check("its jobs are taken over while it sleeps", taken > 0),
        check("no late write gets through", stolen === 0),
        check("late writes are refused", refused > 0),
        check("every job that it lost refuses it a write, or is stopped", ended.size >= taken),
        check("each refusal is counted", refusedByMetric(here.workers) === refused)
      ]
    }
  })
}

/** A worker that is alone is stopped for three leases: nobody took its jobs, and it goes on where it was. */
export const lonely: Scenario = {
  name: "lonely sleeper",
  run: Effect.gen(function*() {
    const here = yield* world({ latency: 300 })
    const expected = sources(4, 40)
    yield* here.put(expected)
    const sleepy = yield* here.worker("sleepy", { workers: 4, "embedder.concurrency": 4, lease_duration: `${lease}s` })
    yield* Effect.promise(() => here.embedder.until(({ calls }) => calls.length >= 8))
    yield* sleepy.signal("SIGSTOP")
    yield* Effect.sleep(`${3 * lease} seconds`)
    yield* sleepy.signal("SIGCONT")
    const left = yield* drained(here, 60_000)
    const judgement = yield* judge(here, expected)
    const takeovers = said([sleepy], /^Took over/)
    return {
      told: `${
        told(judgement)
      }; it took over from itself ${takeovers} times, at most ${judgement.mostAttempts} attempts`,
      checks: [
        ...whole(judgement),
        check("every job ends", left === 0),
        check("it takes no job over from itself", takeovers === 0 && judgement.mostAttempts === 1)
      ]
    }
  })
}
