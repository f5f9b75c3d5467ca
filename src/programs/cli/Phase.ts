import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import { Settings } from "../Settings.js"
import { Output } from "./Output.js"
import { fit, rough } from "./Style.js"
import { soon } from "./Waits.js"

/** What a command is busy with before it has anything to show: told once it takes longer than a moment. */
export interface Phase {
  /** From now on the command is busy with this: words that continue "is", such as "reading a.json". */
  readonly begin: (words: string) => Effect.Effect<void>
  /** What follows shows itself. */
  readonly end: Effect.Effect<void>
}

interface Busy {
  readonly words: string
  readonly since: number
  readonly told: boolean
}

/** What a command is busy with until its stores are open. */
export const opening = Effect.map(
  Settings,
  ({ dataDir, databaseUrl }) =>
    Option.isSome(databaseUrl) ? "connecting to the database" : `opening the embedded database in ${dataDir}`
)

const lookEvery = Duration.millis(200)

/** A live line on a terminal, one line for each phase elsewhere, as long as the scope lives. */
export const make = Effect.gen(function*() {
  const output = yield* Output
  const busy = yield* Ref.make(Option.none<Busy>())
  const tell = Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    const late = Option.filter(yield* Ref.get(busy), ({ since }) => now - since >= soon)
    if (Option.isNone(late)) return
    const { since, told, words } = late.value
    if (output.isWatched) {
      const line = fit(output.stderr, `… ${words} (${rough(Duration.millis(Math.max(1000, now - since)))})`, 1)
      return yield* output.show(Option.some(line))
    }
    if (told) return
    yield* Ref.set(busy, Option.some({ ...late.value, told: true }))
    yield* output.note(fit(output.stderr, `… ${words}`))
  })
  const erase = output.show(Option.none())
  yield* Effect.forkScoped(Effect.forever(Effect.delay(tell, lookEvery)))
  yield* Effect.addFinalizer(() => erase)
  return {
    begin: (words) =>
      Effect.flatMap(Clock.currentTimeMillis, (since) => Ref.set(busy, Option.some({ words, since, told: false }))),
    end: Effect.zipRight(Ref.set(busy, Option.none()), erase)
  } satisfies Phase
})
