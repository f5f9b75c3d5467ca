import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { userMessage } from "../../domain/failure/UserMessage.js"
import type { Failure } from "../../domain/failure/Failure.js"
import type { Job } from "../../domain/job/Job.js"
import * as WaitReason from "../../domain/job/WaitReason.js"
import type { Seen } from "../flows/work/CallWatch.js"
import { clean, rough } from "./Style.js"

/** What a job that is watched waits for. A pipe gets one line for each `key`. */
export interface Wait {
  readonly key: string
  readonly words: string
}

/** What is known of a job at one moment. `quiet` counts milliseconds since it last got on. */
export interface Moment {
  readonly job: Job
  readonly around: WaitReason.Surroundings
  readonly calls: Seen
  /** The clock of this process, that `calls` are dated by. */
  readonly now: number
  readonly quiet: number
  /** The limit of one embed call. */
  readonly limit: Duration.Duration
}

/** A wait of so many milliseconds is worth a line of its own, also where its like was told before. */
const lasting = 10_000

/** What takes longer than this many milliseconds is told. */
export const soon = 700

const clock = (millis: number): string => `${DateTime.formatIso(DateTime.unsafeMake(millis)).slice(11, 19)}Z`

const span = (from: number, to: number): string => rough(Duration.millis(Math.max(1000, to - from)))

const until = (time: number, now: number): string =>
  time > now ? `until ${clock(time)} (${span(now, time)})` : "any moment now"

const before = (failure: Option.Option<Failure>): string =>
  Option.match(failure, { onNone: () => "", onSome: (one) => ` Before: ${clean(userMessage(one))}` })

/** What is known of the calls of this process to a provider. */
export type CallsAt = Pick<Moment, "calls" | "now" | "limit"> & { readonly provider: string }

/** Short waits of one kind follow each other where a provider is slow: they are one, but for one that lasts from `at` on. */
const kind = (name: string, at: number, lasts: number, { calls }: CallsAt): string =>
  [
    name,
    Option.match(calls.failure, { onNone: () => "", onSome: ({ _tag }) => _tag }),
    lasts < lasting ? "" : Math.round(at / lasting)
  ].join(" ")

/** What the calls of this process wait for. */
export const callWait = (moment: CallsAt): Option.Option<Wait> => {
  const { calls, limit, now, provider } = moment
  return Option.firstSomeOf([
    Option.map(calls.heldUntil, (time): Wait => ({
      key: kind("held", time, time - now, moment),
      words: `The next call waits ${until(time, now)}: ${
        Option.match(calls.failure, {
          onNone: () => `${provider} asked everyone to slow down.`,
          onSome: (failure) => clean(userMessage(failure))
        })
      }`
    })),
    Option.filter(calls.askedAt, (at) => now - at >= soon).pipe(Option.map((at): Wait => ({
      key: kind("asked", at, now - at, moment),
      words: `No answer from ${provider} for ${span(at, now)}; it has time ${
        until(at + Duration.toMillis(limit), now)
      }.${before(calls.failure)}`
    })))
  ])
}

const left = (reason: WaitReason.WaitReason, { now }: WaitReason.Surroundings): string =>
  "until" in reason && DateTime.isDateTime(reason.until) && DateTime.greaterThan(reason.until, now)
    ? ` (${span(DateTime.toEpochMillis(now), DateTime.toEpochMillis(reason.until))})`
    : ""

const ofReason = (reason: WaitReason.WaitReason, { around, job: { lastError } }: Moment): Option.Option<Wait> =>
  reason._tag === "Concurrency" || reason._tag === "Gate"
    ? Option.none()
    : Option.some({
      key: WaitReason.describe(reason),
      words: `Waits for ${WaitReason.describe(reason)}${left(reason, around)}${
        reason._tag === "RateLimit" || reason._tag === "LeaseHeld"
          ? "."
          : Option.match(lastError, { onNone: () => ".", onSome: ({ message }) => `: ${clean(message)}` })
      }`
    })

/** What the job waits for; none where it gets on, or has only just stopped doing so. */
export const waitOf = (moment: Moment): Option.Option<Wait> =>
  moment.quiet < soon
    ? Option.none()
    : Option.firstSomeOf([
      Option.flatMap(WaitReason.waitReason(moment.job, moment.around), (reason) => ofReason(reason, moment)),
      moment.job.status === "running" && moment.job.provider !== null
        ? callWait({ ...moment, provider: moment.job.provider }) :
        Option.none(),
      moment.job.status === "running" && moment.job.progress.total === 0
        ? Option.some({ key: "planning", words: "Looking for what is new." })
        : Option.none()
    ])
