import * as Either from "effect/Either"
import { readFileSync } from "node:fs"
import { recognise } from "../../src/domain/failure/classify.js"
import { loneRequest } from "../../src/domain/failure/Consequence.js"
import * as FailureLine from "../../src/domain/failure/FailureLine.js"

const lines = readFileSync(new URL("../domain/failure/corpus.jsonl", import.meta.url), "utf8").split("\n")
  .filter((line) => line !== "")

/** CPU microseconds a line, over this many. */
const cost = (count: number, each: (line: string) => unknown): number => {
  const before = process.cpuUsage()
  for (let nth = 0; nth < count; nth++) each(lines[nth % lines.length] ?? "")
  return process.cpuUsage(before).user / count
}

/** What judging a line of `explain` costs, and what reading its JSON alone does. */
export const judging = (count: number) => {
  const judged = (line: string) => loneRequest(recognise(Either.getOrThrow(FailureLine.fromLine(line)).wire).failure)
  cost(lines.length, judged)
  return { judged: cost(count, judged), read: cost(count, JSON.parse) }
}
