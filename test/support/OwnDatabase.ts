import { randomUUID } from "node:crypto"
import { Client } from "pg"
import { inject } from "vitest"

/** The settings by which a program has an empty database of its own on the tests' server. `name` begins the database's. */
export const ownDatabase = async (name: string): Promise<Record<string, string>> => {
  const admin = inject("postgresUrl")
  const database = `${name}_${randomUUID().replaceAll("-", "")}`
  const client = new Client({ connectionString: admin })
  await client.connect()
  await client.query(`create database ${database}`)
  await client.end()
  const url = new URL(admin)
  url.pathname = `/${database}`
  return { HOLDFAST_DATABASE_URL: url.href }
}
