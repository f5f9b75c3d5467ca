import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Command } from "./Command.js"
import { UsageProblem } from "./Fault.js"
import * as Parameter from "./Parameter.js"

/** What a line gives to its command: the operands in their order, and the command's own flags without their dashes. */
export interface Given {
  readonly operands: ReadonlyArray<string>
  /** A flag that takes no value has the empty one. */
  readonly flags: ReadonlyMap<string, string>
}

/** A value, or the sentence that says what is allowed instead. */
type Read = Either.Either<unknown, string>

/** What a person typed, cut to where it is still recognised. */
export const quoted = (word: string): string => `"${word.slice(0, 100)}"`

const wholeFrom1 = (most: number, word: string): Option.Option<number> =>
  /^\d{1,15}$/.test(word) && Number(word) >= 1 && Number(word) <= most ? Option.some(Number(word)) : Option.none()

const needed = (part: Parameter.Operand): string => `${Parameter.operandUsage(part)} is missing: ${part.help}.`

const readOperand = (part: Parameter.Operand, words: ReadonlyArray<string>): Read => {
  const [first] = words
  switch (part._tag) {
    case "Rest":
      return Either.right(words.join(" "))
    case "Words":
      return words.join("").trim() === "" ? Either.left(needed(part)) : Either.right(words.join(" "))
    case "Argument":
      return first === undefined || first.trim() === "" ? Either.left(needed(part)) : Either.right(first)
    case "Number":
    case "MaybeNumber":
      return first === undefined
        ? part._tag === "Number" ? Either.left(needed(part)) : Either.right(undefined)
        : Either.fromOption(
          wholeFrom1(Number.MAX_SAFE_INTEGER, first),
          () => `${Parameter.operandUsage(part)} takes a whole number from 1, not ${quoted(first)}.`
        )
  }
}

const readFlag = (part: Parameter.Flag, word: string | undefined): Read => {
  switch (part._tag) {
    case "Switch":
      return Either.right(word !== undefined)
    case "Text":
      return word?.trim() === "" ? Either.left(`--${part.flag} is given an empty value.`) : Either.right(word)
    case "Whole":
      return word === undefined
        ? Either.right(part.fallback)
        : Either.fromOption(
          wholeFrom1(part.most, word),
          () => `--${part.flag} takes a whole number from 1 to ${part.most}, not ${quoted(word)}.`
        )
    case "Choice":
      return word === undefined || part.choices.includes(word)
        ? Either.right(word ?? part.fallback)
        : Either.left(`--${part.flag} takes one of ${part.choices.join(", ")}, not ${quoted(word)}.`)
  }
}

const takesAll = (part: Parameter.Parameter): boolean => part._tag === "Words" || part._tag === "Rest"

/** The values of a command's parameters, or the first sentence about what is missing, wrong or too many. */
export const values = (
  command: Command,
  { flags, operands }: Given
): Either.Either<Readonly<Record<string, unknown>>, UsageProblem> => {
  const problem = (message: string) => new UsageProblem({ path: command.path, message })
  const read: Record<string, unknown> = {}
  let left = operands
  for (const [name, part] of Object.entries(command.parameters)) {
    const count = takesAll(part) ? left.length : 1
    const value = Parameter.isFlag(part)
      ? readFlag(part, flags.get(part.flag))
      : readOperand(part, left.slice(0, count))
    if (Either.isLeft(value)) return Either.left(problem(value.left))
    if (!Parameter.isFlag(part)) left = left.slice(count)
    read[name] = value.right
  }
  const [extra] = left
  return extra === undefined
    ? Either.right(read)
    : Either.left(problem(`There is one argument too many: ${quoted(extra)}.`))
}
