import * as PgClient from "@effect/sql-pg/PgClient"
import * as SqlClient from "@effect/sql/SqlClient"
import { expect, layer } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { Sessions } from "../../../src/adapters/postgres/Session.js"
import * as SqlFailure from "../../../src/adapters/postgres/SqlFailure.js"
import type { Backend } from "../../support/Databases.js"

/** What every store relies on: the same values in and out, on both drivers. */
export const suite = (backend: Backend) =>
  layer(backend.fresh([]), { excludeTestServices: true, timeout: "60 seconds" })(
    `the SQL client on ${backend.name}`,
    (it) => {
      it.effect("reads every type that we store in one and the same form", () =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          const [row] = yield* sql`
          select 1::int2 as small, 2::int4 as int, 3::int8 as big, 9007199254740993::int8 as huge, 1.5::float8 as float,
            1.25::numeric as numeric, true as bool, 'ä€😀' as text, null::text as nothing, '\\x00ff'::bytea as bytes,
            '2026-01-02T03:04:05.678Z'::timestamptz as instant, '{"a":[1,null]}'::jsonb as json, '{1,2}'::int4[] as ints,
            '{1,9007199254740993,NULL}'::int8[] as bigs, '{0.5,-2}'::real[] as reals, '{"a,b","c\\"d",NULL}'::text[] as texts,
            '7f2c0f9e-8d1b-4c55-9d53-0c3b3f3d2a11'::uuid as id, count(*) as counted`
          expect(row).toEqual({
            small: 1,
            int: 2,
            big: 3,
            huge: 9007199254740993n,
            float: 1.5,
            numeric: "1.25",
            bool: true,
            text: "ä€😀",
            nothing: null,
            bytes: Buffer.from([0, 255]),
            instant: new Date("2026-01-02T03:04:05.678Z"),
            json: { a: [1, null] },
            ints: [1, 2],
            bigs: [1, 9007199254740993n, null],
            reals: [0.5, -2],
            texts: ["a,b", "c\"d", null],
            id: "7f2c0f9e-8d1b-4c55-9d53-0c3b3f3d2a11",
            counted: 1
          })
        }))

      it.effect("gives back every parameter as it was handed over", () =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          const instant = new Date("1999-12-31T23:59:59.999Z")
          const [row] = yield* sql`
          select ${7}::int4 as int, ${12345678901234567890n}::numeric as big, ${0.1}::float8 as float, ${true}::boolean as bool,
            ${"it's \\ \"x\""}::text as text, ${null}::text as nothing, ${new Uint8Array([
            0,
            1,
            254,
            255
          ])}::bytea as bytes,
            ${instant}::timestamptz as instant, ${instant}::timestamp as local, ${"{\"deep\":{\"list\":[1]}}"}::jsonb as json,
            ${{ key: ["v"] }}::jsonb as record, ${[1, 2]}::int4[] as ints,
            ${["a,b", "c\"d\\", null]}::text[] as texts, ${[[1, 2], [3, 4]]}::int4[] as grid, ${[
            instant
          ]}::timestamptz[] as dates`
          expect(row).toEqual({
            int: 7,
            big: "12345678901234567890",
            float: 0.1,
            bool: true,
            text: "it's \\ \"x\"",
            nothing: null,
            bytes: Buffer.from([0, 1, 254, 255]),
            instant,
            local: instant,
            json: { deep: { list: [1] } },
            record: { key: ["v"] },
            ints: [1, 2],
            texts: ["a,b", "c\"d\\", null],
            grid: [[1, 2], [3, 4]],
            dates: [instant]
          })
        }))
    }
  )
