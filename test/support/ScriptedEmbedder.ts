import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { createHash } from "node:crypto"
import { Embedder } from "../../src/domain/index/Embedder.js"
import type { Failure } from "../../src/domain/failure/Failure.js"

/** What happens to one call: an answer, a failure, or a wait until the test lets it go. */
export type Answer =
  | { readonly _tag: "Serve" }
  | { readonly _tag: "Fail"; readonly failure: Failure }
  | { readonly _tag: "Hold"; readonly until: Deferred.Deferred<void>; readonly begun: Deferred.Deferred<void> }

export const serve: Answer = { _tag: "Serve" }
export const fail = (failure: Failure): Answer => ({ _tag: "Fail", failure })

/** The script decides by the texts of the call and its number, counted from 0; `calls` keeps every call's texts. */
export interface Script {
  readonly calls: Array<ReadonlyArray<string>>
  answer: (texts: ReadonlyArray<string>, call: number) => Answer
  dimension: number
}

export const script = (answer: Script["answer"] = () => serve): Script => ({ calls: [], answer, dimension: 8 })

const vectorOf = (text: string, dimension: number) => {
  const seed = createHash("sha256").update(text).digest()
  return Array.from({ length: dimension }, (_, index) => 1 + (seed[index % seed.length] ?? 0))
}

export interface Options {
  readonly concurrency?: number
  readonly chunkWords?: number
  readonly model?: string
  readonly dimension?: number | null
  /** How its answers call their model; they say nothing where it is not given. */
  readonly answersAs?: string
}

/** An embedder that does what the script says; the same text gets the same vector. */
export const scripted = (played: Script, options: Options = {}) => {
  const { chunkWords = 20, concurrency = 1, dimension = 8, model = "scripted" } = options
  return Layer.effect(
    Embedder,
    Effect.map(Effect.makeSemaphore(concurrency), (permits) =>
      Embedder.of({
        provider: "scripted",
        model,
        ...(options.answersAs === undefined ? {} : { answersAs: Effect.succeedSome(options.answersAs) }),
        dimension: Option.fromNullable(dimension),
        concurrency,
        chunkWords,
        embed: (texts) =>
          permits.withPermits(1)(Effect.gen(function*() {
            const answer = played.answer(texts, played.calls.length)
            played.calls.push(texts)
            if (answer._tag === "Fail") return yield* Effect.fail(answer.failure)
            if (answer._tag === "Hold") {
              yield* Deferred.succeed(answer.begun, undefined)
              yield* Deferred.await(answer.until)
            }
            return texts.map((text) => vectorOf(text, played.dimension))
          })),
        probe: Effect.succeed({ took: Duration.zero, modelKnown: Option.some(true), detail: "scripted" })
      }))
  )
}
