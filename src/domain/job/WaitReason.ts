import * as Array from "effect/Array"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Match from "effect/Match"
import * as Option from "effect/Option"
import * as Lease from "../lease/Lease.js"
import type { ClosedGate, GateReason } from "../session/Gate.js"
import type { Cooldown } from "../session/Gates.js"
import type { Job } from "./Job.js"

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
  /** It is ready: no worker runs, or all are busy. */
  Concurrency: {}
  /** Its worker was not heard of in time; the next worker that looks takes it over. */
  LeaseHeld: { readonly worker: Lease.WorkerId; readonly until: DateTime.Utc }
}>
export const WaitReason = Data.taggedEnum<WaitReason>()

/** What holds for everyone at this moment. `now` is the database's clock. */
export interface Surroundings {
  readonly gates: ReadonlyArray<ClosedGate>
  readonly cooldowns: ReadonlyArray<Cooldown>
  readonly now: DateTime.Utc
}

const isAhead = (time: DateTime.Utc, now: DateTime.Utc): boolean => DateTime.greaterThan(time, now)

const gateBefore = (job: Job, { gates, now }: Surroundings): Option.Option<WaitReason> =>
  Array.findFirst(
    gates,
    (gate) =>
      gate.ref.name === job.provider && Option.match(gate.until, {
        onNone: () => true,
        onSome: (until) => isAhead(until, now)
      })
  ).pipe(Option.map(({ reason, ref, until }) => WaitReason.Gate({ reason, name: ref.name, until })))

const cooldownBefore = (job: Job, { cooldowns, now }: Surroundings): Option.Option<WaitReason> =>
  Array.findFirst(cooldowns, ({ provider, until }) => provider === job.provider && isAhead(until, now)).pipe(
    Option.map(({ provider, until }) => WaitReason.RateLimit({ provider, until }))
  )

const clockBefore = (job: Job, now: DateTime.Utc): Option.Option<WaitReason> =>
  isAhead(job.runAt, now)
    ? Option.some(
      Option.isSome(job.lastError)
        ? WaitReason.Backoff({ until: job.runAt })
        : WaitReason.Scheduled({ until: job.runAt })
    )
    : Option.none()

/** Why this job does not run now; none where it runs, or is over. What only a person can mend goes before what time mends. */
export const waitReason = (job: Job, around: Surroundings): Option.Option<WaitReason> => {
  if (job.status === "running") {
    return Option.map(
      Option.filter(job.lease, (lease) => !Lease.isLive(lease, around.now)),
      ({ expiresAt, worker }) => WaitReason.LeaseHeld({ worker, until: expiresAt })
    )
  }
  if (job.status !== "pending") return Option.none()
  return Option.firstSomeOf([
    gateBefore(job, around),
    cooldownBefore(job, around),
    clockBefore(job, around.now),
    Option.some(WaitReason.Concurrency())
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
      Concurrency: () => "a free worker",
      LeaseHeld: ({ until, worker }) => `lease held by ${worker}, which ran out at ${written(until)}`
    })
  )
