import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type { WireFailure } from "../../domain/failure/WireFailure.js"
import * as Wire from "./WireFailure.js"

const notJson = (body: string): string =>
  body.trim() === ""
    ? "the answer is empty"
    : /^\s*</u.test(body)
    ? "the answer is a web page, not JSON"
    : /[[,:]\s*-?(?:NaN|Infinity)\b/u.test(body)
    ? "the answer holds a number that is not finite"
    : /^\s*[[{]/u.test(body) && !/[\]}]\s*$/u.test(body)
    ? "the answer breaks off"
    : "the answer is not JSON"

const notAsAgreed = (error: ParseResult.ParseError): string => {
  const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
  const place = issue === undefined || issue.path.length === 0 ? "the answer" : `\`${issue.path.join(".")}\``
  return `${place} is not what its contract says: ${issue?.message ?? "unknown"}`.slice(0, 300)
}

const parsed = (body: string): Either.Either<unknown, string> =>
  Either.try({ try: (): unknown => JSON.parse(body), catch: () => notJson(body) })

/**
 * Read a whole answer as JSON of the schema. Any status but 2xx fails as it stands; a 2xx that is empty, a web page, cut off or
 * breaks the schema fails with the contract that it broke and its body, which may hold an error envelope.
 */
export const decode = <A, I>(schema: Schema.Schema<A, I>, peer: Wire.Peer) => {
  const read = Schema.decodeUnknownEither(schema)
  return (answer: Wire.Answer): Effect.Effect<A, WireFailure> =>
    Wire.isSuccess(answer)
      ? Either.match(Either.flatMap(parsed(answer.body), (json) => Either.mapLeft(read(json), notAsAgreed)), {
        onRight: (value) => Effect.succeed(value),
        onLeft: (contract) =>
          Effect.flatMap(
            Clock.currentTimeMillis,
            (now) => Effect.fail(Wire.ofContract(peer, contract, now, answer))
          )
      })
      : Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.fail(Wire.ofAnswer(peer, answer, now)))
}

/** Numbers of one vector as JSON has them, checked in one pass; whether they are finite is `Vector.check`'s question. */
export const Numbers: Schema.Schema<ReadonlyArray<number>> = Schema.declare(
  (value): value is ReadonlyArray<number> => Array.isArray(value) && value.every((x) => typeof x === "number"),
  { identifier: "Numbers", message: () => "expected a list of numbers" }
)

/** The model's name beside vectors, where one is told: no answer is refused for what else stands there. */
export const modelName = (value: unknown): string | null => typeof value === "string" && value !== "" ? value : null
