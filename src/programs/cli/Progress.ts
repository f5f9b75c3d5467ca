import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import { done } from "../../domain/job/Job.js"
import type { Job } from "../../domain/job/Job.js"
import { Output } from "./Output.js"
import { count, paint, rough } from "./Style.js"
import type { Style } from "./Style.js"

/** How far a job is, and how fast it got there: `since` counts milliseconds from the first look, `from` items at it. */
export interface Pace {
  readonly done: number
  readonly items: number
  readonly from: number
  readonly since: number
}

/** Items per second, and the time left; none until something was finished. */
export const rate = ({ done, from, since }: Pace): Option.Option<number> =>
  done > from && since > 0 ? Option.some((done - from) * 1000 / since) : Option.none()

const left = (pace: Pace): Option.Option<Duration.Duration> =>
  Option.map(rate(pace), (perSecond) => Duration.seconds((pace.items - pace.done) / perSecond))

const perSecond = (n: number): string => n >= 10 ? count(Math.round(n)) : n.toFixed(1)

const speed = (pace: Pace): string =>
  Option.match(Option.all([rate(pace), left(pace)]), {
    onNone: () => "",
    onSome: ([n, rest]) => `${perSecond(n)}/s${pace.done < pace.items ? `, ${rough(rest)} left` : ""}`
  })

const percent = ({ done, items }: Pace): number => items === 0 ? 0 : Math.floor(done * 100 / items)

/** The progress in words: done/total, rate, time left. */
export const words = (name: string, pace: Pace): string =>
  [`${name}  ${count(pace.done)}/${count(pace.items)}`, `${percent(pace)}%`, speed(pace)].filter((part) => part !== "")
    .join("  ")

/** The same as a bar that fits into the terminal. */
export const bar = (style: Style, name: string, pace: Pace): string => {
  const text = words(name, pace)
  const room = (style.columns ?? 80) - text.length - 3
  if (room < 10) return text.slice(0, (style.columns ?? 80) - 1)
  const width = Math.min(30, room)
  const full = pace.items === 0 ? 0 : Math.floor(pace.done * width / pace.items)
  return `${paint(style, "busy", "█".repeat(full))}${paint(style, "faint", "░".repeat(width - full))}  ${text}`
}

/** Lines for those who watch no terminal: at every tenth of the work, and at least every ten seconds while it moves. */
export const isWorthALine = (last: Pace, now: Pace): boolean =>
  now.done > last.done &&
  (Math.floor(percent(now) / 10) > Math.floor(percent(last) / 10) || now.since - last.since >= 10_000)

/**
 * Show how a job gets on while `work` runs, and where it stood at its end: a bar on a terminal, sparse lines elsewhere, always
 * on stderr. Looking may fail; the work goes on without it.
 */
export const showing = Effect.fnUntraced(
  function*<A extends Job, E, R, E2, R2>(
    name: string,
    jobs: Stream.Stream<Job, E, R>,
    work: Effect.Effect<A, E2, R2>
  ) {
    const output = yield* Output
    const start = yield* Clock.currentTimeMillis
    const first = yield* Ref.make(Option.none<number>())
    const last = yield* Ref.make<Pace>({ done: 0, items: 0, from: 0, since: 0 })
    const look = Effect.fnUntraced(function*(job: Job) {
      if (job.progress.items === 0) return
      const finished = done(job.progress)
      const from = yield* Ref.updateAndGet(first, (seen) => Option.orElseSome(seen, () => finished))
      const pace = {
        done: finished,
        items: job.progress.items,
        from: Option.getOrElse(from, () => finished),
        since: (yield* Clock.currentTimeMillis) - start
      }
      if (output.isWatched) {
        yield* output.show(Option.some(bar(output.stderr, name, pace)))
      } else if (isWorthALine(yield* Ref.get(last), pace)) {
        yield* Ref.set(last, pace)
        yield* output.note(words(name, pace))
      }
    })
    const watching = yield* Effect.forkScoped(Effect.ignore(Stream.runForEach(jobs, look)))
    const ended = yield* work
    yield* Fiber.interrupt(watching)
    yield* look(ended)
    return ended
  },
  Effect.scoped,
  Effect.ensuring(Effect.flatMap(Output, (output) => output.show(Option.none())))
)
