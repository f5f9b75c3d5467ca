import type * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Tracer from "effect/Tracer"
import type { RequestProblem } from "../request/RequestProblem.js"
import * as Request from "../request/RequestProblem.js"
import type { StoreFailure } from "../store/StoreFailure.js"
import * as Tenants from "../store/Tenant.js"
import type { Tenant } from "../store/Tenant.js"
import * as Storable from "../text/Storable.js"
import * as StorableJson from "../text/StorableJson.js"
import { JobKinds, served } from "./JobKinds.js"
import { IfOver, IfRunning, JobQueue } from "./JobQueue.js"
import type { Enqueued, NewJob } from "./JobQueue.js"
import * as MaxAttempts from "./MaxAttempts.js"
import { Outcome } from "./Outcome.js"
import { JobFailed } from "./Run.js"
import type { HandlerFailure, Run } from "./Run.js"

/**
 * A kind of job: its name, its payload and what it stands behind, as a value; what it does is a Layer (`toLayer`). Queue, leases,
 * gates, CLI and console know of a kind only what it declares here.
 *
 *     const Digest = JobKind.make("digest", {
 *       payload: Schema.Struct({ user: Schema.String, day: Schema.String }),
 *       key: ({ day, user }) => `${user}/${day}`,
 *       provider: () => "openai"
 *     })
 *     const DigestLive = Digest.toLayer(Effect.fnUntraced(function*({ day, user }, { step }) {
 *       const draft = yield* step("draft", Draft, ask(user, day)) // stored: never asked for twice
 *       yield* step("save", Schema.Void, save(draft))
 *     }))
 *     yield* Digest.enqueue({ user, day })
 */
export interface JobKind<P, S> {
  readonly name: string
  /**
   * Makes sure that there is an open job of this payload's key, in the caller's transaction where there is one. What is asked for
   * is the payload: one that does not fit the schema is a RequestProblem.
   */
  readonly enqueue: (
    payload: P,
    options?: EnqueueOptions
  ) => Effect.Effect<Enqueued, RequestProblem | StoreFailure, JobQueue | Tenant>
  /** Many at once, by one statement: all of them, or none. The answers are in the order of the payloads. */
  readonly enqueueAll: (
    payloads: ReadonlyArray<P>,
    options?: EnqueueOptions
  ) => Effect.Effect<ReadonlyArray<Enqueued>, RequestProblem | StoreFailure, JobQueue | Tenant>
  /** The handler, for the workers of whoever provides this layer. Two handlers for one kind are a defect. */
  readonly toLayer: <R>(handler: Handler<P, S, R>) => Layer.Layer<never, never, JobKinds | Exclude<R, Tenant>>
  /** What is stored of a job of this kind, read by its schemas. */
  readonly payloadOf: (stored: { readonly payload: unknown }) => Effect.Effect<P, JobFailed>
  readonly outputOf: (stored: { readonly output: unknown }) => Effect.Effect<S, JobFailed>
}

/** What a kind does. Whatever it fails with beside these is a defect, and ends the attempt as a bug. */
export type Handler<P, S, R> = (payload: P, run: Run) => Effect.Effect<S, HandlerFailure, R>

/** What can be said of a job beside its payload. */
export interface EnqueueOptions {
  /** Not before this time. Default: at once. */
  readonly runAt?: DateTime.Utc | undefined
  /** Greater goes first, from -100 to 100. Default 0. */
  readonly priority?: number | undefined
  /** Tries before the job fails for good. Default: the kind's, else the settings', else 5. */
  readonly maxAttempts?: number | undefined
  /** What the work depends on beside the payload, such as a document's revision: a running job runs once more where it differs. */
  readonly version?: string | undefined
  /** Where a job of the key runs already. Default "again-if-changed": once more where payload or version differ. */
  readonly ifRunning?: IfRunning | undefined
  /** Where the newest job of the key is over. Default "open-another". */
  readonly ifOver?: IfOver | undefined
}

export interface Options<P, PI, S, SI> {
  readonly payload: Schema.Schema<P, PI>
  /** What the handler answers, stored with the job: at most 256 KiB as JSON. */
  readonly success?: Schema.Schema<S, SI> | undefined
  /** One open job for each key, of 1 to 500 characters. Without it every enqueue makes a job of its own. */
  readonly key?: ((payload: P) => string) | undefined
  /** The provider whose gate and cooldown hold the job back. */
  readonly provider?: ((payload: P) => string | undefined) | undefined
  /** The session whose gate holds the job back. Default: one that is called like the provider. */
  readonly session?: ((payload: P) => string | undefined) | undefined
  readonly maxAttempts?: number | undefined
  /** Of one attempt. */
  readonly timeLimit?: Duration.DurationInput | undefined
}

/** The most bytes of a payload and of an output, as JSON in UTF-8. */
export const mostPayload = 1024 * 1024
export const mostOutput = 256 * 1024

/** Jobs that one enqueue may ask for. */
const mostAtOnce = 10_000

const mostPriority = 100

const longestKey = 500

/** Of providers, sessions and versions. */
const longestName = 200

const nameOrNull = (field: string, given: string | null | undefined) =>
  given === null || given === undefined ? Either.right(null) : Request.name(field, given, longestName)

/** The years that a job may be put off to. */
const lastTime = Date.UTC(9999, 11, 31)

const timeOrNull = (given: DateTime.Utc | undefined) =>
  given === undefined || given.epochMillis >= 0 && given.epochMillis <= lastTime
    ? Either.right(given ?? null)
    : Either.left(problem("runAt", "not a time of this age", "a time from 1970 to 9999"))

/** The kind that holdfast itself brings (IndexJob). */
const reserved = "index"

const problem = (field: string, given: string, allowed: string) => new Request.RequestProblem({ field, given, allowed })

const oneLine = (text: string): string => Storable.cut(Storable.oneLine(text), 200)

/** The context of the caller's span, as a `traceparent` of W3C Trace Context. */
const trace = Effect.map(
  Effect.option(Effect.currentSpan),
  Option.match({
    onNone: () => null,
    onSome: ({ sampled, spanId, traceId }) => `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`
  })
)

/** The span that a `traceparent` names. */
export const parentSpan = (traceparent: string): Option.Option<Tracer.ExternalSpan> => {
  const [, traceId, spanId, flags] = traceparent.split("-")
  return traceId === undefined || spanId === undefined
    ? Option.none()
    : Option.some(Tracer.externalSpan({ traceId, spanId, sampled: flags === "01" }))
}

const kindOf = (name: string): Either.Either<string, RequestProblem> =>
  !/^[a-z][a-z0-9._-]{0,63}$/.test(name)
    ? Either.left(problem(
      "The name of a kind",
      name === "" ? "empty" : `"${oneLine(name)}"`,
      "a small letter, then small letters, digits, dots, dashes and underscores, 64 in all"
    ))
    : name === reserved
    ? Either.left(problem("The name of a kind", `"${name}"`, "any but holdfast's own"))
    : Either.right(name)

const limitOf = (
  given: Duration.DurationInput | undefined
): Either.Either<Duration.Duration | undefined, RequestProblem> => {
  const limit = given === undefined ? undefined : Duration.decode(given)
  return limit !== undefined && Duration.toMillis(limit) < 1
    ? Either.left(problem("timeLimit", Duration.format(limit), "a millisecond or longer"))
    : Either.right(limit)
}

/** What is wrong where a kind is made is a bug of whoever wrote it, and found at the first start. */
const right = <A>(made: Either.Either<A, RequestProblem>): A => Either.getOrThrowWith(made, (problem) => problem)

/** Make a kind. Its name is part of what is stored: a changed name is another kind. */
export const make = <P, PI, S = void, SI = void>(
  kindName: string,
  options: Options<P, PI, S, SI>
): JobKind<P, S> => {
  const kind = right(kindOf(kindName))
  const timeLimit = right(limitOf(options.timeLimit))
  if (options.maxAttempts !== undefined) right(MaxAttempts.whole(options.maxAttempts))
  const encodePayload = Schema.encode(options.payload)
  const decodePayload = StorableJson.decoded(options.payload)
  const { key: keyOf, provider: providerOf, session: sessionOf, success } = options

  const keyFor = (payload: P) =>
    keyOf === undefined ? Either.right(null) : Request.name("key", keyOf(payload), longestKey)

  const newJob = Effect.fnUntraced(
    function*(payload: P, more: Omit<NewJob, "key" | "payload" | "provider" | "session">) {
      const encoded = yield* Effect.mapError(
        encodePayload(payload),
        (error) =>
          problem(`The payload of "${kind}"`, "not what its schema says", `what fits: ${oneLine(error.message)}`)
      )
      yield* Either.mapLeft(
        StorableJson.encoded(encoded, mostPayload),
        ({ why }) => problem(`The payload of "${kind}"`, `not storable (${why})`, "what can be stored")
      )
      const job: NewJob = {
        ...more,
        key: yield* keyFor(payload),
        payload: encoded,
        provider: yield* nameOrNull("provider", providerOf?.(payload)),
        // Where nothing else is said, a session has its provider's name.
        session: yield* nameOrNull("session", sessionOf?.(payload) ?? providerOf?.(payload))
      }
      return job
    }
  )

  const asking = Effect.fn("JobKind.enqueueAll")(
    function*(payloads: ReadonlyArray<P>, asked: EnqueueOptions, trace: string | null) {
      yield* Tenants.own
      yield* Request.whole("The number of payloads", payloads.length, 0, mostAtOnce)
      const ifRunning = yield* Request.oneOf("ifRunning", asked.ifRunning ?? "again-if-changed", IfRunning.literals)
      const ifOver = yield* Request.oneOf("ifOver", asked.ifOver ?? "open-another", IfOver.literals)
      const more = {
        version: yield* nameOrNull("version", asked.version),
        priority: yield* Request.whole("priority", asked.priority ?? 0, -mostPriority, mostPriority),
        maxAttempts: yield* MaxAttempts.asked(asked.maxAttempts ?? options.maxAttempts),
        runAt: yield* timeOrNull(asked.runAt),
        trace
      }
      const jobs = yield* Effect.forEach(payloads, (payload) => newJob(payload, more))
      const queue = yield* JobQueue
      return yield* queue.enqueue({ kind, jobs, ifRunning, ifOver })
    },
    (enqueuing) => Effect.annotateSpans(enqueuing, { kind })
  )

  // The caller's span, and not that of the enqueue itself: a caller without one leaves the attempts without one.
  const enqueueAll: JobKind<P, S>["enqueueAll"] = (payloads, asked = {}) =>
    Effect.flatMap(trace, (trace) => asking(payloads, asked, trace))

  const enqueue: JobKind<P, S>["enqueue"] = (payload, asked) =>
    Effect.flatMap(enqueueAll([payload], asked), ([one]) =>
      // The port answers a job for each that is asked for.
      one === undefined ? Effect.dieMessage(`No job of kind "${kind}" was answered.`) : Effect.succeed(one))

  const payloadOf: JobKind<P, S>["payloadOf"] = ({ payload }) =>
    Effect.mapError(decodePayload(payload), (error) =>
      new JobFailed({
        message: `The stored payload does not fit the schema of "${kind}".`,
        detail: oneLine(error.message),
        permanent: true
      }))

  const outputOf: JobKind<P, S>["outputOf"] = ({ output }) =>
    success === undefined
      // A kind without a success schema answers nothing: S is void.
      ? Effect.succeed(undefined as S)
      : Effect.mapError(StorableJson.decoded(success)(output), (error) =>
        new JobFailed({
          message: `The stored output does not fit the schema of "${kind}".`,
          detail: oneLine(error.message),
          permanent: true
        }))

  const unusable = (detail: string) =>
    new JobFailed({ message: `The output of "${kind}" cannot be stored.`, detail, permanent: true })

  const completed = (answer: S): Effect.Effect<Outcome, JobFailed> => {
    if (success === undefined) return Effect.succeed(nothing)
    return Effect.flatMap(
      Effect.mapError(Schema.encode(success)(answer), (error) => unusable(oneLine(error.message))),
      (output) =>
        Either.match(StorableJson.encoded(output, mostOutput), {
          onLeft: ({ why }) => Effect.fail(unusable(why)),
          onRight: () => Effect.succeed(Outcome.Completed({ output, partial: false }))
        })
    )
  }

  const toLayer: JobKind<P, S>["toLayer"] = <R>(handler: Handler<P, S, R>) =>
    Layer.effectDiscard(Effect.gen(function*() {
      const kinds = yield* JobKinds
      const services = yield* Effect.context<Exclude<R, Tenant>>()
      yield* kinds.register({
        kind,
        provider: Option.none(),
        timeLimit,
        ...served<R>(
          services,
          (run) => Effect.flatMap(Effect.flatMap(payloadOf(run.job), (payload) => handler(payload, run)), completed)
        )
      })
    }))

  return { name: kind, enqueue, enqueueAll, toLayer, payloadOf, outputOf }
}

const nothing = Outcome.Completed({ output: null, partial: false })
