import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/**
 * A lease says who may work on a job, and until when. Its fence is the claim's token: it grows with every claim, and a
 * write that carries an older fence than the newest claim's is refused.
 */

/** One worker process for one run of it; never used again by a later one. */
export const WorkerId = Schema.NonEmptyString.pipe(Schema.brand("WorkerId"))
export type WorkerId = typeof WorkerId.Type

/** A fencing token: strictly greater with every claim. */
export const Fence = Schema.Int.pipe(Schema.nonNegative(), Schema.brand("Fence"))
export type Fence = typeof Fence.Type

export class Lease extends Schema.Class<Lease>("Lease")({
  worker: WorkerId,
  fence: Fence,
  expiresAt: Schema.DateTimeUtc
}) {}

/** The answer to a claim. */
export type Claim = Data.TaggedEnum<{
  Granted: { readonly lease: Lease }
  Held: { readonly lease: Lease }
}>
export const Claim = Data.taggedEnum<Claim>()

/** A lease is live before its expiry; at the expiry itself it is over. */
export const isLive = (lease: Lease, now: DateTime.Utc): boolean => DateTime.lessThan(now, lease.expiresAt)

/**
 * Grant a lease when nobody holds a live one. A holder that `isGone` (its process holds no lock any more) loses it before
 * the expiry. `fence` must be greater than that of every earlier claim; the clock is the database's.
 */
export const claim = (
  current: Option.Option<Lease>,
  by: { readonly worker: WorkerId; readonly fence: Fence; readonly duration: Duration.Duration },
  now: DateTime.Utc,
  isGone: (worker: WorkerId) => boolean = () => false
): Claim =>
  Option.match(Option.filter(current, (lease) => isLive(lease, now) && !isGone(lease.worker)), {
    onSome: (lease) => Claim.Held({ lease }),
    onNone: () =>
      Claim.Granted({
        lease: Lease.make({
          worker: by.worker,
          fence: by.fence,
          expiresAt: DateTime.addDuration(now, by.duration)
        })
      })
  })

/** Heartbeat: the holder's lease runs on from now. None when a newer claim exists; an expired lease nobody took is renewed. */
export const renew = (
  current: Lease,
  fence: Fence,
  now: DateTime.Utc,
  duration: Duration.Duration
): Option.Option<Lease> =>
  admits(current, fence)
    ? Option.some(Lease.make({ ...current, expiresAt: DateTime.addDuration(now, duration) }))
    : Option.none()

/** Whether a write that carries `fence` may change a job whose newest claim is `current`. */
export const admits = (current: Lease, fence: Fence): boolean => current.fence === fence

/** How often a holder renews: three times a lease, so that two beats may fail. */
export const heartbeatEvery = (duration: Duration.Duration): Duration.Duration =>
  Duration.millis(Math.max(1, Duration.toMillis(duration) / 3))

/** How long a holder waits for the answer to a heartbeat. One that is lost is noticed, and sent again, before the lease ends. */
export const heartbeatLimit = (duration: Duration.Duration): Duration.Duration =>
  Duration.millis(Math.max(1, Duration.toMillis(duration) / 2))

/** A write came too late: a newer claim exists, or the job is no longer running. */
export class LeaseLost extends Schema.TaggedError<LeaseLost>()("LeaseLost", {
  job: Schema.Number,
  fence: Schema.Number
}) {
  override get message(): string {
    return `The lease on job ${this.job} is lost (fence ${this.fence}): another worker has it, or it was cancelled.`
  }
}
