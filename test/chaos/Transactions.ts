import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import type { World } from "./Arena.js"

interface Held {
  readonly held: number | null
}

/**
 * Looks every 100 ms at how long transactions of this database stand open with nothing to do, until the scope ends. Answers
 * the longest so far, in seconds: an embedder call inside a transaction would show as one that lasts as long as the call.
 */
export const watch = Effect.fnUntraced(function*(world: World, sessions: string) {
  const longest = yield* Ref.make(0)
  yield* world.sql<Held>(
    `select max(extract(epoch from clock_timestamp() - state_change))::float8 as held from pg_stat_activity
    where datname = current_database() and state like 'idle in transaction%' and application_name like $1`,
    [sessions]
  ).pipe(
    Effect.flatMap(([row]) => Ref.update(longest, (most) => Math.max(most, row?.held ?? 0))),
    Effect.delay("100 millis"),
    Effect.forever,
    Effect.forkScoped
  )
  return Ref.get(longest)
})
