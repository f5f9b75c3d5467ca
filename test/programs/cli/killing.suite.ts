import { expect, it } from "@effect/vitest"
import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { startDense } from "../../support/DenseServer.js"

const root = fileURLToPath(new URL("../../..", import.meta.url))
const rclone = join(root, "node_modules/rclone-openapi/openapi.json")

/** Calls that may be unstored at any moment: one lane more than the embedder takes calls (see RunJob). */
const lanes = 2

/**
 * The built program is killed in mid-work three times and then left alone. `name` tells the runs of one machine apart,
 * `database` are the settings that say where it stores.
 */
export const killing = (name: string, database: (folder: string) => Promise<Record<string, string>>) =>
  it(
    `keeps every finished chunk over kill -9 on ${name}, and never asks for one again`,
    { timeout: 120_000 },
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "holdfast-kill-"))
      const built = `node_modules/.cache/holdfast-killed-${name}`
      const embedder = await startDense({ latency: 60 })
      try {
        await promisify(execFile)(process.execPath, [".config/bundle.mjs", built], { cwd: root })
        const env = {
          PATH: process.env["PATH"] ?? "",
          HOLDFAST_EMBEDDER_KIND: "http",
          HOLDFAST_EMBEDDER_URL: embedder.url,
          HOLDFAST_EMBEDDER_CONCURRENCY: "1",
          HOLDFAST_BATCH_SIZE: "8",
          ...(await database(folder))
        }
        const start = () =>
          spawn(process.execPath, [join(root, built, "holdfast.js"), "index", rclone, "--name", "rclone", "--json"], {
            cwd: folder,
            env,
            stdio: ["ignore", "pipe", "inherit"]
          })
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
        last.stdout.on("data", (text) => printed += text)
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
        rmSync(folder, { recursive: true, force: true })
      }
    }
  )
