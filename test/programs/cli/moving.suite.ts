import { expect, it } from "@effect/vitest"
import { once } from "node:events"
import { buildProgram, rclone } from "../../support/BuiltProgram.js"
import { startDense } from "../../support/DenseServer.js"

/** Calls that may be unstored at any moment: twice as many lanes as the embedder takes calls (see IndexJob). */
const lanes = 2

/**
 * The built program is killed while it moves a store to another embedder, and then left alone. `name` tells the runs of one
 * machine apart, `database` are the settings that say where it stores.
 */
export const moving = (name: string, database: (folder: string) => Promise<Record<string, string>>) =>
  it(
    `moves to another embedder over kill -9 on ${name}, and asks for no stored text again`,
    { timeout: 600_000 },
    async () => {
      const program = await buildProgram()
      const old = await startDense({ model: "bge-m3" })
      const newer = await startDense({ model: "newer", dimension: 12, latency: 60 })
      try {
        const shared = {
          HOLDFAST_EMBEDDER_KIND: "http",
          HOLDFAST_EMBEDDER_CONCURRENCY: "1",
          HOLDFAST_BATCH_SIZE: "8",
          ...(await database(program.folder))
        }
        const before = { ...shared, HOLDFAST_EMBEDDER_URL: old.url, HOLDFAST_EMBEDDER_MODEL: "bge-m3" }
        const after = { ...shared, HOLDFAST_EMBEDDER_URL: newer.url, HOLDFAST_EMBEDDER_MODEL: "newer" }
        const object = async (args: ReadonlyArray<string>, env: Record<string, string>) => {
          const { code, stderr, stdout } = await program.run([...args, "--json"], env)
          return { code, stderr, said: JSON.parse(stdout) as Record<string, unknown> }
        }
        expect((await program.run(["index", rclone, "--name", "rclone"], before)).code).toBe(0)

        const refused = await object(["index", rclone, "--name", "rclone"], after)
        expect([refused.code, refused.said]).toMatchObject([2, { error: { tag: "EmbedderMismatch" } }])
        const unasked = await object(["embedder", "set"], after)
        expect(unasked.code).toBe(2)
        expect(unasked.said).toMatchObject({
          error: { message: expect.stringMatching(/1 catalog with \d+ texts .* Give --yes to begin\./) }
        })
        // One text to see the new embedder at work, and no more.
        expect(newer.seen().calls.flatMap(({ texts }) => texts)).toHaveLength(1)

        const asked = () => newer.seen().calls.slice(1)
        const excused = new Set<string>()
        for (const moreCalls of [4, 2, 3]) {
          const earlier = asked().length
          const child = program.start(["embedder", "set", "--yes", "--json"], after)
          const ended = once(child, "exit")
          await newer.until(({ calls }) => calls.length - 1 >= earlier + moreCalls)
          child.kill("SIGKILL")
          await ended
          for (const { texts } of asked().slice(earlier).slice(-lanes)) for (const text of texts) excused.add(text)
        }
        expect((await object(["embedder", "show"], before)).said).toMatchObject({
          uses: { model: "newer" },
          leaving: [{ model: "bge-m3" }],
          fits: false,
          moved: 0
        })
        // The old vectors serve meanwhile.
        const found = await object(["search", "copy a file", "--mode", "semantic"], before)
        expect(found.said).toMatchObject({ degraded: null })
        expect(found.said["hits"]).toHaveLength(10)

        const last = await object(["embedder", "set"], after)
        expect(last).toMatchObject({ code: 0, said: { step: "resume", moved: 1, refused: 0, isOver: true } })
        const counts = new Map<string, number>()
        for (const { texts } of asked()) for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
        const again = [...counts].filter(([, count]) => count > 1).map(([text]) => text)
        expect(again.filter((text) => !excused.has(text))).toEqual([])
        expect(counts.size).toBeGreaterThanOrEqual(95)

        expect((await object(["search", "copy a file", "--mode", "semantic"], after)).said).toMatchObject({
          degraded: null
        })
        expect((await object(["embedder", "show"], after)).said).toMatchObject({ leaving: [], fits: true })
        expect((await program.run(["worker"], before)).code).toBe(2)
      } finally {
        await old.close()
        await newer.close()
        program.remove()
      }
    }
  )
