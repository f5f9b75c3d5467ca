import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import type { Job } from "../../domain/job/Job.js"
import { count } from "../../domain/text/count.js"
import * as CallWatch from "../flows/work/CallWatch.js"
import { Settings } from "../Settings.js"
import { around } from "./surroundings.js"
import { Output } from "./Output.js"
import { fit, paint, rough } from "./Style.js"
import type { Style } from "./Style.js"
import { soon, waitOf } from "./Waits.js"
import type { Wait } from "./Waits.js"

/** How far a job is, and how fast it got there: `since` counts milliseconds from the first look, `from` items at it. */
export interface Headway {
  readonly done: number
  readonly items: number
  readonly from: number
  readonly since: number
}

/** Items per second, and the time left; none until something was finished. */
export const rate = ({ done, from, since }: Headway): Option.Option<number> =>
  done > from && since > 0 ? Option.some((done - from) * 1000 / since) : Option.none()

const left = (headway: Headway): Option.Option<Duration.Duration> =>
  Option.map(rate(headway), (perSecond) => Duration.seconds((headway.items - headway.done) / perSecond))

const perSecond = (n: number): string => n >= 10 ? count(Math.round(n)) : n.toFixed(1)

const speed = (headway: Headway): string =>
  Option.match(Option.all([rate(headway), left(headway)]), {
    onNone: () => "",
    onSome: ([n, rest]) => `${perSecond(n)}/s${headway.done < headway.items ? `, ${rough(rest)} left` : ""}`
  })

const percent = ({ done, items }: Headway): number => items === 0 ? 0 : Math.floor(done * 100 / items)

/** The progress in words: done/total, rate, time left. */
export const words = (name: string, headway: Headway): string =>
  [`${name}  ${count(headway.done)}/${count(headway.items)}`, `${percent(headway)}%`, speed(headway)].filter((part) =>
    part !== ""
  )
    .join("  ")

/** The same as a bar that fits into the terminal. */
export const bar = (style: Style, name: string, headway: Headway): string => {
  const text = words(name, headway)
  const room = (style.columns ?? 80) - text.length - 3
  if (room < 10) return text.slice(0, (style.columns ?? 80) - 1)
  const width = Math.min(30, room)
  const full = headway.items === 0 ? 0 : Math.floor(headway.done * width / headway.items)
  return `${paint(style, "busy", "█".repeat(full))}${paint(style, "faint", "░".repeat(width - full))}  ${text}`
}

/** Lines for those who watch no terminal: at every tenth of the work, and at least every ten seconds while it moves. */
const isWorthALine = (last: Headway, now: Headway): boolean =>
  now.done > last.done &&
  (Math.floor(percent(now) / 10) > Math.floor(percent(last) / 10) || now.since - last.since >= 10_000)

/** How a job stands that waits: as far as it is, then what for, within the terminal. */
const waiting = (style: Style, name: string, { done, items }: Headway, wait: Wait): string =>
  fit(style, `${name}  ${items === 0 ? "" : `${count(done)}/${count(items)}  `}⏸ ${wait.words}`, 1)

/** What whoever gets on, or waits, is looked at for; `quiet` counts milliseconds since it last got on. */
type Waited<E, R> = (quiet: number, now: number) => Effect.Effect<Option.Option<Wait>, E, R>

/**
 * Shows one piece of work each time it is looked at: a bar on a terminal, sparse lines elsewhere; and what it waits for, once it has
 * not got on for a moment.
 */
export const display = Effect.gen(function*() {
  const output = yield* Output
  const start = yield* Clock.currentTimeMillis
  const first = yield* Ref.make(Option.none<number>())
  const moved = yield* Ref.make({ done: -1, at: start })
  const last = yield* Ref.make<Headway>({ done: 0, items: 0, from: 0, since: 0 })
  const told = new Set<string>()
  return Effect.fnUntraced(function*<E, R>(
    name: string,
    { done, items }: Pick<Headway, "done" | "items">,
    waited: Waited<E, R>
  ) {
    const now = yield* Clock.currentTimeMillis
    const { at } = yield* Ref.updateAndGet(moved, (before) => before.done === done ? before : { done, at: now })
    const wait = now - at < soon ? Option.none<Wait>() : yield* waited(now - at, now)
    const from = yield* Ref.updateAndGet(first, (seen) => Option.orElseSome(seen, () => done))
    const headway = { done, items, from: Option.getOrElse(from, () => done), since: now - start }
    if (output.isWatched) {
      return yield* output.show(Option.match(wait, {
        onNone: () => items === 0 ? Option.none() : Option.some(bar(output.stderr, name, headway)),
        onSome: (one) => Option.some(waiting(output.stderr, name, headway, one))
      }))
    }
    if (isWorthALine(yield* Ref.get(last), headway)) {
      yield* Ref.set(last, headway)
      yield* output.note(words(name, headway))
    }
    if (Option.isSome(wait) && !told.has(wait.value.key)) {
      told.add(wait.value.key)
      yield* output.note(waiting(output.stderr, name, headway, wait.value))
    }
  })
})

const noWait = () => Effect.succeedNone

/** Show how a job gets on while `work` runs, and where it stood at its end. Looking may fail; the work goes on without it. */
export const showing = Effect.fnUntraced(
  function*<A extends Job, E, R, E2, R2>(
    name: string,
    jobs: Stream.Stream<Job, E, R>,
    work: Effect.Effect<A, E2, R2>
  ) {
    const { embedder: { timeout: limit } } = yield* Settings
    const book = yield* CallWatch.make
    const look = yield* display
    const reached = ({ progress }: Job) => ({ done: progress.done, items: progress.total })
    const closer = (job: Job) =>
      look(
        name,
        reached(job),
        (quiet, now) =>
          Effect.map(
            around,
            (surroundings) => waitOf({ job, around: surroundings, calls: CallWatch.seen(book), now, quiet, limit })
          )
      )
    const watching = yield* Effect.forkScoped(Effect.ignore(Stream.runForEach(jobs, closer)))
    const ended = yield* Effect.provideService(work, CallWatch.CallWatch, Option.some(book))
    yield* Fiber.interrupt(watching)
    yield* look(name, reached(ended), noWait)
    return ended
  },
  Effect.scoped,
  Effect.ensuring(Effect.flatMap(Output, (output) => output.show(Option.none())))
)
