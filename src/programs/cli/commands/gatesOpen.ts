import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Gates } from "../../../domain/session/Gates.js"
import { around } from "../surroundings.js"
import { GateNotClosed } from "../Fault.js"
import { commandResult } from "../CommandResult.js"
import { withStores } from "../provideLayers.js"

/** Open the gates of this name, and end its cooldown. */
export const run = ({ name }: { readonly name: string }) =>
  withStores(Effect.gen(function*() {
    const gates = yield* Gates
    const named = (yield* gates.closed).filter(({ ref }) => ref.name === name)
    const opened = yield* Effect.filter(named, ({ ref }) => gates.open(ref))
    const cooled = yield* gates.endCooldown(name)
    if (opened.length === 0 && !cooled) return yield* new GateNotClosed({ name })
    const { workers } = yield* around
    const isWorkedOn = Option.exists(workers, (living) => living.length > 0)
    const next = isWorkedOn
      ? "its work goes on"
      : "its work goes on where a worker of its kinds runs (of catalogs: holdfast worker)"
    return commandResult(
      { opened: opened.map(({ ref }) => ({ kind: ref.kind, name: ref.name })), cooldowns: cooled ? [name] : [] },
      () => [
        ...opened.map(({ ref }) => `The ${ref.kind} ${ref.name} is open; ${next}.`),
        ...(cooled ? [`The cooldown of ${name} is ended; ${next}.`] : [])
      ]
    )
  }))
