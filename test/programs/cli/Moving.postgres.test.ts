import { randomUUID } from "node:crypto"
import { Client } from "pg"
import { inject } from "vitest"
import { moving } from "./moving.suite.js"

moving("Postgres", async () => {
  const admin = inject("postgresUrl")
  const database = `moving_${randomUUID().replaceAll("-", "")}`
  const client = new Client({ connectionString: admin })
  await client.connect()
  await client.query(`create database ${database}`)
  await client.end()
  const url = new URL(admin)
  url.pathname = `/${database}`
  return { HOLDFAST_DATABASE_URL: url.href }
})
