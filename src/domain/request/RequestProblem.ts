import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as Storable from "../text/Storable.js"

/** A request that cannot be meant: which part of it, what was given, and what is allowed ("allowed is ..."). */
export class RequestProblem extends Schema.TaggedError<RequestProblem>()("RequestProblem", {
  field: Schema.String,
  given: Schema.String,
  allowed: Schema.String
}) {
  override get message(): string {
    return `${this.field} is ${this.given}; allowed is ${this.allowed}.`
  }
}

/** As it stands in a sentence. Callers in JavaScript may give anything. */
const shown = (value: unknown): string =>
  typeof value === "string" ? value.trim() === "" ? "empty" : `"${value.slice(0, 100)}"` : String(value).slice(0, 100)

const refused = (field: string, given: unknown, allowed: string) =>
  Either.left(new RequestProblem({ field, given: shown(given), allowed }))

/** A whole number within bounds. */
export const whole = (
  field: string,
  given: number,
  least: number,
  most: number
): Either.Either<number, RequestProblem> =>
  Number.isInteger(given) && given >= least && given <= most
    ? Either.right(given)
    : refused(field, given, `a whole number from ${least} to ${most}`)

/** A text that says something. */
export const filled = (field: string, given: string, allowed: string): Either.Either<string, RequestProblem> =>
  typeof given === "string" && given.trim() !== "" ? Either.right(given) : refused(field, given, allowed)

/** A name of 1 to `most` characters that can be stored, and shown on one line. */
export const name = (field: string, given: string, most: number): Either.Either<string, RequestProblem> => {
  const problem = Storable.nameProblem(given, most)
  return problem === undefined
    ? Either.right(given)
    : Either.left(new RequestProblem({ field, given: problem, allowed: Storable.nameOf(most) }))
}

/** One of a closed list of words. */
export const oneOf = <A extends string>(
  field: string,
  given: string,
  words: ReadonlyArray<A>
): Either.Either<A, RequestProblem> => {
  const found = words.find((word) => word === given)
  return found === undefined
    ? refused(field, given, `one of ${[...new Set<string>(words)].join(", ")}`)
    : Either.right(found)
}
