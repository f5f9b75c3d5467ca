import { expect, it } from "@effect/vitest"
import { once } from "node:events"
import { buildProgram, rclone } from "../../support/BuiltProgram.js"
import { startDense } from "../../support/DenseServer.js"

/** Calls that may be unstored at any moment: twice as many lanes as the embedder takes calls (see IndexJob). */
const lanes = 2

/**
 * The built program is killed in mid-work three times and then left alone. `name` tells the runs of one machine apart,
 * `database` are the settings that say where it stores.
 */
export const killing = (name: string, database: (folder: string) => Promise<Record<string, string>>) =>
  it(
    `keeps every finished chunk over kill -9 on ${name}, and never asks for one again`,
    { timeout: 300_000 },
    async () => {
      const program = await buildProgram()
      const embedder = await startDense({ latency: 60 })
      try {
        const env = {
          HOLDFAST_EMBEDDER_KIND: "http",
          HOLDFAST_EMBEDDER_URL: embedder.url,
          HOLDFAST_EMBEDDER_CONCURRENCY: "1",
          HOLDFAST_BATCH_SIZE: "8",
          ...(await database(program.folder))
        }
        const start = () => program.start(["index", rclone, "--name", "rclone", "--json"], env)
        const asked = () => embedder.seen().calls
        const excused = new Set<string>()
        for (const moreCalls of [3, 1, 4]) {
          const before = asked().length
          const child = start()
          const ended = once(child, "exit")
          await embedder.until((seen) => seen.calls.length >= before + moreCalls)
          child.kill("SIGKILL")
          await ended
          for (const { texts } of asked().slice(before).slice(-lanes)) for (const text of texts) excused.add(text)
        }
        const killedAt = asked().length
        const last = start()
        let printed = ""
        last.stdout?.on("data", (text) => printed += text)
        const [code] = await once(last, "close")
        expect(code).toBe(0)
        expect(JSON.parse(printed)).toMatchObject({ catalog: "rclone", status: "succeeded", items: 101, refused: 0 })
        const counts = new Map<string, number>()
        for (const { texts } of asked()) for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
        const again = [...counts].filter(([, count]) => count > 1).map(([text]) => text)
        expect(again.filter((text) => !excused.has(text))).toEqual([])
        expect(killedAt).toBeGreaterThan(6)
        expect(counts.size).toBeGreaterThanOrEqual(95)
      } finally {
        await embedder.close()
        program.remove()
      }
    }
  )
