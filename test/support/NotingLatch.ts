import * as Effect from "effect/Effect"

/** A closed latch that tells of each time it is opened from outside of a fiber. */
export const notingLatch = (note: () => void): Effect.Latch => {
  const latch = Effect.unsafeMakeLatch()
  const opened: Pick<Effect.Latch, "unsafeOpen"> = {
    unsafeOpen: () => {
      note()
      return latch.unsafeOpen()
    }
  }
  return Object.assign(Object.create(latch), opened)
}
