import * as Effect from "effect/Effect"
import { Gates } from "../../../domain/session/Gates.js"
import { GateNotClosed } from "../Fault.js"
import { report } from "../Report.js"
import { withStores } from "../wired.js"

export const run = ({ name }: { readonly name: string }) =>
  withStores(Effect.gen(function*() {
    const gates = yield* Gates
    const named = (yield* gates.closed).filter(({ ref }) => ref.name === name)
    const opened = yield* Effect.filter(named, ({ ref }) => gates.open(ref))
    if (opened.length === 0) return yield* new GateNotClosed({ name })
    return report(
      { opened: opened.map(({ ref }) => ({ kind: ref.kind, name: ref.name })) },
      () => opened.map(({ ref }) => `The ${ref.kind} ${ref.name} is open; its work goes on.`)
    )
  }))
