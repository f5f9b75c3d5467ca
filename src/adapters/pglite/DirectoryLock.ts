import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync
} from "node:fs"
import { join } from "node:path"
import { DataDirectoryHeld } from "../../domain/store/StoreFailure.js"
import { fate, Holder, self } from "./Holder.js"

/**
 * The lock of a data directory: numbered files, of which the highest counts. Taking the lock creates the next number, which
 * only one process can; releasing writes a word into the file, so that numbers never come back and nobody who looked away
 * can take a number that was passed. A holder that was killed is recognised by its process; where that cannot be seen
 * (another machine or container on the same disk), by its file not having been touched for fifteen seconds.
 */

/** The file system's own clock stamps both files, so that the clocks of two machines do not matter. */
const silenceMillis = 15_000
const halfWrittenMillis = 2_000
const touchEvery = "3 seconds"
const released = "released"

const decode = Schema.decodeUnknownEither(Schema.parseJson(Holder))
const encode = Schema.encodeSync(Schema.parseJson(Holder))

const highest = (folder: string) =>
  readdirSync(folder).reduce((top, name) => /^\d+$/.test(name) ? Math.max(top, Number(name)) : top, 0)

const hasCode = (error: unknown, code: string) => error instanceof Error && "code" in error && error.code === code

/** How long a file has not been touched, by the clock of its file system. */
const silence = (folder: string, file: string): number => {
  const probe = join(folder, `probe-${process.pid}`)
  writeFileSync(probe, "")
  const now = statSync(probe).mtimeMs
  rmSync(probe, { force: true })
  return now - statSync(file).mtimeMs
}

type Attempt =
  | { readonly _tag: "Taken"; readonly number: number }
  | { readonly _tag: "Held"; readonly holder: Holder }
  | { readonly _tag: "LookAgain" }

const lookAgain: Attempt = { _tag: "LookAgain" }

/** What stands in the way at the highest number, if anything. */
const obstacle = (folder: string, top: number, me: Holder): Attempt | undefined => {
  if (top === 0) return undefined
  const file = join(folder, String(top))
  const text = readFileSync(file, "utf8")
  if (text === released) return undefined
  const read = decode(text)
  if (Either.isLeft(read)) return silence(folder, file) > halfWrittenMillis ? undefined : lookAgain
  const life = fate(read.right, me)
  if (life === "alive") return { _tag: "Held", holder: read.right }
  if (life === "dead" || silence(folder, file) > silenceMillis) return undefined
  return lookAgain
}

const claim = (folder: string, number: number, me: Holder): Attempt => {
  const file = join(folder, String(number))
  writeFileSync(file, encode(me), { flag: "wx" })
  if (highest(folder) !== number) {
    rmSync(file, { force: true })
    return lookAgain
  }
  for (const name of readdirSync(folder)) {
    if (/^\d+$/.test(name) && Number(name) < number - 1) rmSync(join(folder, name), { force: true })
  }
  return { _tag: "Taken", number }
}

/** One look, without waiting. Losing a race is a reason to look again. */
const attempt = (folder: string, me: Holder): Attempt => {
  try {
    mkdirSync(folder, { recursive: true })
    const top = highest(folder)
    return obstacle(folder, top, me) ?? claim(folder, top + 1, me)
  } catch (error) {
    if (hasCode(error, "EEXIST") || hasCode(error, "ENOENT")) return lookAgain
    throw error
  }
}

/** Renews the file's time without a moment in which it is empty. False when a higher number exists: the lock is lost. */
const touch = (folder: string, number: number, me: Holder): boolean => {
  const file = openSync(join(folder, String(number)), "r+")
  try {
    writeSync(file, encode(me), 0)
  } finally {
    closeSync(file)
  }
  return highest(folder) === number
}

const release = (folder: string, number: number) => {
  if (highest(folder) === number) writeFileSync(join(folder, String(number)), released)
}

const held = (directory: string, { host, pid, since }: Holder) => new DataDirectoryHeld({ directory, pid, host, since })

/** A taken lock. `lost` never succeeds; it ends when somebody else holds the directory now. */
export interface Lock {
  readonly lost: Effect.Effect<void>
}

/**
 * Takes the lock of a directory until the scope ends. Fails with DataDirectoryHeld, which names the holder; the errors of the
 * file system come out as they are.
 */
export const take = Effect.fn("DirectoryLock.take")(function*(directory: string) {
  const folder = join(directory, "lock")
  const me = self(DateTime.formatIso(yield* DateTime.now))
  const look = Effect.try({
    try: () => attempt(folder, me),
    catch: (error) => error instanceof Error ? error : new Error(String(error))
  })
  const number = yield* Effect.acquireRelease(
    look.pipe(
      Effect.tap((seen) => seen._tag === "LookAgain" ? Effect.interruptible(Effect.sleep("50 millis")) : Effect.void),
      Effect.repeat({ until: (seen): seen is Exclude<Attempt, { _tag: "LookAgain" }> => seen._tag !== "LookAgain" }),
      Effect.flatMap((seen) =>
        seen._tag === "Taken" ? Effect.succeed(seen.number) : Effect.fail(held(directory, seen.holder))
      )
    ),
    (taken) => Effect.ignore(Effect.try(() => release(folder, taken)))
  )
  const stillOurs = Effect.try(() => touch(folder, number, me)).pipe(Effect.orElseSucceed(() => true))
  const lock: Lock = {
    lost: stillOurs.pipe(Effect.delay(touchEvery), Effect.repeat({ while: (ours) => ours }), Effect.asVoid)
  }
  return lock
})
