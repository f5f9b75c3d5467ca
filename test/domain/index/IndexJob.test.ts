import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as IndexJob from "../../../src/domain/index/IndexJob.js"
import { noProgress } from "../../../src/domain/job/Job.js"

const wish: IndexJob.Wish = {
  source: { kind: "catalog", id: "rclone" },
  provider: "ollama",
  maxAttempts: 3,
  revision: "one",
  force: false
}

describe("an index job", () => {
  it("is one of its source, which its payload names, and depends on the source's revision", () => {
    const { jobs, kind } = IndexJob.request(wish)
    expect(jobs).toMatchObject([{ key: "catalog/rclone", version: "one", provider: "ollama", maxAttempts: 3 }])
    expect(IndexJob.sourceOf({ kind, payload: jobs[0]?.payload })).toEqual(Option.some(wish.source))
  })

  it("stands behind its provider, and the session of that name", () => {
    expect(IndexJob.request(wish).jobs).toMatchObject([{ provider: "ollama", session: "ollama" }])
  })

  it("runs once more by force, and else only where the revision is another", () => {
    expect(IndexJob.request(wish).ifRunning).toBe("again-if-changed")
    expect(IndexJob.request({ ...wish, force: true }).ifRunning).toBe("again")
  })

  it("has no source where the job is of another kind, or its payload names none", () => {
    const payload = { source: { kind: "catalog", id: "rclone" } }
    expect(IndexJob.sourceOf({ kind: "digest", payload })).toEqual(Option.none())
    expect(IndexJob.sourceOf({ kind: "index", payload: { source: { kind: "song", id: "x" } } })).toEqual(Option.none())
    expect(IndexJob.sourceOf({ kind: "index", payload: null })).toEqual(Option.none())
  })

  it("of other sources have other keys", () => {
    expect(IndexJob.keyOf({ kind: "memory", id: "x" })).not.toBe(IndexJob.keyOf({ kind: "catalog", id: "x" }))
  })

  it.prop(
    "counts its items as progress, done where they need nothing more, and reads them again",
    [FastCheck.record({
      embedded: FastCheck.nat(),
      reused: FastCheck.nat(),
      refused: FastCheck.nat(),
      more: FastCheck.nat()
    })],
    ([{ more, ...done }]) => {
      const counts = { ...done, items: done.embedded + done.reused + done.refused + more }
      const progress = IndexJob.toProgress(counts)
      expect(progress.total - progress.done).toBe(more)
      expect(IndexJob.countsOf(progress)).toEqual(counts)
    }
  )

  it("has counted nothing before its first batch", () => {
    expect(IndexJob.countsOf(noProgress)).toEqual({ items: 0, embedded: 0, reused: 0, refused: 0 })
  })
})
