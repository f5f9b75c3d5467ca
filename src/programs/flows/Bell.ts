/**
 * Tells one listener that something may have changed, and by its sound what, in the call that rings: no fiber stands between.
 * What rings while nobody listens is remembered.
 */
export interface Bell<Sound extends string> {
  readonly ring: (sound: Sound) => void
  /** Forget what rang. */
  readonly silence: () => void
  /** Calls back once: at the next ring, or at once where it rang since it was silenced. Answers how to listen no longer. */
  readonly listen: (heard: (sound: Sound) => void) => () => void
}

export const make = <Sound extends string>(): Bell<Sound> => {
  let last: Sound | undefined
  let listener: ((sound: Sound) => void) | undefined
  return {
    ring: (sound) => {
      last = sound
      const heard = listener
      listener = undefined
      heard?.(sound)
    },
    silence: () => {
      last = undefined
    },
    listen: (heard) => {
      if (last === undefined) listener = heard
      else heard(last)
      return () => {
        if (listener === heard) listener = undefined
      }
    }
  }
}
