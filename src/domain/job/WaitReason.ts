import * as Array from "effect/Array"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Match from "effect/Match"
import * as Option from "effect/Option"
import * as Lease from "../lease/Lease.js"
import { holds } from "../session/Gate.js"
import type { ClosedGate, GateReason } from "../session/Gate.js"
import type { Cooldown } from "../session/Gates.js"
import { isDown } from "./Job.js"
import type { Job, LastError } from "./Job.js"
import type { Claimable } from "../lease/Wanted.js"
import type { LivingWorker } from "../lease/WorkerLock.js"

/** Why an open job does not run: a closed list, so that every surface can answer. */
export type WaitReason = Data.TaggedEnum<{
  /** A gate is closed: sign in, add budget or mend the key. `until` opens it by itself. */
  Gate: { readonly reason: GateReason; readonly name: string; readonly until: Option.Option<DateTime.Utc> }
  /** Its provider asked everyone to wait. */
  RateLimit: { readonly provider: string; readonly until: DateTime.Utc }
  /** An earlier try failed; the next comes at `until`. */
  Backoff: { readonly until: DateTime.Utc }
  /** It is not to start before `until`. */
  Scheduled: { readonly until: DateTime.Utc }
  /** Its provider cannot be reached or does not answer, since `since`; it is tried again at `until`. */
  ProviderDown: { readonly provider: string; readonly since: DateTime.Utc; readonly until: DateTime.Utc }
  /** It is ready, and workers run, but none of them knows its kind. */
  NoWorkerForKind: { readonly kind: string }
  /** It is ready: no worker runs (`workers` is 0), or all are busy. None where the number of workers is not known. */
  Concurrency: { readonly workers: Option.Option<number> }
  /** Its worker is gone, or was not heard of in time; the next worker that looks takes it over. `workers` is how many live. */
  LeaseHeld: {
    readonly worker: Lease.WorkerId
    readonly until: DateTime.Utc
    readonly workers: Option.Option<number>
  }
}>
export const WaitReason = Data.taggedEnum<WaitReason>()

/** Whether time and the workers that run will not start it alone: a person, the provider or another worker must move first. */
export const isBlocking = (reason: WaitReason): boolean =>
  reason._tag === "Gate" || reason._tag === "RateLimit" || reason._tag === "NoWorkerForKind"

/** What holds for everyone at this moment. `now` is the database's clock. */
export interface Surroundings {
  readonly gates: ReadonlyArray<ClosedGate>
  readonly cooldowns: ReadonlyArray<Cooldown>
  /** The workers that live now; none where that is not known. */
  readonly workers: Option.Option<ReadonlyArray<LivingWorker>>
  readonly now: DateTime.Utc
}

/** How many workers live; none where that is not known. */
export const living = ({ workers }: Surroundings): Option.Option<number> => Option.map(workers, ({ length }) => length)

/** Whether it is known that nobody works: what time alone would mend waits for somebody to start a worker. */
export const nobodyWorks = (around: Surroundings): boolean => Option.contains(living(around), 0)

const isAhead = (time: DateTime.Utc, now: DateTime.Utc): boolean => DateTime.greaterThan(time, now)

const gateBefore = (job: Job, { gates, now }: Surroundings): Option.Option<WaitReason> =>
  Array.findFirst(
    gates,
    (gate) =>
      holds(gate, job) && Option.match(gate.until, {
        onNone: () => true,
        onSome: (until) => isAhead(until, now)
      })
  ).pipe(Option.map(({ reason, ref, until }) => WaitReason.Gate({ reason, name: ref.name, until })))

const cooldownBefore = (job: Job, { cooldowns, now }: Surroundings): Option.Option<WaitReason> =>
  Array.findFirst(cooldowns, ({ provider, until }) => provider === job.provider && isAhead(until, now)).pipe(
    Option.map(({ provider, until }) => WaitReason.RateLimit({ provider, until }))
  )

const afterError = (job: Job, error: LastError): WaitReason =>
  isDown(error.tag) && job.provider !== null
    ? WaitReason.ProviderDown({ provider: job.provider, since: error.since ?? error.at, until: job.runAt })
    : WaitReason.Backoff({ until: job.runAt })

const clockBefore = (job: Job, now: DateTime.Utc): Option.Option<WaitReason> =>
  isAhead(job.runAt, now)
    ? Option.some(Option.match(job.lastError, {
      onNone: () => WaitReason.Scheduled({ until: job.runAt }),
      onSome: (error) => afterError(job, error)
    }))
    : Option.none()

/** The holder of a running job cannot be at it: its lease is over, or it lives no more. */
const heldByNobody = (job: Job, around: Surroundings): Option.Option<WaitReason> =>
  job.lease.pipe(
    Option.filter((lease) =>
      !Lease.isLive(lease, around.now) ||
      Option.exists(around.workers, (alive) => alive.every(({ id }) => id !== lease.worker))
    ),
    Option.map(({ expiresAt, worker }) => WaitReason.LeaseHeld({ worker, until: expiresAt, workers: living(around) }))
  )

/** Workers live, and none of them runs jobs of this kind, or those behind this provider. */
const unknownTo = (job: Job, { workers }: Surroundings): Option.Option<WaitReason> =>
  workers.pipe(
    Option.filter((alive) => alive.length > 0 && !alive.some(({ kinds }) => kinds.some((one) => runs(one, job)))),
    Option.map(() => WaitReason.NoWorkerForKind({ kind: job.kind }))
  )

const runs = ({ kind, provider }: Claimable, job: Job): boolean =>
  kind === job.kind && Option.match(provider, { onNone: () => true, onSome: (own) => own === job.provider })

/** Why this job does not run now; none where it runs, or is over. What only a person can mend goes before what time mends. */
export const waitReason = (job: Job, around: Surroundings): Option.Option<WaitReason> => {
  if (job.status === "running") return heldByNobody(job, around)
  if (job.status !== "pending") return Option.none()
  return Option.firstSomeOf([
    gateBefore(job, around),
    cooldownBefore(job, around),
    clockBefore(job, around.now),
    unknownTo(job, around),
    Option.some(WaitReason.Concurrency({ workers: living(around) }))
  ])
}

/** A time as all surfaces write it: to the second, in UTC. */
export const written = (time: DateTime.Utc): string => `${DateTime.formatIso(time).slice(0, 19)}Z`

/** The reason in a few words. */
export const describe = (reason: WaitReason): string =>
  Match.value(reason).pipe(
    Match.withReturnType<string>(),
    Match.tagsExhaustive({
      Gate: ({ reason, until }) =>
        Option.match(until, { onNone: () => reason, onSome: (time) => `${reason} until ${written(time)}` }),
      RateLimit: ({ until }) => `rate limit until ${written(until)}`,
      Backoff: ({ until }) => `back-off until ${written(until)}`,
      Scheduled: ({ until }) => `scheduled for ${written(until)}`,
      ProviderDown: ({ provider, since, until }) =>
        `${provider} down since ${written(since)}, tried again at ${written(until)}`,
      NoWorkerForKind: ({ kind }) => `a worker that runs jobs of kind "${kind}": none of those that run does`,
      Concurrency: ({ workers }) =>
        Option.match(workers, {
          onNone: () => "a free worker",
          onSome: (count) =>
            count === 0
              ? "a worker: none runs"
              : `a free worker: ${count === 1 ? "the one that runs is" : `all ${count} that run are`} busy`
        }),
      LeaseHeld: ({ worker, workers }) =>
        Option.contains(workers, 0)
          ? `a worker to take it over: ${worker} is gone, and none runs`
          : `a worker to take it over: ${worker} is gone`
    })
  )
