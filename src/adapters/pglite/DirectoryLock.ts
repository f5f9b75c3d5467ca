import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { closeSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import { DataDirectoryHeld } from "../../domain/store/StoreFailure.js"
import { fate, Holder, self } from "./Holder.js"
import { makeDirectory } from "./makeDirectory.js"

/**
 * The lock of a data directory: numbered files, of which the highest counts. Taking the lock creates the next number, which
 * only one process can; releasing writes a word into the file, so that numbers never come back and nobody who looked away
 * can take a number that was passed. A holder that was killed is recognised by its process; where that cannot be seen
 * (another machine or container on the same disk), by its file not having been touched for fifteen seconds: by the time that
 * stands on it, or, where a clock was wrong, while one looks.
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

/** A lock that may be a dead one's: it is, once it has stood unchanged for so long (milliseconds). */
interface Doubtful {
  readonly _tag: "Doubtful"
  readonly number: number
  /** Changes with every sign of life. */
  readonly sign: number
  readonly holder: Holder | undefined
  readonly patience: number
}

type Attempt =
  | { readonly _tag: "Taken"; readonly number: number }
  | { readonly _tag: "Held"; readonly holder: Holder }
  | { readonly _tag: "LookAgain" }
  | Doubtful

const lookAgain: Attempt = { _tag: "LookAgain" }

/** What stands in the way at the highest number, if anything. */
const obstacle = (folder: string, top: number, me: Holder): Attempt | undefined => {
  if (top === 0) return undefined
  const file = join(folder, String(top))
  const text = readFileSync(file, "utf8")
  if (text === released) return undefined
  const holder = Either.getOrUndefined(decode(text))
  const life = holder === undefined ? "unknown" : fate(holder, me)
  if (life === "alive" && holder !== undefined) return { _tag: "Held", holder }
  const patience = holder === undefined ? halfWrittenMillis : silenceMillis
  if (life === "dead" || silence(folder, file) > patience) return undefined
  return { _tag: "Doubtful", number: top, sign: statSync(file).mtimeMs, holder, patience }
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

/** One look, without waiting. Losing a race is a reason to look again. A lock of the number `passed` is known to be dead. */
const attempt = (folder: string, me: Holder, passed: number | undefined): Attempt => {
  makeDirectory(folder)
  try {
    const top = highest(folder)
    return (top === passed ? undefined : obstacle(folder, top, me)) ?? claim(folder, top + 1, me)
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

/** The file system refused the lock's files; `cause` is its error. */
export class LockRefused extends Data.TaggedError("LockRefused")<{ readonly cause: unknown }> {}

/** A taken lock. `lost` never succeeds; it ends when somebody else holds the directory now. */
export interface Lock {
  readonly lost: Effect.Effect<void>
}

/** What was seen of a doubtful lock first, and when (milliseconds of a clock that nobody sets). */
interface Watch {
  readonly first: Doubtful
  readonly since: number
}

const monotonic = Effect.map(Clock.currentTimeNanos, (nanos) => Number(nanos / 1_000_000n))

const waiting = ({ holder, patience }: Doubtful) =>
  holder === undefined ? Effect.void : Effect.logWarning(
    `The data directory was last held by process ${holder.pid} on ${holder.host}, which cannot be seen from here: ` +
      `waiting ${patience / 1000} s for a sign of life`
  )

/** Looks until the lock is taken or known to be held. What stands unchanged while one looks is a dead one's. */
const taken = (
  look: (passed: number | undefined) => Effect.Effect<Attempt, LockRefused>,
  watch?: Watch
): Effect.Effect<{ readonly number: number } | { readonly holder: Holder }, LockRefused> =>
  Effect.gen(function*() {
    const now = yield* monotonic
    const isDead = watch !== undefined && now - watch.since > watch.first.patience
    const seen = yield* look(isDead ? watch.first.number : undefined)
    if (seen._tag === "Taken" || seen._tag === "Held") return seen
    yield* Effect.interruptible(Effect.sleep("50 millis"))
    if (seen._tag === "LookAgain") return yield* taken(look)
    if (watch === undefined || watch.first.number !== seen.number) {
      yield* waiting(seen)
      return yield* taken(look, { first: seen, since: now })
    }
    if (watch.first.sign === seen.sign) return yield* taken(look, watch)
    return seen.holder === undefined ? yield* taken(look, { first: seen, since: now }) : { holder: seen.holder }
  })

/**
 * Takes the lock of a directory until the scope ends. Fails with DataDirectoryHeld, which names the holder, or with
 * LockRefused, which carries the file system's error.
 */
export const take = Effect.fn("DirectoryLock.take")(function*(directory: string) {
  const folder = join(directory, "lock")
  const me = self(DateTime.formatIso(yield* DateTime.now))
  const look = (passed: number | undefined) =>
    Effect.try({
      try: () => attempt(folder, me, passed),
      catch: (cause) => new LockRefused({ cause })
    })
  const number = yield* Effect.acquireRelease(
    Effect.flatMap(
      taken(look),
      (seen) => "number" in seen ? Effect.succeed(seen.number) : Effect.fail(held(directory, seen.holder))
    ),
    (taken) => Effect.ignore(Effect.try(() => release(folder, taken)))
  )
  const stillOurs = Effect.try(() => touch(folder, number, me)).pipe(Effect.orElseSucceed(() => true))
  const lock: Lock = {
    lost: stillOurs.pipe(Effect.delay(touchEvery), Effect.repeat({ while: (ours) => ours }), Effect.asVoid)
  }
  return lock
})
