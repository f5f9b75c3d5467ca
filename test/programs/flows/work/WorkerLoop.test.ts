import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { JobId } from "../../../../src/domain/job/Job.js"
import { JobQueue } from "../../../../src/domain/job/JobQueue.js"
import type { Held } from "../../../../src/domain/job/JobQueue.js"
import { Outcome } from "../../../../src/domain/job/Outcome.js"
import {
  StoreBroken,
  StoreConflict,
  StoreRejectedData,
  StoreUnavailable
} from "../../../../src/domain/store/StoreFailure.js"
import { work } from "../../../../src/programs/flows/work/WorkerLoop.js"
import { held } from "../../../support/Jobs.js"
import { completed } from "../../../support/Outcomes.js"
import { queueOf, settledDown, workWith } from "../../../support/ScriptedQueue.js"
import type { Handler } from "../../../support/ScriptedQueue.js"

/** What happens beside a worker that has looked for jobs once and works until it is over. */
const beside = <A, E, E2>(
  layer: Layer.Layer<Effect.Effect.Context<ReturnType<typeof workWith>>, E2>,
  run: Handler,
  happens: Effect.Effect<A, E>
) =>
  Effect.gen(function*() {
    const working = yield* Effect.fork(workWith(run))
    yield* settledDown
    yield* happens
    yield* Fiber.interrupt(working)
  }).pipe(Effect.provide(layer))

/** The same beside a worker whose jobs wait until the latch is open. */
const besideWaiting = <A, E, E2>(
  layer: Parameters<typeof beside<A, E, E2>>[0],
  happens: (go: Effect.Latch) => Effect.Effect<A, E>,
  open = false
) => Effect.flatMap(Effect.makeLatch(open), (go) => beside(layer, () => Effect.as(go.await, completed), happens(go)))

describe("working on jobs", () => {
  it.effect("lets a job that waits hold up none of those that were claimed with it", () => {
    const { ends, layer } = queueOf({ claims: [Effect.succeed([held(1), held(2), held(3)])] })
    return Effect.gen(function*() {
      const go = yield* Deferred.make<void>()
      const working = yield* Effect.fork(
        workWith(({ job }) => Effect.as(job.id === 2 ? Deferred.await(go) : Effect.void, completed))
      )
      yield* settledDown
      expect(ends.toSorted()).toEqual(["1 Completed", "3 Completed"])
      yield* Deferred.succeed(go, undefined)
      yield* settledDown
      expect(ends.length).toBe(3)
      yield* Fiber.interrupt(working)
      expect(ends.toSorted()).toEqual(["1 Completed", "2 Completed", "3 Completed"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("looks for jobs at each hint, and when the poll is due", () => {
    const { asked, hint, layer } = queueOf({ claims: [] })
    return beside(
      layer,
      () => Effect.succeed(completed),
      Effect.gen(function*() {
        expect(asked()).toBe(1)
        hint()
        yield* settledDown
        expect(asked()).toBe(2)
        yield* TestClock.adjust("4900 millis")
        expect(asked()).toBe(2)
        yield* TestClock.adjust("100 millis")
        expect(asked()).toBe(3)
      })
    )
  })

  it.effect("looks again where a hint came while it claimed", () =>
    Effect.gen(function*() {
      const claiming = yield* Deferred.make<void>()
      const answered = yield* Deferred.make<void>()
      const slow = Effect.as(Effect.zipRight(Deferred.succeed(claiming, undefined), Deferred.await(answered)), [])
      const { asked, hint, layer } = queueOf({ claims: [slow] })
      yield* Effect.gen(function*() {
        const working = yield* Effect.fork(workWith(() => Effect.succeed(completed)))
        yield* Deferred.await(claiming)
        hint()
        yield* Deferred.succeed(answered, undefined)
        yield* settledDown
        expect(asked()).toBe(2)
        yield* Fiber.interrupt(working)
      }).pipe(Effect.provide(layer))
    }))

  it.effect("begins a job that a hint tells of", () => {
    const { asked, ends, hint, layer } = queueOf({ claims: [Effect.succeed([]), Effect.succeed([held(1)])] })
    return beside(
      layer,
      () => Effect.succeed(completed),
      Effect.gen(function*() {
        expect([asked(), ends]).toEqual([1, []])
        hint()
        yield* settledDown
        expect(ends).toEqual(["1 Completed"])
      })
    )
  })

  it.effect("claims once for all jobs that end in one call", () => {
    const { asked, ends, layer } = queueOf({ claims: [Effect.succeed([held(1), held(2), held(3)])] })
    return besideWaiting(layer, (go) =>
      Effect.gen(function*() {
        expect(asked()).toBe(1)
        yield* go.open
        yield* settledDown
        expect([ends.length, asked()]).toEqual([3, 2])
      }))
  })

  it.effect("claims once at a time, and once more for all hints that came meanwhile", () =>
    Effect.gen(function*() {
      const answered = yield* Deferred.make<ReadonlyArray<Held>>()
      const { asked, hint, layer } = queueOf({ claims: [Effect.succeed([]), Deferred.await(answered)] })
      yield* beside(
        layer,
        () => Effect.succeed(completed),
        Effect.gen(function*() {
          for (let hints = 0; hints < 3; hints += 1) {
            hint()
            yield* settledDown
          }
          expect(asked()).toBe(2)
          yield* Deferred.succeed(answered, [])
          yield* settledDown
          expect(asked()).toBe(3)
        })
      )
    }))

  it.effect("asks for as many jobs as there are free slots, at a hint as well, and waits where there are none", () => {
    const many = Array.from({ length: 14 }, (_, nth) => held(nth + 3))
    const { ends, hint, layer, slots } = queueOf({
      claims: [Effect.succeed([held(1), held(2)]), Effect.succeed(many), Effect.succeed([held(17)])],
      workers: 16
    })
    return besideWaiting(layer, (go) =>
      Effect.gen(function*() {
        hint()
        yield* settledDown
        hint()
        yield* settledDown
        expect(slots).toEqual([16, 14])
        yield* go.open
        yield* settledDown
        expect([slots.slice(0, 4), ends.length]).toEqual([[16, 14, 16, 16], 17])
      }))
  })

  it.effect("waits for a free slot where a hint's claim took the last one, though a job had ended before", () => {
    const many = Array.from({ length: 8 }, (_, nth) => held(nth + 2))
    const { asked, ends, hint, layer } = queueOf({
      claims: [Effect.succeed([held(1)]), Effect.succeed([]), Effect.succeed(many), Effect.succeed([held(10)])]
    })
    return besideWaiting(layer, (go) =>
      Effect.gen(function*() {
        expect([ends, asked()]).toEqual([["1 Completed"], 2])
        yield* go.close
        hint()
        yield* settledDown
        expect(asked()).toBe(3)
        yield* go.open
        yield* settledDown
        expect(ends.length).toBe(10)
      }), true)
  })

  it.effect("tries a claim again that the store refused for the moment", () => {
    const claims = [Effect.succeed([]), Effect.fail(new StoreConflict({ detail: "lost" })), Effect.succeed([held(1)])]
    const { ends, hint, layer } = queueOf({ claims })
    return beside(
      layer,
      () => Effect.succeed(completed),
      Effect.gen(function*() {
        hint()
        yield* settledDown
        expect(ends).toEqual([])
        yield* TestClock.adjust("6 seconds")
        expect(ends).toEqual(["1 Completed"])
      })
    )
  })

  it.effect("ends with the failure that a hint's claim met, where it is not a passing one", () => {
    const broken = Effect.fail(new StoreBroken({ sqlState: "42601", detail: "broken" }))
    const { hint, layer } = queueOf({ claims: [Effect.succeed([]), broken, broken] })
    return Effect.gen(function*() {
      const working = yield* Effect.fork(workWith(() => Effect.succeed(completed)))
      yield* settledDown
      hint()
      expect(yield* Effect.flip(Fiber.join(working))).toMatchObject({ _tag: "StoreBroken" })
    }).pipe(Effect.provide(layer))
  })

  it.effect("claims nothing at a hint while others do not see the worker's lock", () => {
    const lock = Effect.unsafeMakeLatch(true)
    const { asked, ends, hint, layer } = queueOf({ claims: [Effect.succeed([]), Effect.succeed([held(1)])], lock })
    return beside(
      layer,
      () => Effect.succeed(completed),
      Effect.gen(function*() {
        yield* lock.close
        hint()
        yield* settledDown
        expect(asked()).toBe(1)
        yield* lock.open
        yield* settledDown
        expect(ends).toEqual(["1 Completed"])
      })
    )
  })

  it.effect("gives back what a hint's claim took while the worker was stopped", () =>
    Effect.gen(function*() {
      const answered = yield* Deferred.make<ReadonlyArray<Held>>()
      const { asked, ends, hint, layer } = queueOf({ claims: [Effect.succeed([]), Deferred.await(answered)] })
      yield* Effect.gen(function*() {
        const working = yield* Effect.fork(workWith(() => Effect.never))
        yield* settledDown
        hint()
        yield* settledDown
        expect(asked()).toBe(2)
        const ending = yield* Effect.fork(Fiber.interrupt(working))
        yield* settledDown
        yield* Deferred.succeed(answered, [held(1), held(2)])
        yield* TestClock.adjust("11 seconds")
        yield* Fiber.join(ending)
        expect(ends).toEqual(["1 Released", "2 Released"])
      }).pipe(Effect.provide(layer))
    }))

  it.effect("claims nothing more at a hint once it was stopped", () => {
    const { asked, hint, layer } = queueOf({ claims: [] })
    return Effect.gen(function*() {
      const working = yield* Effect.fork(workWith(() => Effect.succeed(completed)))
      yield* settledDown
      yield* Fiber.interrupt(working)
      hint()
      yield* settledDown
      expect(asked()).toBe(1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("claims nothing while others do not see the worker's lock", () => {
    const latch = Effect.unsafeMakeLatch()
    const { ends, layer } = queueOf({ claims: [Effect.succeed([held(1)])], lock: latch })
    return beside(
      layer,
      () => Effect.succeed(completed),
      Effect.gen(function*() {
        expect(ends).toEqual([])
        yield* latch.open
        yield* settledDown
        expect(ends).toEqual(["1 Completed"])
      })
    )
  })

  it.effect("begins every job of a claim that is longer than a fiber's turn", () => {
    const many = Array.from({ length: 8 }, (_, nth) => held(nth + 1))
    const { ends, layer } = queueOf({ claims: [Effect.succeed(many)] })
    const busy = Effect.as(
      Effect.loop(0, { while: (n) => n < 1000, step: (n) => n + 1, body: () => Effect.void }),
      completed
    )
    return Effect.gen(function*() {
      const working = yield* Effect.fork(workWith(() => busy))
      yield* settledDown
      expect(new Set(ends).size).toBe(8)
      yield* Fiber.interrupt(working)
      expect(ends.length).toBe(8)
    }).pipe(Effect.provide(layer))
  })

  it.effect("stops a job whose lease is lost at once, and no other", () => {
    const { ends, layer } = queueOf({ claims: [Effect.succeed([held(1), held(2)])], renewed: [2] })
    const stopped: Array<number> = []
    return Effect.gen(function*() {
      const working = yield* Effect.fork(
        workWith(({ job }) => Effect.onInterrupt(Effect.never, () => Effect.sync(() => stopped.push(job.id))))
      )
      yield* TestClock.adjust("61 seconds")
      expect(stopped).toEqual([1])
      expect(ends).toEqual([])
      const ending = yield* Effect.fork(Fiber.interrupt(working))
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(ending)
      expect(stopped).toEqual([1, 2])
      expect(ends).toEqual(["2 Released"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("leaves alone a job that was claimed while a heartbeat was on its way: nobody else has it", () =>
    Effect.gen(function*() {
      const beating = yield* Deferred.make<void>()
      const answered = yield* Deferred.make<void>()
      const { hint, layer } = queueOf({ claims: [Effect.succeed([held(1)])] })
      const late = [held(2, 2)]
      const stopped: Array<number> = []
      yield* Effect.gen(function*() {
        const queue = yield* JobQueue
        const slow = JobQueue.of({
          ...queue,
          claim: (request) =>
            Effect.if(Deferred.isDone(beating), {
              onTrue: () => Effect.sync(() => late.splice(0)),
              onFalse: () => queue.claim(request)
            }),
          renew: (jobs) =>
            Deferred.succeed(beating, undefined).pipe(
              Effect.zipRight(Deferred.await(answered)),
              Effect.as(new Set(jobs.map(({ job }) => job.id)))
            )
        })
        const run: Handler = ({ job }) =>
          Effect.onInterrupt(Effect.never, () => Effect.sync(() => stopped.push(job.id)))
        const working = yield* Effect.fork(Effect.provideService(workWith(run), JobQueue, slow))
        yield* TestClock.adjust("1 minute")
        yield* Deferred.await(beating)
        hint()
        yield* settledDown
        expect(late).toEqual([])
        yield* Deferred.succeed(answered, undefined)
        yield* settledDown
        expect(stopped).toEqual([])
        const ending = yield* Effect.fork(Fiber.interrupt(working))
        yield* TestClock.adjust("11 seconds")
        yield* Fiber.join(ending)
        expect(stopped.toSorted()).toEqual([1, 2])
      }).pipe(Effect.provide(layer))
    }))

  it.effect("ends an attempt by a bug whose cause goes round in a circle, which no log can print", () => {
    const { ends, layer } = queueOf({ claims: [Effect.succeed([held(1)])] })
    const bug = new Error("round")
    bug.cause = bug
    return Effect.gen(function*() {
      const working = yield* Effect.fork(workWith(() => Effect.die(bug)))
      yield* settledDown
      expect(ends).toEqual(["1 Retried bug"])
      yield* Fiber.interrupt(working)
    }).pipe(Effect.provide(Layer.merge(layer, Logger.add(Logger.map(Logger.logfmtLogger, () => {})))))
  })

  it.effect("sends a heartbeat again that is not answered, before the lease ends", () => {
    const { layer } = queueOf({ claims: [Effect.succeed([held(1)])] })
    return Effect.gen(function*() {
      const queue = yield* JobQueue
      const sent: Array<number> = []
      const silent = JobQueue.of({
        ...queue,
        renew: () =>
          Effect.flatMap(Clock.currentTimeMillis, (now) => {
            sent.push(now)
            return sent.length === 1 ? Effect.never : Effect.succeed(new Set([JobId.make(1)]))
          })
      })
      const working = yield* Effect.fork(Effect.provideService(workWith(() => Effect.never), JobQueue, silent))
      // Leases last three minutes here.
      yield* TestClock.adjust("3 minutes")
      expect(sent).toEqual([60_000, 151_000])
      const ending = yield* Effect.fork(Fiber.interrupt(working))
      yield* TestClock.adjust("11 seconds")
      yield* Fiber.join(ending)
    }).pipe(Effect.provide(layer))
  })

  it.effect("goes on claiming and looking for dead workers where the store leaves a question without an answer", () => {
    const { asked, layer } = queueOf({ claims: [] })
    return Effect.gen(function*() {
      const queue = yield* JobQueue
      let looks = 0
      const silent = JobQueue.of({
        ...queue,
        nextReadyIn: () => Effect.never,
        isReclaimDue: () => Effect.suspend(() => ++looks === 1 ? Effect.never : Effect.succeed(false))
      })
      const working = yield* Effect.fork(Effect.provideService(workWith(() => Effect.never), JobQueue, silent))
      // Every five seconds it polls; after one second it looks, and after thirty more it gives that look up.
      yield* TestClock.adjust("40 seconds")
      expect(asked()).toBeGreaterThanOrEqual(4)
      expect(looks).toBeGreaterThanOrEqual(2)
      yield* Fiber.interrupt(working)
    }).pipe(Effect.provide(layer))
  })

  it.effect("renews its own leases first where it slept through them since it asked whether jobs are to be freed", () => {
    const { layer } = queueOf({ claims: [Effect.succeed([held(1)])] })
    return Effect.gen(function*() {
      const due = yield* Deferred.make<boolean>()
      const did: Array<string> = []
      // Nothing is renewed while the process sleeps.
      let sleeps = true
      const queue = yield* JobQueue
      const sleepy = JobQueue.of({
        ...queue,
        isReclaimDue: () => Deferred.await(due),
        renew: () =>
          Effect.suspend(() => {
            if (sleeps) return Effect.fail(new StoreUnavailable({ detail: "asleep" }))
            did.push("renew")
            return Effect.succeed(new Set([JobId.make(1)]))
          }),
        reclaim: () =>
          Effect.sync(() => {
            did.push("reclaim")
            return { freed: 0, failed: 0 }
          })
      })
      const working = yield* Effect.fork(Effect.provideService(workWith(() => Effect.never), JobQueue, sleepy))
      yield* TestClock.adjust("4 minutes")
      sleeps = false
      yield* Deferred.succeed(due, true)
      yield* Effect.yieldNow()
      yield* TestClock.adjust("1 millis")
      expect(did).toEqual(["renew", "reclaim"])
      const ending = yield* Effect.fork(Fiber.interrupt(working))
      yield* TestClock.adjust("11 seconds")
      yield* Fiber.join(ending)
    }).pipe(Effect.provide(layer))
  })

  it.effect("stops the older of two runs where this worker took over from itself", () => {
    const { ends, layer } = queueOf({ claims: [Effect.succeed([held(1, 1)]), Effect.succeed([held(1, 2)])] })
    const stopped: Array<number> = []
    return Effect.gen(function*() {
      const working = yield* Effect.fork(workWith(({ fence }) =>
        fence === 2
          ? Effect.succeed(completed)
          : Effect.onInterrupt(Effect.never, () => Effect.sync(() => stopped.push(fence)))
      ))
      yield* TestClock.adjust("6 seconds")
      expect(stopped).toEqual([1])
      expect(ends).toEqual(["1 Completed"])
      yield* Fiber.interrupt(working)
      expect(ends).toEqual(["1 Completed"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("gives back what was claimed while it was stopped", () =>
    Effect.gen(function*() {
      const asked = yield* Deferred.make<void>()
      const answered = yield* Deferred.make<void>()
      const { ends, layer } = queueOf({
        claims: [
          Deferred.succeed(asked, undefined).pipe(
            Effect.zipRight(Deferred.await(answered)),
            Effect.as([held(1), held(2)])
          )
        ]
      })
      yield* Effect.gen(function*() {
        const working = yield* Effect.fork(workWith(() => Effect.never))
        yield* Deferred.await(asked)
        const ending = yield* Effect.fork(Fiber.interrupt(working))
        yield* settledDown
        yield* Deferred.succeed(answered, undefined)
        yield* TestClock.adjust("11 seconds")
        yield* Fiber.join(ending)
        expect(ends).toEqual(["1 Released", "2 Released"])
      }).pipe(Effect.provide(layer))
    }))

  it.effect("settles a job that a bug ended, and reports it, while its sibling goes on", () => {
    const { ends, layer, reports } = queueOf({ claims: [Effect.succeed([held(1), held(2)])] })
    return Effect.gen(function*() {
      const go = yield* Deferred.make<void>()
      const working = yield* Effect.fork(
        workWith(({ job }) => job.id === 1 ? Effect.dieMessage("a bug") : Effect.as(Deferred.await(go), completed))
      )
      yield* settledDown
      expect([ends, reports]).toEqual([["1 Retried bug"], ["bug"]])
      yield* Deferred.succeed(go, undefined)
      yield* settledDown
      expect(ends).toEqual(["1 Retried bug", "2 Completed"])
      yield* Fiber.interrupt(working)
    }).pipe(Effect.provide(layer))
  })

  it.effect("settles a job whose handler throws, and works on", () => {
    const { ends, layer } = queueOf({ claims: [Effect.succeed([held(1), held(2)]), Effect.succeed([held(3)])] })
    return Effect.gen(function*() {
      const working = yield* Effect.fork(workWith(({ job }) => {
        if (job.id === 1) throw new Error("a bug")
        return Effect.succeed(completed)
      }))
      yield* TestClock.adjust("6 seconds")
      expect(ends.toSorted()).toEqual(["1 Retried bug", "2 Completed", "3 Completed"])
      yield* Fiber.interrupt(working)
    }).pipe(Effect.provide(layer))
  })

  it.effect("goes on waiting for its one job after a bug: the job is tried again", () => {
    const { ends, layer } = queueOf({ claims: [Effect.succeed([held(1)]), Effect.succeed([held(1, 2)])] })
    let runs = 0
    return Effect.gen(function*() {
      yield* Effect.fork(workWith(() => runs++ === 0 ? Effect.dieMessage("a bug") : Effect.succeed(completed), {
        only: { id: JobId.make(1), done: () => Effect.sync(() => ends.includes("1 Completed")) }
      }))
      yield* TestClock.adjust("6 seconds")
      expect(ends).toEqual(["1 Retried bug", "1 Completed"])
    }).pipe(Effect.provide(layer))
  })

  it.effect.each(
    [
      [
        "cannot store a value: it would refuse it again",
        new StoreRejectedData({ sqlState: "22P05", detail: "no" }),
        "Halted"
      ],
      ["is broken: it is tried again", new StoreBroken({ sqlState: "42601", detail: "broken" }), "Retried"]
    ] as const
  )("ends an attempt whose store %s", ([, failure, end]) => {
    const { ends, layer } = queueOf({ claims: [Effect.succeed([held(1)])] })
    return Effect.gen(function*() {
      const working = yield* Effect.fork(workWith(() => Effect.fail(failure)))
      yield* settledDown
      expect(ends).toEqual([`1 ${end} ${failure._tag}`])
      yield* Fiber.interrupt(working)
    }).pipe(Effect.provide(layer))
  })

  it.effect("writes a plain end in place of the one that the store cannot take", () => {
    const { ends, layer, reports } = queueOf({
      claims: [Effect.succeed([held(1)])],
      refuses: (outcome) => outcome._tag === "Halted" && outcome.error.tag === "ModelNotFound"
    })
    const odd = { tag: "ModelNotFound", message: "odd", detail: "\ud800" }
    const unstorable = Outcome.Halted({ error: odd, report: "report" })
    return Effect.gen(function*() {
      const working = yield* Effect.fork(workWith(() => Effect.succeed(unstorable)))
      yield* settledDown
      expect([ends, reports]).toEqual([["1 Halted StoreRejectedData"], ["StoreRejectedData"]])
      yield* Fiber.interrupt(working)
    }).pipe(Effect.provide(layer))
  })

  it.effect("frees the slots of jobs whose ends cannot be written, and tells the queue that they run no more", () => {
    const broken = new StoreBroken({ sqlState: "42601", detail: "broken" })
    const some = (from: number) => Effect.succeed(Array.from({ length: 8 }, (_, nth) => held(from + nth)))
    const { layer, renewals } = queueOf({ claims: [some(1), some(9)], settled: Effect.fail(broken) })
    const ran: Array<number> = []
    return Effect.gen(function*() {
      const working = yield* Effect.fork(workWith(({ job }) => {
        ran.push(job.id)
        return job.id === 16 ? Effect.never : Effect.succeed(completed)
      }))
      yield* settledDown
      expect(ran.length).toBe(16)
      yield* TestClock.adjust("1 minute")
      expect(renewals).toEqual([[16]])
      yield* Fiber.interrupt(working)
    }).pipe(Effect.provide(layer))
  })

  it.effect("asks for the kinds that it runs, of all its tenants, and for nothing else", () => {
    const { layer, requests } = queueOf({ claims: [] })
    const kinds = ["one", "two"].map((kind) => ({
      kind,
      provider: Option.none(),
      timeLimit: undefined,
      services: Context.empty(),
      handle: () => Effect.succeed(completed)
    }))
    return Effect.gen(function*() {
      const working = yield* Effect.fork(work({ tenants: ["a", "b"], kinds }))
      yield* settledDown
      yield* Fiber.interrupt(working)
      const [request, ...others] = requests
      expect(others).toEqual([])
      expect([request?.tenants, request?.kinds.map(({ kind }) => kind)]).toEqual([["a", "b"], ["one", "two"]])
    }).pipe(Effect.provide(layer))
  })

  it.effect("gives back at once, and unrun, a job of a kind that it does not run", () => {
    const strange = held(1)
    const { ends, layer } = queueOf({
      claims: [Effect.succeed([{ ...strange, job: { ...strange.job, kind: "other" } }, held(2)])]
    })
    return beside(
      layer,
      () => Effect.succeed(completed),
      Effect.sync(() => expect(ends.toSorted()).toEqual(["1 Released", "2 Completed"]))
    )
  })

  it.effect("ends an attempt that makes no progress for too long, and leaves one alone that gets on", () => {
    const { ends, layer } = queueOf({
      claims: [Effect.succeed([held(1), held(2)])],
      stallAfter: Duration.seconds(20)
    })
    return Effect.gen(function*() {
      const working = yield* Effect.fork(
        workWith(({ job }, { gotOn }) =>
          job.id === 1 ? Effect.never : Effect.forever(Effect.delay(gotOn, "15 seconds"))
        )
      )
      yield* TestClock.adjust("19 seconds")
      expect(ends).toEqual([])
      yield* TestClock.adjust("2 seconds")
      expect(ends).toEqual(["1 Retried stalled"])
      yield* TestClock.adjust("30 seconds")
      expect(ends).toEqual(["1 Retried stalled"])
      const ending = yield* Effect.fork(Fiber.interrupt(working))
      yield* TestClock.adjust("11 seconds")
      yield* Fiber.join(ending)
    }).pipe(Effect.provide(layer))
  })

  it.effect("tells every job when it stops, and waits for what is under way", () => {
    const { ends, layer } = queueOf({ claims: [Effect.succeed([held(1)])] })
    return Effect.gen(function*() {
      const stored = yield* Deferred.make<void>()
      const working = yield* Effect.fork(
        workWith((_, { stop }) => Effect.as(Effect.zipRight(stop, Deferred.await(stored)), Outcome.Released()))
      )
      yield* settledDown
      const ending = yield* Effect.fork(Fiber.interrupt(working))
      yield* TestClock.adjust("9 seconds")
      expect([ends, yield* Fiber.poll(ending)]).toEqual([[], Option.none()])
      yield* Deferred.succeed(stored, undefined)
      yield* Fiber.join(ending)
      expect(ends).toEqual(["1 Released"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("tells a job that had its time to give way, but only where another one is ready that nobody takes", () => {
    let isWaiting = false
    const { ends, layer } = queueOf({
      claims: [Effect.succeed([held(1)])],
      timeSlice: Duration.seconds(3),
      isWaiting: () => isWaiting
    })
    return Effect.gen(function*() {
      const working = yield* Effect.fork(workWith((_, { stop }) => Effect.as(stop, Outcome.Released())))
      yield* TestClock.adjust("10 seconds")
      expect(ends).toEqual([])
      isWaiting = true
      yield* TestClock.adjust("3 seconds")
      expect(ends).toEqual(["1 Released"])
      yield* Fiber.interrupt(working)
    }).pipe(Effect.provide(layer))
  })
})
