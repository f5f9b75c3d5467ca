import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "@effect/vitest"
import { buildProgram, rclone } from "../../support/BuiltProgram.js"
import type { BuiltProgram, Ended } from "../../support/BuiltProgram.js"
import { startDense } from "../../support/DenseServer.js"
import { ownDatabase } from "../../support/OwnDatabase.js"

/** The commands about jobs, as a person runs them: each starts in half a second where it makes no engine of its own. */

let program: BuiltProgram

beforeAll(async () => {
  program = await buildProgram()
})

afterAll(() => program.remove())

/** Everything on stdout must be this one object. */
const object = ({ stdout }: Ended): Record<string, unknown> => JSON.parse(stdout)

describe("the commands about jobs", { timeout: 180_000 }, () => {
  it("asks for many jobs at once by kind and state, and says how many before it begins", async () => {
    const embedder = await startDense()
    onTestFinished(() => embedder.close())
    const env = {
      ...await ownDatabase("jobs"),
      HOLDFAST_EMBEDDER_KIND: "http",
      HOLDFAST_EMBEDDER_URL: embedder.url
    }
    const holdfast = (args: ReadonlyArray<string>) => program.run(args, env)
    const queued = object(await holdfast(["index", rclone, "--name", "many", "--detach", "--json"]))
    const id = Number(queued["job"])
    const listed = async (...flags: ReadonlyArray<string>) => {
      const { jobs } = object(await holdfast(["jobs", "list", ...flags, "--json"])) as {
        readonly jobs: ReadonlyArray<{ readonly id: number }>
      }
      return jobs.map((job) => job.id)
    }
    expect(await listed("--state", "open")).toEqual([id])
    expect(await listed("--kind", "index", "--state", "pending")).toEqual([id])
    expect(await listed("--kind", "digest")).toEqual([])
    expect(await listed("--catalog", "many")).toEqual([id])

    const unasked = await holdfast(["jobs", "cancel", "--kind", "index"])
    expect([unasked.code, unasked.stdout]).toEqual([2, ""])
    expect(unasked.stderr).toContain("1 job of kind index (pending, running) is to be cancelled. Give --yes to begin.")
    expect(object(await holdfast(["jobs", "cancel", "--kind", "index", "--yes", "--json"]))).toEqual({ cancelled: 1 })
    expect(object(await holdfast(["jobs", "cancel", "--all", "--yes", "--json"]))).toEqual({ cancelled: 0 })
    expect(object(await holdfast(["jobs", "retry", "--all", "--yes", "--json"]))).toEqual({ retried: 0 })
    expect(object(await holdfast(["jobs", "retry", "--kind", "index", "--state", "cancelled", "--yes", "--json"])))
      .toEqual({ retried: 1 })

    expect(object(await holdfast(["jobs", "show", String(id), "--json"]))).toMatchObject({
      job: {
        id,
        kind: "index",
        key: "catalog/many",
        status: "pending",
        state: "Queued",
        done: 0,
        payload: { source: { kind: "catalog", id: "many" } },
        waiting: { reason: "Concurrency", message: "a worker: none runs" }
      },
      steps: [],
      refused: []
    })
    expect((await holdfast(["jobs", "retry"])).code).toBe(2)
    expect((await holdfast(["catalogs", "remove", "many"])).code).toBe(0)
    expect(await listed("--state", "open")).toEqual([])
  })
})
