import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Embedder } from "../../../domain/index/Embedder.js"
import * as Profile from "../../../domain/index/EmbedderProfile.js"
import { OtherEmbedders } from "../../../domain/index/OtherEmbedders.js"
import * as Text from "../../../domain/index/Text.js"
import { classify } from "../../../domain/failure/classify.js"
import { consequence } from "../../../domain/failure/Consequence.js"
import { userMessage } from "../../../domain/failure/UserMessage.js"
import { isFailure, RateLimited } from "../../../domain/failure/Failure.js"
import type { Failure } from "../../../domain/failure/Failure.js"
import { CallContext } from "../../../domain/failure/CallContext.js"
import { Pacer, unpaced } from "../../../domain/retry/Pacer.js"
import { retryRequest } from "../../../domain/failure/RetryRequest.js"
import * as RetryPolicy from "../../../domain/retry/RetryPolicy.js"
import { SearchIndex } from "../../../domain/search/SearchIndex.js"
import type { LegHit, SearchFilter } from "../../../domain/search/SearchIndex.js"
import * as Served from "../../../domain/search/Served.js"
import { GateShut, holds } from "../../../domain/session/Gate.js"
import { Gates } from "../../../domain/session/Gates.js"
import * as KnownModel from "../index/KnownModel.js"
import * as Paced from "../work/Paced.js"

/**
 * The leg of meaning: each catalog is asked in the space that it has. Where the store moves to another embedder some catalogs
 * have moved and some have not: the question goes to both embedders, as far as this process knows them.
 */

/** A person waits for the answer: past this the full-text leg answers alone. */
const questionTimeout = Duration.seconds(10)

/** A cooldown that lasts longer is not waited for. */
const patience = Duration.seconds(2)

/** What a refusal without a named wait is taken to ask for. */
const unnamedWait = RetryPolicy.ceiling(RetryPolicy.request, 1)

/** One request when its grant has come. A refusal that asks to wait is told to everyone. */
const ask = Effect.fnUntraced(function*({ embed, provider }: Embedder["Type"], question: string) {
  const pacer = yield* Pacer
  const cycle = (yield* pacer.isFree(provider)) ? unpaced : yield* Paced.grant(provider, patience, Effect.sleep).pipe(
    Effect.catchTag(
      "Cooling",
      ({ wait }) => new RateLimited({ provider, detail: "It asked everyone to wait.", retryAfter: wait })
    )
  )
  return yield* Effect.tapError(embed([question]), (failure) => {
    const { action } = consequence(failure, CallContext.Request({ malformedTries: 0 }))
    return action._tag === "Wait"
      ? pacer.throttled(provider, cycle, Option.getOrElse(action.delay, () => unnamedWait))
      : Effect.void
  })
})

/** The question as a vector. Asks nobody while the provider's gate is closed, or while it cools down. */
const vectorOf = Effect.fnUntraced(function*(embedder: Embedder["Type"], question: string) {
  const gates = yield* Gates
  const about = { provider: embedder.provider, surface: "embed", auth: "none" } as const
  const shut = (yield* gates.closed).find((gate) =>
    holds(gate, { provider: embedder.provider, session: embedder.provider })
  )
  if (shut !== undefined) return yield* new GateShut({ ...shut.ref, reason: shut.reason })
  const [text = question] = Text.chunks(question, embedder.chunkWords)
  return yield* retryRequest(ask(embedder, text)).pipe(
    Effect.timeoutFail({
      duration: questionTimeout,
      onTimeout: (): Failure => classify({ ...about, timedOutAfter: Duration.toMillis(questionTimeout) })
    }),
    Effect.zipLeft(KnownModel.verified(embedder)),
    Effect.map((vectors) => vectors[0] ?? [])
  )
})

/** What one group of catalogs answered. */
type Answer = Data.TaggedEnum<{
  Found: { readonly hits: ReadonlyArray<LegHit> }
  Failed: { readonly failure: Failure | GateShut }
  /** It cannot be asked, for this reason. */
  Unreachable: { readonly reason: string }
}>
const Answer = Data.taggedEnum<Answer>()

const embedderOf = Effect.fnUntraced(function*(model: string) {
  const own = yield* Embedder
  if (model === Profile.qualified(own)) return Option.some(own)
  const others = yield* OtherEmbedders
  return yield* Option.match(Profile.unqualified(model), {
    onNone: () => Effect.succeedNone,
    onSome: (wanted) => others.of(wanted)
  })
})

const best = (hits: ReadonlyArray<LegHit>, limit: number) => hits.toSorted((a, b) => b.score - a.score).slice(0, limit)

const asked = Effect.fnUntraced(function*(group: Served.Group, question: string, filter: SearchFilter, limit: number) {
  const index = yield* SearchIndex
  const { chunkWords } = yield* Embedder
  const embedder = yield* embedderOf(group.model)
  if (Option.isNone(embedder)) {
    return Answer.Unreachable({ reason: `indexed with ${group.model}, which the settings do not name` })
  }
  const vector = yield* vectorOf(embedder.value, question)
  const dimension = vector.length
  if (group.dimension !== null && group.dimension !== dimension) {
    return Answer.Unreachable({
      reason: `indexed with ${group.model} in ${group.dimension} dimensions, and now it answers in ${dimension}`
    })
  }
  const hits = yield* Effect.forEach(
    Served.chunkSizes(group, chunkWords),
    (size) => index.semantic(vector, { model: group.model, dimension, chunkWords: size }, filter, limit)
  )
  return Answer.Found({ hits: best(hits.flat(), limit) })
}, (answer) =>
  Effect.catchIf(
    Effect.scoped(answer),
    (error): error is Failure | GateShut => error._tag === "GateShut" || isFailure(error),
    (failure) => Effect.succeed(Answer.Failed({ failure }))
  ))

const wordsOf = (failure: Failure | GateShut): string =>
  failure._tag === "GateShut" ? failure.message : userMessage(failure)

const names = ({ catalogs }: Served.Group): string => catalogs.map(({ catalog }) => catalog).join(", ")

/** What a person has to know of a group; a failure that concerns all catalogs needs no names. */
const reasonsOf = (group: Served.Group, answer: Answer, isOnly: boolean): ReadonlyArray<string> => {
  switch (answer._tag) {
    case "Unreachable":
      return [`only the full text of ${names(group)} was searched: ${answer.reason}`]
    case "Failed":
      return [
        isOnly ?
          wordsOf(answer.failure) :
          `only the full text of ${names(group)} was searched: ${wordsOf(answer.failure)}`
      ]
    case "Found": {
      const unfinished = { ...group, catalogs: group.catalogs.filter(({ isWhole }) => !isWhole) }
      return unfinished.catalogs.length === 0
        ? []
        : [`not all of ${names(unfinished)} is indexed with ${group.model} yet`]
    }
  }
}

/**
 * The hits of each vector space that could be asked, why others could not, and the failure of the first that failed. Nobody is
 * asked where there is no catalog.
 */
export const byMeaning = Effect.fn("SearchByMeaning.byMeaning")(
  function*(question: string, filter: SearchFilter, limit: number) {
    const own = yield* Embedder
    const model = Profile.qualified(own)
    const served = yield* (yield* SearchIndex).served({ model, chunkWords: own.chunkWords }, filter)
    const groups = Served.groups(served, model)
    const answers = yield* Effect.forEach(
      groups,
      (group) => Effect.map(asked(group, question, filter, limit), (answer) => ({ answer, group })),
      { concurrency: "unbounded" }
    )
    return {
      hits: answers.flatMap(({ answer }) => answer._tag === "Found" ? [answer.hits] : []),
      reasons: answers.flatMap(({ answer, group }) => reasonsOf(group, answer, groups.length === 1)),
      failed: Option.fromNullable(answers.flatMap(({ answer }) => answer._tag === "Failed" ? [answer.failure] : [])[0])
    }
  }
)
