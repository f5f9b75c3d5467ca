import * as SqlError from "@effect/sql/SqlError"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Worker from "node:worker_threads"
import { engineStopped } from "../postgres/driver/SqlFailure.js"
import type { Answer, Close, Query, Refusal, Told } from "./engine.js"

/**
 * The worker thread of the embedded database, seen from outside: a statement goes in, its answer or an SqlError comes out,
 * in the order of asking. When the thread dies, everything asked and everything asked later fails; nothing waits for ever.
 */
export interface Engine {
  readonly ask: (sql: string, params: ReadonlyArray<string | Uint8Array | null>) => Effect.Effect<
    ReadonlyArray<Answer>,
    SqlError.SqlError
  >
  /** Hears every notification; returns how to stop hearing. */
  readonly hear: (heard: (channel: string, payload: string) => void) => () => void
  /** Never succeeds; fails once, when the thread ends unasked. */
  readonly lost: Effect.Effect<never, SqlError.SqlError>
  /** Ends the thread as it is: what is not written yet is lost, as by kill -9. */
  readonly abandon: Effect.Effect<void>
}

type Settle = (told: Effect.Effect<ReadonlyArray<Answer>, SqlError.SqlError>) => void

/** `code` is the operating system's where it refused something, else empty. */
const stopped = (text: string, code = "") =>
  new SqlError.SqlError({
    cause: Object.assign(new Error(text), { code: code === "" ? engineStopped : code }),
    message: "The embedded database stopped"
  })

const refused = (refusal: Refusal) =>
  new SqlError.SqlError({
    cause: Object.assign(new Error(refusal.message), refusal),
    message: "Failed to execute statement"
  })

const attach = (
  thread: Worker.Worker,
  started: Deferred.Deferred<void, SqlError.SqlError>,
  gone: Deferred.Deferred<never, SqlError.SqlError>
) => {
  const waiting = new Map<number, Settle>()
  const hearing = new Set<(channel: string, payload: string) => void>()
  let ids = 0
  let death: SqlError.SqlError | undefined

  const settle = (id: number, told: Effect.Effect<ReadonlyArray<Answer>, SqlError.SqlError>) => {
    waiting.get(id)?.(told)
    waiting.delete(id)
  }
  const die = (error: SqlError.SqlError) => {
    if (death !== undefined) return
    death = error
    for (const id of waiting.keys()) settle(id, Effect.fail(error))
    Deferred.unsafeDone(started, Effect.fail(error))
    Deferred.unsafeDone(gone, Effect.fail(error))
  }
  const obey = (told: Told): void => {
    switch (told.kind) {
      case "ready":
        return Deferred.unsafeDone(started, Effect.void)
      case "unready":
        return die(refused(told.refusal))
      case "panicked":
        return die(stopped(told.message, told.code))
      case "answer":
        return settle(told.id, Effect.succeed(told.answers))
      case "refusal":
        return settle(told.id, Effect.fail(refused(told.refusal)))
      case "closed":
        return settle(told.id, Effect.succeed([]))
      case "notification":
        return hearing.forEach((heard) => heard(told.channel, told.payload))
    }
  }
  thread.on("message", obey)
  thread.on("error", (error) => die(stopped(error.message)))
  thread.on("exit", (code) => die(stopped(`the database's thread ended with code ${code}`)))

  const send = (make: (id: number) => Query | Close) =>
    Effect.async<ReadonlyArray<Answer>, SqlError.SqlError>((resume) => {
      if (death !== undefined) return resume(Effect.fail(death))
      ids += 1
      const id = ids
      waiting.set(id, resume)
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
      thread.postMessage(make(id))
      // The engine cannot cancel: it finishes the statement, and nobody listens.
      return Effect.sync(() => waiting.delete(id))
    })
  const engine: Engine = {
    ask: (sql, params) => send((id) => ({ id, kind: "query", sql, params })),
    hear: (heard) => {
      hearing.add(heard)
      return () => hearing.delete(heard)
    },
    lost: Deferred.await(gone),
    abandon: Effect.promise(() => thread.terminate()).pipe(Effect.asVoid)
  }
  return { engine, close: send((id) => ({ id, kind: "close" })) }
}

/** What closing may take: a running statement has to end first. Past it the thread is abandoned, which is safe. */
const closing = "5 seconds"

/**
 * Starts the database of a directory (`memory://` for none) on a thread of its own. Closing the scope lets running statements
 * end, flushes and stops the thread, within five seconds.
 */
export const start = Effect.fn("EngineThread.start")(function*(directory: string) {
  const started = yield* Deferred.make<void, SqlError.SqlError>()
  const gone = yield* Deferred.make<never, SqlError.SqlError>()
  const { engine } = yield* Effect.acquireRelease(
    Effect.sync(() =>
      attach(
        new Worker.Worker(new URL("./engine.js", import.meta.url), { workerData: { directory }, execArgv: [] }),
        started,
        gone
      )
    ),
    ({ close, engine }) =>
      close.pipe(Effect.interruptible, Effect.timeoutOption(closing), Effect.ignore, Effect.zipRight(engine.abandon))
  )
  yield* Deferred.await(started)
  return engine
})
