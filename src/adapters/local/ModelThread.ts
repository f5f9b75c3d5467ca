import { Worker } from "node:worker_threads"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type { TransportError } from "../../domain/failure/WireFailure.js"
import { causeChain } from "../http/CauseChain.js"

/** What the thread answers to a task; see model.js. */
type Reply =
  | { readonly id: number; readonly tag: "vectors"; readonly vectors: Float32Array }
  | { readonly id: number; readonly tag: "stopped" }
  | { readonly id: number; readonly tag: "failed"; readonly name: string; readonly message: string }

/** A place for one thread with one model, started at the first task and again at the first task after it ended. */
export interface ModelThread {
  /** Rows of all vectors, one after the other. Interrupting it makes the thread abandon the rest of the texts. */
  readonly embed: (texts: ReadonlyArray<string>) => Effect.Effect<Float32Array, ReadonlyArray<TransportError>>
  /** End the thread, whatever it does; the next task starts another. */
  readonly retire: Effect.Effect<void>
  readonly isRunning: Effect.Effect<boolean>
}

/** The settings of the process stay with it: the thread gets no environment, no flags and no terminal. */
const started = (entry: URL): Worker => {
  const worker = new Worker(entry, { env: {}, execArgv: [], stdout: true, stderr: true, name: "holdfast-model" })
  worker.stdout.resume()
  worker.stderr.resume()
  return worker
}

const ended = (code: number): ReadonlyArray<TransportError> => [
  { name: "WorkerEnded", code: "ERR_WORKER_ENDED", message: `the thread of the model ended with exit code ${code}` }
]

const closed: ReadonlyArray<TransportError> = [
  { name: "AbortError", code: "ABORT_ERR", message: "the embedder has ended" }
]

const ask = (worker: Worker, id: number, texts: ReadonlyArray<string>) =>
  Effect.async<Float32Array, ReadonlyArray<TransportError>>((resume) => {
    const stop = new Int32Array(new SharedArrayBuffer(4))
    const onMessage = (reply: Reply) => {
      if (reply.id !== id) return
      if (reply.tag === "vectors") settle(Effect.succeed(reply.vectors))
      if (reply.tag === "failed") settle(Effect.fail([{ name: reply.name, message: reply.message }]))
    }
    const onError = (error: unknown) => settle(Effect.fail(causeChain(error)))
    const onExit = (code: number) => settle(Effect.fail(ended(code)))
    const detach = () => {
      worker.off("message", onMessage)
      worker.off("error", onError)
      worker.off("exit", onExit)
    }
    const settle = (answer: Effect.Effect<Float32Array, ReadonlyArray<TransportError>>) => {
      detach()
      resume(answer)
    }
    worker.on("message", onMessage)
    worker.on("error", onError)
    worker.on("exit", onExit)
    worker.postMessage({ id, texts, stop }, [])
    return Effect.sync(() => {
      Atomics.store(stop, 0, 1)
      detach()
    })
  })

/** The place of a thread that runs `entry`. The thread ends with the scope, within a second. */
export const make = Effect.fnUntraced(function*(entry: URL) {
  const current = yield* Ref.make(Option.none<Worker>())
  const tasks = yield* Ref.make(0)
  const isOpen = yield* Ref.make(true)

  const forget = (worker: Worker) => Ref.update(current, Option.filter((one) => one !== worker))

  const start = Effect.tap(Effect.sync(() => started(entry)), (fresh) => {
    const leave = () => Effect.runSync(forget(fresh))
    fresh.on("exit", leave)
    // also while no task listens: an error that nobody hears would end the process
    fresh.on("error", leave)
    return Ref.set(current, Option.some(fresh))
  })

  const worker = Effect.gen(function*() {
    if (!(yield* Ref.get(isOpen))) return yield* Effect.fail(closed)
    const running = yield* Ref.get(current)
    return Option.isSome(running) ? running.value : yield* start
  })

  const retire = Effect.flatMap(
    Ref.getAndSet(current, Option.none()),
    Option.match({
      onNone: () => Effect.void,
      onSome: (one) =>
        Effect.promise(() => one.terminate()).pipe(
          Effect.interruptible,
          Effect.timeoutOption("1 second"),
          Effect.asVoid
        )
    })
  )

  yield* Effect.addFinalizer(() => Effect.zipRight(Ref.set(isOpen, false), retire))

  const thread: ModelThread = {
    embed: (texts) =>
      Effect.gen(function*() {
        const id = yield* Ref.updateAndGet(tasks, (count) => count + 1)
        return yield* ask(yield* worker, id, texts)
      }),
    retire,
    isRunning: Effect.map(Ref.get(current), Option.isSome)
  }
  return thread
})
