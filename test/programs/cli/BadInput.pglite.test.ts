import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { buildProgram, lasting, rclone } from "../../support/BuiltProgram.js"
import type { BuiltProgram } from "../../support/BuiltProgram.js"
import { prepare } from "../../support/Databases.js"
import { startDense } from "../../support/DenseServer.js"

let program: BuiltProgram
let embedder: Awaited<ReturnType<typeof startDense>>

const env = (more: Record<string, string> = {}) => ({
  HOLDFAST_DATA_DIR: join(program.folder, "data"),
  HOLDFAST_EMBEDDER_KIND: "http",
  HOLDFAST_EMBEDDER_URL: embedder.url,
  ...more
})

/** Redirects to a private address, answers 404, or never answers, by the path. */
const source = createServer((request, response) => {
  if (request.url === "/moved") response.writeHead(302, { location: "http://127.0.0.2:9/openapi.json" }).end()
  if (request.url === "/missing") response.writeHead(404).end("not here")
})

beforeAll(async () => {
  program = await buildProgram()
  embedder = await startDense()
  source.listen(0, "127.0.0.1")
  await once(source, "listening")
})

afterAll(async () => {
  source.closeAllConnections()
  source.close()
  await embedder.close()
  program.remove()
})

const description = (operation: object) =>
  JSON.stringify({ openapi: "3.0.0", info: { title: "T", version: "1" }, paths: { "/x": operation } })

describe("the program on input that is no use", { timeout: 120_000 }, () => {
  it("refuses documents and addresses in one sentence, and stores nothing of them", async () => {
    const at = `http://127.0.0.1:${(source.address() as AddressInfo).port}`
    const cases: ReadonlyArray<readonly [string, number, RegExp]> = [
      [program.write("large.json", Buffer.alloc(65 * 1024 * 1024, " ")), 1, /64 MiB/],
      [program.write("ref.json", description({ $ref: "https://example.com/paths.json#/x" })), 1, /example\.com/],
      [`${at}/moved`, 1, /127\.0\.0\.2/],
      [`${at}/missing`, 1, /404/],
      [`${at}/silent`, 7, /in time|did not answer|within/],
      ["ftp://example.com/openapi.json", 2, /http/]
    ]
    for (const [location, code, message] of cases) {
      const ended = await program.run(["index", location], env({ HOLDFAST_SOURCE_TIMEOUT: "700ms" }))
      expect(ended.stderr).toMatch(message)
      expect([location, ended.code, ended.stdout, lasting(ended.stderr).length]).toEqual([
        location,
        code,
        "",
        1
      ])
    }
    expect((await program.run(["status"], env())).stdout).toContain("no store in")
    await Effect.runPromise(prepare(join(program.folder, "data")))
  })

  it("names the setting at once when the embedder gives another dimension than is configured", async () => {
    const calls = embedder.seen().calls.length
    const data = {
      HOLDFAST_DATA_DIR: join(program.folder, "other"),
      HOLDFAST_EMBEDDER_DIMENSION: "16",
      HOLDFAST_EMBEDDER_CONCURRENCY: "1"
    }
    await Effect.runPromise(prepare(data.HOLDFAST_DATA_DIR))
    const other = await program.run(["index", rclone, "--name", "other"], env(data))
    expect(other.code).toBe(1)
    expect(other.stdout + other.stderr).toMatch(/embedder\.dimension is 16 but the model answers 8/)
    expect(embedder.seen().calls.length - calls).toBe(1)
  })

  it("fails with 7 and one sentence when the embedder answers nonsense", async () => {
    embedder.setFault(() => ({ kind: "answer", status: 200, body: "<html>Welcome</html>" }))
    const nonsense = await program.run(["index", rclone, "--name", "nonsense"], env())
    embedder.setFault(() => undefined)
    expect(nonsense.code).toBe(7)
    expect(nonsense.stdout + nonsense.stderr).toMatch(/makes no sense/)
  })

  it("fails with 7 when another process holds the data directory, and names that process", async () => {
    const holder = program.start(["worker"], env())
    try {
      await new Promise<void>((ready) => holder.stderr?.on("data", (text) => String(text).includes("ready") && ready()))
      const second = await program.run(["status"], env())
      expect(second.code).toBe(7)
      expect(second.stderr).toContain(`process ${holder.pid}`)
    } finally {
      holder.kill("SIGTERM")
      await once(holder, "close")
    }
  })
})
