import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Match from "effect/Match"
import * as Option from "effect/Option"
import { recognise } from "../../domain/failure/classify.js"
import { consequence, loneRequest } from "../../domain/failure/Consequence.js"
import type { Action } from "../../domain/failure/Consequence.js"
import { fromLine } from "../../domain/failure/FailureLine.js"
import { unnamed } from "../../domain/failure/WireFailure.js"
import type { WireFailure } from "../../domain/failure/WireFailure.js"
import * as RetryPolicy from "../../domain/retry/RetryPolicy.js"
import { CallContext } from "../../domain/failure/CallContext.js"

/** The kinds of work that `explain` tells about, in the order in which it does. */
const works: ReadonlyArray<readonly [string, CallContext]> = [
  ["a request by itself", CallContext.Request({ malformedTries: 0 })],
  [
    "an embedding batch",
    CallContext.Embed({
      texts: 32,
      malformedTries: 0,
      neighbours: "unknown",
      canShorten: false,
      provider: "not-asked",
      wasThere: false
    })
  ],
  [
    "one text of it",
    CallContext.Embed({
      texts: 1,
      malformedTries: 0,
      neighbours: "served",
      canShorten: true,
      provider: "not-asked",
      wasThere: true
    })
  ],
  ["an agent run", CallContext.Agent({ malformedTries: 0 })],
  ["a chat turn", CallContext.Chat({ malformedTries: 0 })]
]

const after = (delay: Option.Option<Duration.Duration>, otherwise: string) =>
  Option.match(delay, { onNone: () => otherwise, onSome: (named) => `after ${Duration.format(named)}` })

/** What the runner does, in words. */
const does = (action: Action): string =>
  Match.value(action).pipe(
    Match.withReturnType<string>(),
    Match.tagsExhaustive({
      Retry: ({ policy, retryAfter }) =>
        `tries again ${after(retryAfter, "after a backoff")}, ${policy.maxAttempts} tries in all`,
      Wait: ({ delay }) =>
        `waits ${
          Option.match(delay, { onNone: () => "for a backoff", onSome: Duration.format })
        } with everyone on this provider; the wait costs no attempt`,
      Park: ({ gate, until }) =>
        `parks all work behind the gate of ${
          gate.name === unnamed ? `the ${gate.kind}` : `${gate.kind} ${gate.name}`
        } ` +
        Option.match(until, {
          onNone: () => "until someone opens it",
          onSome: (time) => `until ${time.toJSON()}`
        }),
      Split: () => "halves the batch and keeps the smaller size",
      Bisect: () => "halves the batch until the guilty text stands alone; its neighbours are stored",
      Probe: () =>
        `tries again after a backoff, ${RetryPolicy.job.maxAttempts} tries in all; where the provider embeds another text ` +
        "meanwhile, finds the guilty text or a smaller batch",
      Shorten: () => "cuts the text shorter and asks again",
      Refuse: () => "leaves this text out with its reason; the job ends partial",
      Halt: () => "stops: it would fail again"
    })
  )

export interface Explanation {
  readonly tag: string
  readonly rule: string
  readonly because: string
  readonly provider: string
  readonly detail: string
  readonly action: "retry" | "halt"
  readonly retryAfterMs: number | null
  readonly work: ReadonlyArray<{ readonly work: string; readonly does: string }>
  readonly userMessage: string
  readonly report: string
  readonly chatSession: string
  readonly exitCode: number
  readonly httpStatus: number
  readonly logLevel: string
}

const millis = (delay: Option.Option<Duration.Duration>): number | null =>
  Option.getOrNull(Option.map(delay, Duration.toMillis))

/** Everything that holdfast makes of a failure. */
export const explain = (wire: WireFailure): Explanation => {
  const { because, failure, rule } = recognise(wire)
  const { action, retryAfter } = loneRequest(failure)
  const usual = consequence(failure, CallContext.Request({ malformedTries: 0 }))
  return {
    tag: failure._tag,
    rule,
    because,
    provider: failure.provider,
    detail: failure.detail,
    action,
    retryAfterMs: millis(retryAfter),
    work: works.map(([work, kind]) => ({ work, does: does(consequence(failure, kind).action) })),
    userMessage: usual.userMessage,
    report: usual.report,
    chatSession: usual.chatSession,
    exitCode: usual.exitCode,
    httpStatus: usual.httpStatus,
    logLevel: usual.logLevel
  }
}

/**
 * The answer to one JSON line: never a failure, a line that cannot be read gets its problem. A line that names no moment of its
 * own is read at `now`, in epoch milliseconds: waits given as dates need one.
 */
export const answerTo = (now: number) => (line: string): Readonly<Record<string, unknown>> =>
  Either.match(fromLine(line), {
    onLeft: ({ id, problem }) => ({ id, error: problem }),
    onRight: ({ id, wire }) => {
      const { failure, rule } = recognise({ now, ...wire })
      const { action, retryAfter } = loneRequest(failure)
      return { id, tag: failure._tag, action, retryAfterMs: millis(retryAfter), rule }
    }
  })

/** What only a recorded failure has: a provider's own error body names no provider beside a body. */
const isRecorded = (line: string): boolean =>
  Either.isRight(fromLine(line)) && /"(?:provider|body|transport|kind)"\s*:/.test(line) &&
  /"(?:id|provider|surface|kind|expected)"\s*:/.test(line)

/** Lines of recorded failures, where the text is such; none where it is one error as a person pastes it. */
export const recorded = (text: string): Option.Option<ReadonlyArray<string>> => {
  const lines = text.replace(/\r?\n$/, "").split(/\r?\n/)
  return lines.some(isRecorded) ? Option.some(lines) : Option.none()
}
