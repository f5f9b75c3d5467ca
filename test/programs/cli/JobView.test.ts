import { describe, expect, it } from "@effect/vitest"
import * as Option from "effect/Option"
import { Job } from "../../../src/domain/job/Job.js"
import type * as WaitReason from "../../../src/domain/job/WaitReason.js"
import * as JobView from "../../../src/programs/cli/JobView.js"
import { calm, now, queued } from "../../support/Jobs.js"

const deserted: WaitReason.Surroundings = { ...calm, workers: Option.some([]) }

const parked: WaitReason.Surroundings = {
  ...deserted,
  gates: [{ ref: { kind: "provider", name: "openai" }, reason: "key", since: now, until: Option.none(), detail: "" }]
}

const of = (kind: string) => Job.make({ ...queued, kind })

describe("what makes a waiting job go on", () => {
  it.each<[string, Job, WaitReason.Surroundings, Option.Option<string>]>([
    ["a worker of the program, for its own kind", of("index"), deserted, Option.some("holdfast worker")],
    ["nothing that the program has, for a kind of a service's own", of("digest"), deserted, Option.none()],
    ["its gate, whatever its kind", of("digest"), parked, Option.some("holdfast gates open openai")],
    ["time alone, where nobody knows who works", of("index"), calm, Option.none()]
  ])("is %s", (_, job, around, command) => {
    expect(JobView.moves(job, around)).toEqual(command)
  })

  it("is said of each kind as who runs it", () => {
    expect(JobView.whoRuns("index")).toBe("a worker: holdfast worker")
    expect(JobView.whoRuns("digest")).toBe("a worker of the service that has the kind digest")
  })
})
