import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { connect, createServer } from "node:net"
import type { AddressInfo, Server } from "node:net"
import { inject } from "vitest"
import * as Client from "../../../../src/adapters/postgres/driver/Client.js"
import { all } from "../../../../src/adapters/postgres/migrations/all.js"
import { prepared } from "../../../../src/adapters/postgres/driver/Prepared.js"
import * as SqlFailure from "../../../../src/adapters/postgres/driver/SqlFailure.js"
import { transact } from "../../../../src/adapters/postgres/driver/transact.js"
import type { Outcome } from "../../../../src/domain/job/Outcome.js"
import { freshPostgres } from "../../../support/Databases.js"
import * as Kit from "../../suites/queueKit.js"
import * as Outcomes from "../../../support/Outcomes.js"

interface Statement {
  readonly name: string
  readonly statement: string
}

/** What the one connection of the pool has prepared. */
const known = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => sql<Statement>`select name, statement from pg_prepared_statements order by name`
)

const answer = (value: number) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) =>
      Effect.map(sql<{ readonly value: number }>`${prepared} select ${value}::integer as value`, ([row]) => row?.value)
  )

const one = (migrations: Parameters<typeof freshPostgres>[0] = []) => freshPostgres(migrations, { maxConnections: 1 })

/** Tells the client of another process than the one that answers, as a pooler does, and passes all else on. */
const renumbered = () => {
  let greeted = false
  let waiting = Buffer.alloc(0)
  return (bytes: Buffer): Buffer => {
    if (greeted) return bytes
    waiting = Buffer.concat([waiting, bytes])
    const ready: Array<Buffer> = []
    while (waiting.length >= 5 && waiting.length > waiting.readInt32BE(1)) {
      const message = Buffer.from(waiting.subarray(0, 1 + waiting.readInt32BE(1)))
      waiting = waiting.subarray(message.length)
      const kind = message.toString("latin1", 0, 1)
      if (kind === "K") message.writeInt32BE(message.readInt32BE(5) + 1_000_000, 5)
      greeted ||= kind === "Z"
      ready.push(message)
    }
    if (greeted) ready.push(waiting)
    return Buffer.concat(ready)
  }
}

const pooler = Effect.map(
  Effect.acquireRelease(
    Effect.async<Server>((resume) => {
      const server = new URL(inject("postgresUrl"))
      const listener = createServer((client) => {
        const upstream = connect(Number(server.port), server.hostname)
        const told = renumbered()
        client.on("data", (bytes) => void upstream.write(bytes))
        upstream.on("data", (bytes: Buffer) => void client.write(told(bytes)))
        for (const [here, there] of [[client, upstream], [upstream, client]] as const) {
          here.on("error", () => {})
          here.on("close", () => there.destroy())
        }
      })
      listener.listen(0, "127.0.0.1", () => resume(Effect.succeed(listener)))
    }),
    (listener) => Effect.sync(() => listener.close())
  ),
  (listener) => {
    const url = new URL(inject("postgresUrl"))
    url.hostname = "127.0.0.1"
    // A listening TCP server has an AddressInfo.
    url.port = String((listener.address() as AddressInfo).port)
    return Redacted.make(url.href)
  }
)

describe("prepared statements", () => {
  it.effect("are made once for each marked text, and for no other", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      expect([yield* answer(1), yield* answer(2), yield* transact(answer(3))]).toEqual([1, 2, 3])
      yield* sql`select ${1}::integer`
      expect(yield* known).toEqual([
        {
          name: expect.stringMatching(/^holdfast_\w{1,54}$/),
          statement: "/* prepared */ select $1::integer as value"
        }
      ])
    }).pipe(Effect.provide(one())))

  it.scopedLive("are not used behind a pooler, where the next statement may meet another process", () =>
    Effect.gen(function*() {
      const url = yield* pooler
      yield* Effect.gen(function*() {
        expect([yield* answer(1), yield* answer(2)]).toEqual([1, 2])
        expect(yield* known).toEqual([])
      }).pipe(Effect.provide(Client.layer(Client.settings(url, { maxConnections: 1 }))))
    }))

  it.effect("that do not fit the tables any more fail once as a conflict, and are made anew", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const all = SqlFailure.renamed(sql`${prepared} select * from thing where id = ${1}`)
      yield* sql`create table thing (id integer primary key)`
      yield* sql`insert into thing values (1)`
      expect(yield* all).toEqual([{ id: 1 }])
      yield* sql`alter table thing add column colour text default 'red'`
      expect(yield* Effect.flip(all)).toMatchObject({ _tag: "StoreConflict" })
      expect(yield* all).toEqual([{ id: 1, colour: "red" }])
      expect((yield* known).length).toBe(1)
    }).pipe(Effect.provide(one())))

  it.effect("that are gone fail once as a conflict, and are made anew", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* answer(1)
      yield* sql`deallocate all`
      expect(yield* Effect.flip(transact(answer(2)))).toMatchObject({ _tag: "StoreConflict" })
      expect(yield* transact(answer(3))).toBe(3)
      expect((yield* known).length).toBe(1)
    }).pipe(Effect.provide(one())))

  it.effect("of the queue have few texts, whatever the values", () =>
    Kit.alone(Effect.gen(function*() {
      const round = Effect.fnUntraced(function*(source: string, outcome: Outcome) {
        yield* Kit.settle(yield* Kit.begun(source), outcome)
        return (yield* known).map(({ name }) => name)
      })
      const halted = Outcomes.halted(Kit.unavailable)
      yield* round("pets", Outcomes.completed)
      const before = yield* round("birds", halted)
      expect(before.length).toBeGreaterThan(3)
      yield* round("fish", Outcomes.completed)
      expect(yield* round("cats", halted)).toEqual(before)
    })).pipe(Effect.provide(one(all))))
})
