import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { JobId } from "../../../src/domain/job/Job.js"
import * as JobKind from "../../../src/domain/job/JobKind.js"
import { JobKinds } from "../../../src/domain/job/JobKinds.js"
import type { RunnableKind } from "../../../src/domain/job/JobKinds.js"
import { JobQueue } from "../../../src/domain/job/JobQueue.js"
import type { EnqueueRequest } from "../../../src/domain/job/JobQueue.js"
import { MaxAttempts } from "../../../src/domain/job/MaxAttempts.js"
import type { Run } from "../../../src/domain/job/Run.js"
import { Tenant } from "../../../src/domain/store/Tenant.js"
import { held } from "../../support/Jobs.js"

const Ticket = Schema.Struct({ ticket: Schema.String, due: Schema.Date })
const payload = { ticket: "T-1", due: DateTime.toDateUtc(DateTime.unsafeMake("2026-05-01T12:00:00Z")) }

/** What the queue is asked for. */
const asking = <A, E>(enqueuing: Effect.Effect<A, E, JobQueue | Tenant>, tenant = "tests") => {
  const requests: Array<EnqueueRequest> = []
  const queue = Layer.mock(JobQueue, {
    enqueue: (request) =>
      Effect.sync(() => {
        requests.push(request)
        return request.jobs.map(({ key }, nth) => ({
          id: JobId.make(nth + 1),
          key: key ?? `own-${nth}`,
          status: "pending" as const
        }))
      })
  })
  return enqueuing.pipe(
    Effect.provide(queue),
    Effect.provideService(Tenant, tenant),
    Effect.exit,
    Effect.map((exit) => ({ exit, requests }))
  )
}

const problemOf = <A, E extends { readonly message: string }>(exit: Exit.Exit<A, E>): string =>
  Exit.match(exit, {
    onSuccess: () => "",
    onFailure: (cause) => cause._tag === "Fail" ? cause.error.message : String(cause)
  })

const run = (stored: unknown, tenant = "tests"): Run => ({
  ...held(1, 1, tenant),
  held: held(1, 1, tenant),
  job: { ...held(1).job, payload: stored },
  gotOn: Effect.void,
  stop: Effect.never,
  progress: () => Effect.void,
  fenced: (write) => write,
  step: (_, __, effect) => Effect.isEffect(effect) ? effect : effect("key"),
  idempotencyKey: (step) => step
})

/** The kind as a worker gets it. */
const registered = (layer: Layer.Layer<never, never, JobKinds>): Effect.Effect<RunnableKind> =>
  Effect.flatMap(JobKinds, ({ all }) => all).pipe(
    Effect.flatMap(([kind]) => kind === undefined ? Effect.dieMessage("nothing is registered") : Effect.succeed(kind)),
    Effect.provide(Layer.provideMerge(layer, JobKinds.layer))
  )

describe("asking for a job of a kind", () => {
  it.effect("asks the queue for the payload as its schema encodes it, and what the kind says of it", () =>
    Effect.gen(function*() {
      const Kind = JobKind.make("digest", {
        payload: Ticket,
        key: ({ ticket }) => ticket,
        provider: () => "openai",
        session: ({ ticket }) => ticket === "T-1" ? "backend" : undefined,
        maxAttempts: 7
      })
      const { exit, requests } = yield* asking(Kind.enqueue(payload))
      expect(exit).toEqual(Exit.succeed({ id: 1, key: "T-1", status: "pending" }))
      expect(requests).toEqual([{
        kind: "digest",
        ifRunning: "again-if-changed",
        ifOver: "open-another",
        jobs: [{
          key: "T-1",
          payload: { ticket: "T-1", due: "2026-05-01T12:00:00.000Z" },
          version: null,
          provider: "openai",
          session: "backend",
          priority: 0,
          maxAttempts: 7,
          runAt: null,
          trace: null
        }]
      }])
    }))

  it.effect("takes from the request what it says itself, and else the settings' tries", () =>
    Effect.gen(function*() {
      const Kind = JobKind.make("digest", { payload: Ticket })
      const runAt = DateTime.unsafeMake("2027-01-01T00:00:00Z")
      const options = {
        runAt,
        priority: -3,
        maxAttempts: 2,
        version: "v1",
        ifRunning: "leave",
        ifOver: "leave"
      } as const
      const { requests } = yield* asking(Kind.enqueueAll([payload, payload], options))
      const job = { key: null, runAt, priority: -3, maxAttempts: 2, version: "v1", provider: null, session: null }
      expect(requests).toMatchObject([{ ifRunning: "leave", ifOver: "leave", jobs: [job, job] }])
      const plain = yield* asking(Effect.provideService(Kind.enqueue(payload), MaxAttempts, 9))
      expect(plain.requests[0]?.jobs[0]?.maxAttempts).toBe(9)
    }))

  it.effect("names the caller's span, which the attempt's span is then a child of", () =>
    Effect.gen(function*() {
      const Kind = JobKind.make("digest", { payload: Ticket })
      const { requests } = yield* Effect.withSpan(asking(Kind.enqueue(payload)), "a request")
      const trace = requests[0]?.jobs[0]?.trace ?? ""
      expect(trace).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
      expect(Option.getOrThrow(JobKind.parentSpan(trace)).traceId).toBe(trace.slice(3, 35))
      expect(JobKind.parentSpan("nonsense")).toEqual(Option.none())
    }))

  const Kind = JobKind.make("digest", { payload: Schema.Struct({ key: Schema.String }), key: ({ key }) => key })
  it.effect.each<[what: string, options: JobKind.EnqueueOptions, payload: { readonly key: string }, sentence: string]>([
    [
      "a priority beyond the bounds",
      { priority: 101 },
      { key: "a" },
      "priority is 101; allowed is a whole number from -100 to 100."
    ],
    ["no try at all", { maxAttempts: 0 }, { key: "a" }, "maxAttempts is 0; allowed is a whole number from 1 to 100."],
    // As a caller in JavaScript may ask.
    [
      "another word",
      { ifOver: JSON.parse("\"maybe\"") },
      { key: "a" },
      "ifOver is \"maybe\"; allowed is one of open-another, leave."
    ],
    [
      "an empty key",
      {},
      { key: "" },
      "key is empty; allowed is 1 to 500 characters, without control characters."
    ],
    [
      "a long key",
      {},
      { key: "k".repeat(501) },
      "key is of 501 characters; allowed is 1 to 500 characters, without control characters."
    ]
  ])("refuses %s in one sentence, and asks for nothing", ([, options, given, sentence]) =>
    Effect.gen(function*() {
      const { exit, requests } = yield* asking(Kind.enqueueAll([{ key: "right" }, given], options))
      expect([problemOf(exit), requests]).toEqual([sentence, []])
    }))

  it.effect("refuses a payload that does not fit its schema, or that the database does not store", () =>
    Effect.gen(function*() {
      const Short = JobKind.make("short", { payload: Schema.Struct({ text: Schema.String.pipe(Schema.maxLength(3)) }) })
      const unfit = yield* asking(Short.enqueue({ text: "four" }))
      expect(problemOf(unfit.exit)).toMatch(
        /^The payload of "short" is not what its schema says; allowed is what fits: /
      )
      const Text = JobKind.make("text", { payload: Schema.String })
      for (const text of ["a\u0000b", "half \ud800", "x".repeat(JobKind.mostPayload)]) {
        const { exit, requests } = yield* asking(Text.enqueue(text))
        expect(problemOf(exit)).toMatch(
          /^The payload of "text" is not storable \(.+\); allowed is what can be stored\.$/
        )
        expect(requests).toEqual([])
      }
      expect(Exit.isSuccess((yield* asking(Text.enqueue("x".repeat(JobKind.mostPayload - 2)))).exit)).toBe(true)
    }))

  it.effect.each<[what: string, tenant: string, given: string]>([
    ["none", "", "empty"],
    ["a long one", "t".repeat(201), "of 201 characters"],
    ["one that cannot be stored", "a\u0000", "a text with a control character, or half a surrogate pair"],
    ["one of blanks", "  ", "empty"]
  ])("refuses a tenant that is none, at the call: %s", ([, tenant, given]) =>
    Effect.gen(function*() {
      const { exit, requests } = yield* asking(Kind.enqueue({ key: "a" }), tenant)
      expect([problemOf(exit), requests]).toEqual([
        `The tenant is ${given}; allowed is 1 to 200 characters, without control characters.`,
        []
      ])
    }))

  it.effect("counts a key's characters as the database does", () =>
    Effect.gen(function*() {
      const { exit, requests } = yield* asking(Kind.enqueue({ key: "\u{1f600}".repeat(500) }))
      expect([Exit.isSuccess(exit), requests.length]).toEqual([true, 1])
      const long = yield* asking(Kind.enqueue({ key: "\u{1f600}".repeat(501) }))
      expect(problemOf(long.exit)).toMatch(/^key is of 501 characters/)
    }))

  it.each<[string, string, Partial<JobKind.Options<void, void, void, void>>, string]>([
    ["the name of our own kind", "index", {}, "The name of a kind is \"index\"; allowed is any but holdfast's own."],
    ["no tries", "tries", { maxAttempts: 0 }, "maxAttempts is 0; allowed is a whole number from 1 to 100."],
    ["part of a try", "tries", { maxAttempts: 1.5 }, "maxAttempts is 1.5; allowed is a whole number from 1 to 100."],
    ["no time at all", "time", { timeLimit: 0 }, "timeLimit is 0; allowed is a millisecond or longer."]
  ])("refuses %s where the kind is made", (_, name, options, sentence) => {
    expect(() => JobKind.make(name, { payload: Schema.Void, ...options })).toThrow(sentence)
  })

  it("refuses a wrong name where the kind is made", () => {
    for (const name of ["", "Digest", "a b", "x".repeat(65)]) {
      expect(() => JobKind.make(name, { payload: Schema.Void })).toThrow(
        /^The name of a kind is .+; allowed is a small letter, then /
      )
    }
  })
})

/** As a worker runs it: with its services, for the job's tenant. */
const handled = (kind: RunnableKind, given: Run) =>
  Effect.provide(kind.handle(given), Context.add(kind.services, Tenant, given.held.tenant))

describe("the handler of a kind", () => {
  it.effect("is given the payload by its schema, and its answer is the output by its schema", () =>
    Effect.gen(function*() {
      const Kind = JobKind.make("digest", { payload: Ticket, success: Schema.Date, timeLimit: "5 minutes" })
      const kind = yield* registered(Kind.toLayer(({ due }) => Effect.succeed(due)))
      expect([kind.kind, kind.provider, kind.timeLimit]).toEqual(["digest", Option.none(), Duration.minutes(5)])
      const stored = { ticket: "T-1", due: "2026-05-01T12:00:00.000Z" }
      const outcome = yield* handled(kind, run(stored))
      expect(outcome).toEqual({ _tag: "Completed", output: "2026-05-01T12:00:00.000Z", partial: false })
      expect(yield* Kind.payloadOf({ payload: stored })).toEqual(payload)
      expect(yield* Kind.outputOf({ output: "2026-05-01T12:00:00.000Z" })).toEqual(payload.due)
    }))

  it.effect("has no output where its kind has no success", () =>
    Effect.gen(function*() {
      const Kind = JobKind.make("void", { payload: Schema.Void })
      const kind = yield* registered(Kind.toLayer(() => Effect.void))
      expect(yield* handled(kind, run(null))).toEqual({ _tag: "Completed", output: null, partial: false })
      expect(yield* Kind.outputOf({ output: null })).toBe(undefined)
    }))

  it.effect("fails for good over a stored payload, or an answer, that does not fit or is too large", () =>
    Effect.gen(function*() {
      const Kind = JobKind.make("text", {
        payload: Schema.String,
        success: Schema.String.pipe(Schema.filter((text) => text !== "odd"))
      })
      const kind = yield* registered(Kind.toLayer((text) => Effect.succeed(text.repeat(JobKind.mostOutput / 4))))
      const odd = yield* registered(Kind.toLayer(() => Effect.succeed("odd")))
      const failures = yield* Effect.all([
        Effect.flip(handled(kind, run(7))),
        Effect.flip(handled(kind, run("large"))),
        Effect.flip(handled(odd, run("x"))),
        Effect.flip(Kind.outputOf({ output: 7 }))
      ])
      expect(failures).toMatchObject([
        { _tag: "JobFailed", permanent: true, message: "The stored payload does not fit the schema of \"text\"." },
        { _tag: "JobFailed", permanent: true, message: "The output of \"text\" cannot be stored." },
        { _tag: "JobFailed", permanent: true, message: "The output of \"text\" cannot be stored." },
        { _tag: "JobFailed", permanent: true, message: "The stored output does not fit the schema of \"text\"." }
      ])
    }))

  it.effect("has the services of whoever registered it, and the tenant of its job", () =>
    Effect.gen(function*() {
      class Sender extends Context.Tag("tests/Sender")<Sender, string>() {}
      const Kind = JobKind.make("who", { payload: Schema.Void, success: Schema.String })
      const layer = Kind.toLayer(() => Effect.zipWith(Sender, Tenant, (sender, tenant) => `${sender} for ${tenant}`))
      const kind = yield* registered(Layer.provide(layer, Layer.succeed(Sender, "post")))
      const outputs = yield* Effect.forEach(["a", "b", "a"], (tenant) => handled(kind, run(null, tenant)))
      expect(outputs.map((outcome) => outcome._tag === "Completed" && outcome.output)).toEqual([
        "post for a",
        "post for b",
        "post for a"
      ])
    }))

  it.effect("is one for each kind: another one is a bug", () =>
    Effect.gen(function*() {
      const layer = JobKind.make("twice", { payload: Schema.Void }).toLayer(() => Effect.void)
      const twice = Layer.provideMerge(Layer.merge(Layer.fresh(layer), Layer.fresh(layer)), JobKinds.layer)
      const exit = yield* Effect.exit(Layer.build(twice))
      expect(String(exit)).toContain("Two handlers are given for jobs of kind \\\"twice\\\".")
    }).pipe(Effect.scoped))

  it.effect.prop(
    "reads every payload as it was given",
    {
      text: FastCheck.string(),
      n: FastCheck.integer(),
      at: FastCheck.date({
        noInvalidDate: true,
        min: new Date("0001-01-01T00:00:00Z"),
        max: new Date("9999-12-31T00:00:00Z")
      })
    },
    (given) =>
      Effect.gen(function*() {
        const Kind = JobKind.make("any", {
          payload: Schema.Struct({ text: Schema.String, n: Schema.Int, at: Schema.Date })
        })
        const { exit, requests } = yield* asking(Kind.enqueue(given))
        if (Exit.isFailure(exit)) return
        // As the database answers it.
        const stored: unknown = JSON.parse(JSON.stringify(requests[0]?.jobs[0]?.payload))
        expect(yield* Kind.payloadOf({ payload: stored })).toEqual(given)
      })
  )
})
