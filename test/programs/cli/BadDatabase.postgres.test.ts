import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { randomUUID } from "node:crypto"
import { Client } from "pg"
import { inject } from "vitest"
import { buildProgram } from "../../support/BuiltProgram.js"
import type { BuiltProgram } from "../../support/BuiltProgram.js"

let program: BuiltProgram
const database = `bad_${randomUUID().replaceAll("-", "")}`

const url = (change: (url: URL) => void = () => {}) => {
  const made = new URL(inject("postgresUrl"))
  made.pathname = `/${database}`
  change(made)
  return made.href
}

const query = async (connectionString: string, sql: string) => {
  const client = new Client({ connectionString })
  await client.connect()
  await client.query(sql)
  await client.end()
}

const status = (databaseUrl: string) => program.run(["status"], { HOLDFAST_DATABASE_URL: databaseUrl })

beforeAll(async () => {
  program = await buildProgram()
  await query(inject("postgresUrl"), `create database ${database}`)
})

afterAll(async () => {
  program.remove()
  await query(inject("postgresUrl"), `drop database ${database} with (force)`)
})

describe("the program on a database that is no use", { timeout: 120_000 }, () => {
  it("says in one sentence what is wrong, with the exit code, and hides the password", async () => {
    const cases: ReadonlyArray<readonly [string, number, RegExp]> = [
      [url((made) => void (made.port = "1")), 7, /cannot be reached/],
      [url((made) => void (made.password = "planted-password")), 1, /refused access/],
      [url((made) => void (made.pathname = "/nowhere")), 7, /nowhere/],
      [url((made) => void (made.search = "?sslmode=require")), 7, /does not support SSL/]
    ]
    for (const [place, code, message] of cases) {
      const ended = await status(place)
      expect(ended.stderr).toMatch(message)
      expect([ended.code, ended.stdout, ended.stderr.trim().split("\n").length]).toEqual([code, "", 1])
      expect(ended.stderr).not.toContain("planted-password")
    }
  })

  it("sets up an empty database, reads a read-only one, and writes none", async () => {
    expect((await status(url())).code).toBe(0)
    await query(inject("postgresUrl"), `alter database ${database} set default_transaction_read_only = on`)
    const file = program.write(
      "api.json",
      JSON.stringify({
        openapi: "3.1.0",
        info: { title: "T", version: "1" },
        paths: { "/x": { get: { summary: "Get x", responses: {} } } }
      })
    )
    const ended = await program.run(["index", file], { HOLDFAST_DATABASE_URL: url() })
    await query(inject("postgresUrl"), `alter database ${database} reset default_transaction_read_only`)
    expect(ended.code).toBe(7)
    expect(ended.stderr).toMatch(/read-only/)
  })

  it("works on no schema of a newer program", async () => {
    await query(url(), "insert into holdfast.migration (id, name) values (99, 'from the future')")
    const ended = await status(url())
    expect(ended.code).toBe(1)
    expect(ended.stderr).toMatch(/Upgrade holdfast/)
  })
})
