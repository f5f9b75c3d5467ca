import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import type { JobStatus } from "../../../src/domain/job/Job.js"
import { filterOf, namesMany } from "../../../src/programs/cli/ManyJobs.js"
import type { Asked } from "../../../src/programs/cli/ManyJobs.js"

const nothing: Asked = { job: undefined, kind: undefined, state: undefined, all: false, yes: false }
const meant = (asked: Partial<Asked>) => filterOf("retry", { ...nothing, ...asked }, ["failed"])
const refused = (asked: Partial<Asked>) => Effect.map(Effect.flip(meant(asked)), ({ message }) => message)

describe("which jobs are meant together", () => {
  it.effect("are those of a kind, of a state, or all, in the fallback's state where none is named", () =>
    Effect.gen(function*() {
      expect(yield* meant({ all: true })).toEqual({ status: ["failed"] })
      expect(yield* meant({ kind: "digest" })).toEqual({ kind: "digest", status: ["failed"] })
      expect(yield* meant({ state: "partial" })).toEqual({ status: ["partial"] })
      expect(yield* meant({ all: true, state: "cancelled" })).toEqual({ status: ["cancelled"] })
      expect(yield* meant({ kind: "digest", state: "partial" })).toEqual({ kind: "digest", status: ["partial"] })
    }))

  it.effect("cannot be guessed: a number beside them, a kind beside all, or nothing at all are refused", () =>
    Effect.gen(function*() {
      expect(yield* refused({ job: 7, all: true })).toBe("Give a job's number, or --kind, --state and --all, not both.")
      expect(yield* refused({ job: 7, state: "failed" })).toContain("not both")
      expect(yield* refused({ kind: "digest", all: true })).toBe("Give --all, or --kind, not both.")
      expect(yield* refused({})).toBe("Give a job's number, or which jobs: --kind, --state or --all.")
    }))

  it.effect.prop(
    "are never all of them because a flag was forgotten",
    {
      job: FastCheck.option(FastCheck.integer({ min: 1 }), { nil: undefined }),
      kind: FastCheck.option(FastCheck.constantFrom("index", "digest"), { nil: undefined }),
      state: FastCheck.option(FastCheck.constantFrom<JobStatus>("failed", "partial"), { nil: undefined }),
      all: FastCheck.boolean()
    },
    (asked) =>
      Effect.gen(function*() {
        const found = yield* Effect.option(meant(asked))
        if (found._tag === "None") return
        expect(namesMany({ ...nothing, ...asked })).toBe(true)
        expect(asked.job).toBe(undefined)
        expect([found.value.kind, found.value.status]).toEqual([asked.kind, [asked.state ?? "failed"]])
      })
  )
})
