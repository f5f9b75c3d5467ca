// @effect-diagnostics globalDate:off processEnv:off -- what a worker with a wrong clock sees, set before it loads anything
import { env } from "node:process"

/** Shifts the wall clock of this process by so many milliseconds. Timers and the monotonic clock go on as they are. */
const shift = Number(env["CHAOS_CLOCK_SHIFT"] ?? 0)
const Real = Date

class Shifted extends Real {
  constructor(...given: ReadonlyArray<unknown>) {
    if (given.length === 0) super(Real.now() + shift)
    else super(...(given as [number])) // any of its constructors; passed on as it came
  }
  static override now() {
    return Real.now() + shift
  }
}

globalThis.Date = Shifted as DateConstructor // without the call form that nothing uses
Object.defineProperty(performance, "timeOrigin", { value: performance.timeOrigin + shift })
