import * as Effect from "effect/Effect"
import * as RcMap from "effect/RcMap"
import * as Scope from "effect/Scope"

/**
 * One engine a data directory in this process, whoever asks for it: two engines on one directory would destroy it, and a process
 * cannot be told to stop itself.
 */

/**
 * Opens once for all who use the same directory, named by its real path, and closes with the last of them. Who comes while it
 * closes waits, and opens anew.
 */
export const make = <A, E>(
  open: (directory: string) => Effect.Effect<A, E, Scope.Scope>
): (directory: string) => Effect.Effect<A, E, Scope.Scope> => {
  const turns = new Map<string, Effect.Semaphore>()
  const turnOf = (directory: string): Effect.Semaphore => {
    const known = turns.get(directory)
    if (known !== undefined) return known
    const made = Effect.unsafeMakeSemaphore(1)
    turns.set(directory, made)
    return made
  }
  const lookup = (directory: string) =>
    Effect.acquireRelease(
      Effect.interruptible(turnOf(directory).take(1)),
      () => turnOf(directory).release(1)
    ).pipe(Effect.zipRight(open(directory)))
  // It lives as long as the process; what it holds, as long as somebody uses it.
  const map = Effect.runSync(Scope.extend(RcMap.make({ lookup }), Effect.runSync(Scope.make())))
  return (directory) => RcMap.get(map, directory)
}
