import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { JobId } from "../../../src/domain/job/Job.js"
import { idempotencyKey, StepProblem } from "../../../src/domain/job/Step.js"

const parts = FastCheck.record({
  tenant: FastCheck.constantFrom("a", "b"),
  id: FastCheck.integer({ min: 1, max: 3 }),
  createdMicros: FastCheck.nat(2),
  run: FastCheck.integer({ min: 1, max: 3 }),
  step: FastCheck.constantFrom("draft", "save", "1/draft")
})

const keyOf = ({ createdMicros, id, run, step, tenant }: {
  readonly tenant: string
  readonly id: number
  readonly createdMicros: number
  readonly run: number
  readonly step: string
}) => idempotencyKey(tenant, { id: JobId.make(id), createdMicros, run }, step)

describe("a step", () => {
  it.prop(
    "has the same key each time that it is run again, and no other step has it",
    [parts, parts],
    ([one, other]) => {
      expect(keyOf(one) === keyOf(other)).toBe(JSON.stringify(one) === JSON.stringify(other))
    }
  )

  it.each<[StepProblem["reason"], string]>([
    ["twice", "Step \"draft\" was asked for twice in one attempt: give each step of a job a name of its own."],
    ["too-large", "The result of Step \"draft\" is too large: 2 MiB. Store it elsewhere, and answer where it is."],
    ["too-many", "Step \"draft\" is one too many: a job has at most 10000 steps."],
    [
      "unreadable",
      "The stored result of Step \"draft\" does not fit its schema any more (2 MiB): give the changed step another name."
    ],
    ["unstorable", "The result of Step \"draft\" cannot be stored: 2 MiB."],
    [
      "name",
      "Step \"draft\" has a name that is 2 MiB; allowed is 1 to 200 characters, without control characters."
    ]
  ])("that cannot be says why, and what to do: %s", (reason, message) => {
    expect(new StepProblem({ step: "draft", reason, detail: "2 MiB" }).message).toBe(message)
  })
})
