import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { recognise } from "../../../src/domain/failure/classify.js"
import { loneRequest } from "../../../src/domain/failure/Consequence.js"
import * as FailureLine from "../../../src/domain/failure/FailureLine.js"

/** What a file of labelled failures says of each of them; the rest of the line is the failure itself. */
const Labelled = Schema.parseJson(Schema.Struct({
  id: Schema.String,
  expected: Schema.String,
  retry: Schema.Literal("halt", "retry", "retry-after"),
  retryAfterMs: Schema.optional(Schema.NullOr(Schema.Number)),
  tags: Schema.Array(Schema.String)
}))

export const lines = (name: string): ReadonlyArray<string> =>
  readFileSync(new URL(name, import.meta.url), "utf8").split("\n").filter((line) => line !== "")

export const judge = (line: string) => {
  const label = Schema.decodeSync(Labelled)(line)
  const { wire } = Either.getOrThrowWith(
    FailureLine.fromLine(line),
    ({ problem }) => new Error(`${label.id}: ${problem}`)
  )
  const { failure, rule } = recognise(wire)
  const lone = loneRequest(failure)
  return {
    id: label.id,
    wire,
    failure,
    rule,
    debatable: label.tags.includes("debatable"),
    expected: label.expected,
    named: label.retryAfterMs ?? undefined,
    tag: failure._tag,
    action: lone.action,
    wait: Option.getOrUndefined(lone.retryAfter),
    tagRight: failure._tag === label.expected,
    actionRight: lone.action === (label.retry === "halt" ? "halt" : "retry")
  }
}

export const share = (part: number, whole: number): number => part / whole
