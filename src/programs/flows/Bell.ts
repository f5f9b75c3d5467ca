/**
 * Tells one listener that something may have changed, in the call that rings: no fiber stands between. What rings while nobody
 * listens is remembered.
 */
export interface Bell {
  readonly ring: () => void
  /** Forget what rang. */
  readonly silence: () => void
  /** Calls back once: at the next ring, or at once where it rang since it was silenced. Answers how to listen no longer. */
  readonly listen: (heard: () => void) => () => void
}

export const make = (): Bell => {
  let rang = false
  let listener: (() => void) | undefined
  return {
    ring: () => {
      rang = true
      const heard = listener
      listener = undefined
      heard?.()
    },
    silence: () => {
      rang = false
    },
    listen: (heard) => {
      if (rang) heard()
      else listener = heard
      return () => {
        if (listener === heard) listener = undefined
      }
    }
  }
}
