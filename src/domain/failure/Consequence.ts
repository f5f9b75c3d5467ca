import * as Data from "effect/Data"
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Match from "effect/Match"
import * as Option from "effect/Option"
import * as RetryPolicy from "../retry/RetryPolicy.js"
import { GateRef } from "../session/Gate.js"
import type { GateReason } from "../session/Gate.js"
import type { Failure, FailureTag } from "./Failure.js"
import { CallContext } from "./CallContext.js"
import { userMessage } from "./UserMessage.js"

/** What the runner does next. */
export type Action = Data.TaggedEnum<{
  /** Try the same again after a backoff: the same call within this attempt, or the whole job as a new attempt. */
  Retry: {
    readonly policy: RetryPolicy.RetryPolicy
    readonly within: "call" | "job"
    readonly retryAfter: Option.Option<Duration.Duration>
  }
  /** Everyone on this provider waits: for the named delay, or a backoff where none is named. */
  Wait: { readonly delay: Option.Option<Duration.Duration> }
  /** Close the gate: no work behind it runs until `until`, or until a person opens it. */
  Park: { readonly gate: GateRef; readonly reason: GateReason; readonly until: Option.Option<DateTime.Utc> }
  /** Halve the batch and keep the smaller size for this pass. */
  Split: {}
  /** Halve the batch until the guilty text stands alone. */
  Bisect: {}
  /**
   * Ask the provider for a short text that every model takes, up to `tries` times, before anything else is decided: only where it
   * answers can the batch be to blame.
   */
  Probe: { readonly tries: number }
  /** Cut this one text shorter and ask again. */
  Shorten: {}
  /** Leave this one text out, with its reason; the job ends `partial`. */
  Refuse: {}
  /** Stop the work: it would fail again. */
  Halt: {}
}>
export const Action = Data.taggedEnum<Action>()

/** Who pays: the item (its attempts count), the provider (no item pays), or the worker (the attempt is refunded). */
export type ChargedTo = "item" | "provider" | "worker"

/** What a person in charge hears: nothing, one report per cause, one when tries are used up, or each. */
export type ReportPolicy = "expected" | "once" | "on-exhaustion" | "report"

/** Whether the thread's cached session may be used for its next turn. */
export type ChatSession = "kept" | "dropped"

export type LogLevel = "debug" | "info" | "warning" | "error"

/** Exit codes of the program: the closed list of DESIGN section 2. */
export type ExitCode = 0 | 1 | 2 | 4 | 5 | 6 | 7 | 130

/** Everything that follows from a failure. */
export interface Consequence {
  readonly action: Action
  readonly chargedTo: ChargedTo
  readonly report: ReportPolicy
  readonly chatSession: ChatSession
  readonly exitCode: ExitCode
  readonly httpStatus: number
  readonly logLevel: LogLevel
  /** Plain words for the person whose work it is: what happened and what they can do; no URL, no secret, no stack. */
  readonly userMessage: string
}

/** All but the action: it depends on the failure alone. */
type Profile = Omit<Consequence, "action" | "userMessage">

const profiles: { readonly [Tag in FailureTag]: Profile } = {
  SessionExpired: row("provider", "expected", "kept", 4, 401, "info"),
  AuthenticationFailed: row("provider", "once", "kept", 1, 502, "error"),
  PermissionDenied: row("provider", "once", "kept", 1, 502, "error"),
  RateLimited: row("provider", "expected", "dropped", 6, 429, "info"),
  BudgetExhausted: row("provider", "expected", "kept", 6, 402, "warning"),
  Network: row("item", "on-exhaustion", "dropped", 7, 503, "warning"),
  Timeout: row("item", "on-exhaustion", "dropped", 7, 504, "warning"),
  ProviderUnavailable: row("item", "on-exhaustion", "dropped", 7, 503, "warning"),
  ModelNotFound: row("item", "report", "kept", 1, 502, "error"),
  ContextLengthExceeded: row("item", "expected", "kept", 1, 413, "info"),
  ContentFiltered: row("item", "expected", "kept", 1, 422, "info"),
  InvalidRequest: row("item", "expected", "kept", 1, 400, "warning"),
  MalformedResponse: row("item", "report", "dropped", 7, 502, "error"),
  Cancelled: row("worker", "expected", "kept", 130, 499, "info")
}

function row(
  chargedTo: ChargedTo,
  report: ReportPolicy,
  chatSession: ChatSession,
  exitCode: ExitCode,
  httpStatus: number,
  logLevel: LogLevel
): Profile {
  return { chargedTo, report, chatSession, exitCode, httpStatus, logLevel }
}

const park = (kind: "session" | "provider", name: string, reason: GateReason, until?: DateTime.Utc) =>
  Action.Park({
    gate: GateRef.make({ kind, name: name === "" ? "unnamed" : name }),
    reason,
    until: Option.fromNullable(until)
  })

/** True where every text of a bisected batch was refused alike: not the texts' fault. */
const allRefused = (work: CallContext): boolean =>
  work._tag === "Embed" && work.texts === 1 && work.neighbours === "refused"

/** The provider refuses this input. A batch is bisected; a text alone is shortened or left out; all alike is nobody's text. */
const refused = (work: CallContext, shortenable: boolean): Action => {
  if (work._tag !== "Embed" || allRefused(work)) return Action.Halt()
  if (work.texts > 1) return Action.Bisect()
  return shortenable && work.canShorten ? Action.Shorten() : Action.Refuse()
}

/** One text can spoil the answer to its whole batch (Ollama fails a batch for one NaN); alone from the start it cannot be told. */
const spoiled = (work: CallContext): Action => {
  if (work._tag !== "Embed") return Action.Halt()
  if (work.texts > 1) return Action.Bisect()
  return work.neighbours === "served" ? Action.Refuse() : Action.Halt()
}

const retried = (retryAfter?: Duration.Duration): Action =>
  Action.Retry({ policy: RetryPolicy.job, within: "job", retryAfter: Option.fromNullable(retryAfter) })

/** A provider that was there a moment ago is given half a minute to come back; another one is asked once. */
const restartTries = 6

/**
 * One text, or a batch that is too much, can bring down a provider that is well: it answers 500, hangs up, or takes too long. A
 * provider that embeds another text right after is not down: the batch is halved until the guilty text stands alone, and left out.
 */
const troubled = (work: CallContext, isWaitedFor: boolean): Action => {
  if (work._tag !== "Embed" || work.provider === "down") return retried()
  if (work.provider === "not-asked") return Action.Probe({ tries: isWaitedFor ? restartTries : 1 })
  if (work.texts > 1) return Action.Bisect()
  return work.neighbours === "served" ? Action.Refuse() : retried()
}

/** Whether the provider took the call, and broke off before its answer. */
export const isHangUp = (failure: Failure): boolean =>
  failure._tag === "Network" && (failure.phase === "send" || failure.phase === "receive")

const wasThere = (work: CallContext): boolean => work._tag === "Embed" && work.wasThere

/** Where nobody was reached there is nothing to blame a text for, unless the provider was there before. */
const unreached = (failure: Failure, work: CallContext): Action =>
  isHangUp(failure) || wasThere(work) ? troubled(work, true) : retried()

const action = (failure: Failure, work: CallContext): Action =>
  Match.value(failure).pipe(
    Match.withReturnType<Action>(),
    Match.tagsExhaustive({
      SessionExpired: ({ session }) => park("session", session, "sign-in"),
      AuthenticationFailed: ({ provider }) => park("provider", provider, "key"),
      PermissionDenied: ({ provider }) => park("provider", provider, "key"),
      RateLimited: ({ retryAfter, tooLarge }) =>
        tooLarge === true ? refused(work, true) : Action.Wait({ delay: Option.fromNullable(retryAfter) }),
      BudgetExhausted: ({ provider, resetsAt }) => park("provider", provider, "budget", resetsAt),
      Network: (failure) => failure.phase === "certificate" ? Action.Halt() : unreached(failure, work),
      Timeout: () => work._tag === "Embed" && work.texts > 1 ? Action.Split() : troubled(work, false),
      ProviderUnavailable: ({ permanent, retryAfter }) =>
        permanent === true
          ? Action.Halt()
          : retryAfter !== undefined
          ? retried(retryAfter)
          : troubled(work, wasThere(work)),
      ModelNotFound: () => Action.Halt(),
      ContextLengthExceeded: () => refused(work, true),
      ContentFiltered: () => refused(work, false),
      InvalidRequest: ({ setting }) => setting === undefined ? refused(work, false) : Action.Halt(),
      MalformedResponse: () =>
        allRefused(work)
          ? Action.Halt()
          : work.malformedTries < RetryPolicy.malformed.maxAttempts - 1
          ? Action.Retry({ policy: RetryPolicy.malformed, within: "call", retryAfter: Option.none() })
          : spoiled(work),
      Cancelled: () => Action.Halt()
    })
  )

/** The row of a failure: a request beyond what a limit ever allows stands where an over-long text stands. */
const profileOf = (failure: Failure): Profile =>
  failure._tag === "RateLimited" && failure.tooLarge === true
    ? profiles.ContextLengthExceeded
    : profiles[failure._tag]

/** A setting of ours is wrong: each text meets it, and a person has to mend it. */
const isOurs = (failure: Failure): boolean => failure._tag === "InvalidRequest" && failure.setting !== undefined

/** What is not cured by trying, though its class mostly is, is told at once: there is no exhaustion to wait for. */
const reportOf = (failure: Failure, work: CallContext, action: Action, usual: ReportPolicy): ReportPolicy =>
  action._tag === "Halt" &&
    (usual === "on-exhaustion" || isOurs(failure) || (failure._tag !== "Cancelled" && allRefused(work)))
    ? "report"
    : usual

/** The exit code of a program whose work ended with such a failure. */
export const exitCodeOf = (tag: FailureTag): ExitCode => profiles[tag].exitCode

/** The only place that decides what follows from a failure: pure and total. */
export const consequence = (failure: Failure, work: CallContext): Consequence => {
  const next = action(failure, work)
  const row = profileOf(failure)
  return {
    ...row,
    report: reportOf(failure, work, next, row.report),
    action: next,
    userMessage: userMessage(failure)
  }
}

/** What to do with one request by itself, and how long its provider asks to wait first. */
export interface LoneRequest {
  readonly action: "retry" | "halt"
  readonly retryAfter: Option.Option<Duration.Duration>
}

/** When to ask again in work of a kind: none where the failure ends it. The answer feeds `RetryPolicy.schedule`. */
export const asksAgain = (work: CallContext) => (failure: Failure): Option.Option<RetryPolicy.Ask> => {
  const next = action(failure, work)
  if (next._tag === "Retry") return Option.some({ retryAfter: next.retryAfter })
  return next._tag === "Wait" ? Option.some({ retryAfter: next.delay }) : Option.none()
}

/** Whether sending the same request again can help: parking, refusing and halting do not; waiting and retrying do. */
export const loneRequest = (failure: Failure): LoneRequest =>
  Option.match(asksAgain(CallContext.Request({ malformedTries: 0 }))(failure), {
    onNone: () => ({ action: "halt", retryAfter: Option.none() }),
    onSome: ({ retryAfter }) => ({ action: "retry", retryAfter })
  })

/** `retry` or `halt` for one request by itself. */
export const loneRequestAction = (failure: Failure): LoneRequest["action"] => loneRequest(failure).action
