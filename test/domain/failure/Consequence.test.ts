import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import {
  Action,
  asksAgain,
  consequence,
  exitCodeOf,
  loneRequest,
  loneRequestAction
} from "../../../src/domain/failure/Consequence.js"
import * as Failure from "../../../src/domain/failure/Failure.js"
import { CallContext } from "../../../src/domain/failure/CallContext.js"
import * as RetryPolicy from "../../../src/domain/retry/RetryPolicy.js"
import { GateRef } from "../../../src/domain/session/Gate.js"

const common = { provider: "openai", detail: "said so" }
const resetsAt = DateTime.unsafeMake("2026-04-01T00:00:00Z")
const twenty = Duration.seconds(20)

const session = new Failure.SessionExpired({ ...common, session: "backend" })
const key = new Failure.AuthenticationFailed(common)
const right = new Failure.PermissionDenied(common)
const pace = new Failure.RateLimited({ ...common, retryAfter: twenty })
const paceUnnamed = new Failure.RateLimited(common)
const tooLarge = new Failure.RateLimited({ ...common, tooLarge: true })
const money = new Failure.BudgetExhausted({ ...common, resetsAt })
const moneyUnnamed = new Failure.BudgetExhausted(common)
const network = new Failure.Network({ ...common, phase: "dns" })
const certificate = new Failure.Network({ ...common, phase: "certificate" })
const timeout = new Failure.Timeout(common)
const down = new Failure.ProviderUnavailable({ ...common, retryAfter: twenty })
const permanent = new Failure.ProviderUnavailable({ ...common, permanent: true })
const hungUp = new Failure.Network({ ...common, phase: "receive" })
const failing = new Failure.ProviderUnavailable({ ...common, status: 500 })
const model = new Failure.ModelNotFound({ ...common, model: "gpt-99" })
const context = new Failure.ContextLengthExceeded(common)
const filtered = new Failure.ContentFiltered(common)
const invalid = new Failure.InvalidRequest(common)
const misfit = new Failure.InvalidRequest({ ...common, setting: "embedder.dimension" })
const malformed = new Failure.MalformedResponse(common)
const cancelled = new Failure.Cancelled(common)

const all = [
  session,
  key,
  right,
  pace,
  tooLarge,
  money,
  network,
  certificate,
  timeout,
  down,
  permanent,
  model,
  context,
  filtered,
  invalid,
  misfit,
  malformed,
  cancelled
]

const embed = (
  texts: number,
  more: Partial<Extract<CallContext, { readonly _tag: "Embed" }>> = {}
) =>
  CallContext.Embed({
    texts,
    malformedTries: 0,
    neighbours: "unknown",
    canShorten: false,
    provider: "not-asked",
    wasThere: false,
    ...more
  })
const agent = CallContext.Agent({ malformedTries: 0 })
const chat = CallContext.Chat({ malformedTries: 0 })
const request = CallContext.Request({ malformedTries: 0 })

const sessionGate = GateRef.make({ kind: "session", name: "backend" })
const providerGate = GateRef.make({ kind: "provider", name: "openai" })

const retry = (retryAfter: Option.Option<Duration.Duration> = Option.none()) =>
  Action.Retry({ policy: RetryPolicy.job, within: "job", retryAfter })
const probe = (tries: number) => Action.Probe({ tries })
const well = { provider: "answers" } as const
const gone = { provider: "down" } as const
const again = Action.Retry({ policy: RetryPolicy.malformed, within: "call", retryAfter: Option.none() })

describe("the table of consequences, line by line", () => {
  it.each([
    [
      "a lapsed login parks its session",
      session,
      embed(32),
      Action.Park({ gate: sessionGate, reason: "sign-in", until: Option.none() })
    ],
    [
      "an empty budget parks the provider until it renews",
      money,
      embed(32),
      Action.Park({ gate: providerGate, reason: "budget", until: Option.some(resetsAt) })
    ],
    [
      "an empty budget parks until a person resumes",
      moneyUnnamed,
      agent,
      Action.Park({ gate: providerGate, reason: "budget", until: Option.none() })
    ],
    [
      "a refused key parks the provider",
      key,
      chat,
      Action.Park({ gate: providerGate, reason: "key", until: Option.none() })
    ],
    [
      "a refused right parks the provider",
      right,
      request,
      Action.Park({ gate: providerGate, reason: "key", until: Option.none() })
    ],
    ["a rate limit waits as long as it says", pace, embed(32), Action.Wait({ delay: Option.some(twenty) })],
    ["a rate limit without a time waits a backoff", paceUnnamed, agent, Action.Wait({ delay: Option.none() })],
    ["a batch that timed out is split", timeout, embed(2), Action.Split()],
    ["one text that timed out is suspected once the provider is known to answer", timeout, embed(1), probe(1)],
    ["one text that timed out at a provider that is down is tried again", timeout, embed(1, gone), retry()],
    [
      "and is left out where the provider answers",
      timeout,
      embed(1, { ...well, neighbours: "served" }),
      Action.Refuse()
    ],
    ["an agent that timed out is tried again", timeout, agent, retry()],
    ["a provider that nobody reaches is tried again", network, embed(32), retry()],
    [
      "but may have fallen over a text, where it served others before",
      network,
      embed(32, { wasThere: true }),
      probe(6)
    ],
    ["a provider that hangs up may have fallen over a text, and is waited for", hungUp, embed(32), probe(6)],
    ["a provider that hangs up on an agent is tried again", hungUp, agent, retry()],
    ["a provider that fails may have failed over a text", failing, embed(32), probe(1)],
    ["and is waited for where it served others before", failing, embed(32, { wasThere: true }), probe(6)],
    ["a provider that is down has nothing to blame a batch for", failing, embed(32, gone), retry()],
    ["a provider that embeds another text has: the batch is bisected", failing, embed(32, well), Action.Bisect()],
    ["down to the text", failing, embed(1, { ...well, neighbours: "served" }), Action.Refuse()],
    ["one text that no other one was served beside is not blamed", failing, embed(1, well), retry()],
    ["nor is any where all fail", failing, embed(1, { ...well, neighbours: "refused" }), retry()],
    ["a bad certificate halts", certificate, embed(32), Action.Halt()],
    ["a provider that is down is tried again when it says", down, embed(32), retry(Option.some(twenty))],
    ["a provider that says never is not", permanent, embed(32), Action.Halt()],
    ["a long text in a batch is bisected", context, embed(2), Action.Bisect()],
    ["a filtered text in a batch is bisected", filtered, embed(2), Action.Bisect()],
    ["a wrong text in a batch is bisected", invalid, embed(2), Action.Bisect()],
    ["a batch beyond any limit is bisected", tooLarge, embed(2), Action.Bisect()],
    ["one long text is shortened", context, embed(1, { canShorten: true }), Action.Shorten()],
    ["one text beyond any limit is shortened", tooLarge, embed(1, { canShorten: true }), Action.Shorten()],
    ["one long text that cannot be shortened is refused", context, embed(1), Action.Refuse()],
    [
      "one filtered text is refused, however short it can be made",
      filtered,
      embed(1, { canShorten: true }),
      Action.Refuse()
    ],
    ["one wrong text is refused", invalid, embed(1, { neighbours: "served" }), Action.Refuse()],
    [
      "one wrong text is refused, however short it can be made",
      invalid,
      embed(1, { canShorten: true }),
      Action.Refuse()
    ],
    [
      "a provider without a name has its gate all the same",
      new Failure.AuthenticationFailed({ ...common, provider: "" }),
      chat,
      Action.Park({ gate: GateRef.make({ kind: "provider", name: "unnamed" }), reason: "key", until: Option.none() })
    ],
    ["a setting that does not fit halts a batch, since no text is to blame", misfit, embed(32), Action.Halt()],
    ["a filtered turn halts", filtered, agent, Action.Halt()],
    [
      "one text that timed out beside refused ones is tried again",
      timeout,
      embed(1, { ...well, neighbours: "refused" }),
      retry()
    ],
    [
      "a text whose neighbours were all refused alike halts",
      invalid,
      embed(1, { neighbours: "refused" }),
      Action.Halt()
    ],
    [
      "a long text whose neighbours were all refused alike halts",
      context,
      embed(1, { neighbours: "refused", canShorten: true }),
      Action.Halt()
    ],
    ["a long turn halts", context, chat, Action.Halt()],
    ["an unknown model halts", model, embed(32), Action.Halt()],
    ["a malformed answer is tried again", malformed, embed(32), again],
    [
      "a malformed answer to each text by itself halts, however few tries it had",
      malformed,
      embed(1, { neighbours: "refused" }),
      Action.Halt()
    ],
    ["and once more", malformed, embed(32, { malformedTries: 1 }), again],
    ["and then halts where one text was asked alone", malformed, embed(1, { malformedTries: 2 }), Action.Halt()],
    [
      "and then a batch is bisected, for one text can spoil it",
      malformed,
      embed(32, { malformedTries: 2 }),
      Action.Bisect()
    ],
    [
      "down to the text that spoils it",
      malformed,
      embed(1, { malformedTries: 2, neighbours: "served" }),
      Action.Refuse()
    ],
    [
      "and halts where every text is answered so",
      malformed,
      embed(1, { malformedTries: 2, neighbours: "refused" }),
      Action.Halt()
    ],
    [
      "a chat turn's malformed answer halts after two more tries",
      malformed,
      CallContext.Chat({ malformedTries: 2 }),
      Action.Halt()
    ],
    ["a cancelled turn halts", cancelled, chat, Action.Halt()]
  ])("%s", (_, failure, work, action) => {
    expect(consequence(failure, work).action).toEqual(action)
  })

  it.each([
    [session, "provider", "expected", "kept", 4, 401, "info"],
    [key, "provider", "once", "kept", 1, 502, "error"],
    [right, "provider", "once", "kept", 1, 502, "error"],
    [pace, "provider", "expected", "dropped", 6, 429, "info"],
    [tooLarge, "item", "expected", "kept", 1, 413, "info"],
    [money, "provider", "expected", "kept", 6, 402, "warning"],
    [network, "item", "on-exhaustion", "dropped", 7, 503, "warning"],
    [certificate, "item", "report", "dropped", 7, 503, "warning"],
    [timeout, "item", "on-exhaustion", "dropped", 7, 504, "warning"],
    [down, "item", "on-exhaustion", "dropped", 7, 503, "warning"],
    [permanent, "item", "report", "dropped", 7, 503, "warning"],
    [model, "item", "report", "kept", 1, 502, "error"],
    [context, "item", "expected", "kept", 1, 413, "info"],
    [filtered, "item", "expected", "kept", 1, 422, "info"],
    [invalid, "item", "expected", "kept", 1, 400, "warning"],
    [malformed, "item", "report", "dropped", 7, 502, "error"],
    [cancelled, "worker", "expected", "kept", 130, 499, "info"]
  ])(
    "%s: who pays, who hears of it, and what comes out",
    (failure, chargedTo, report, chatSession, exitCode, httpStatus, logLevel) => {
      expect(consequence(failure, chat)).toMatchObject({
        chargedTo,
        report,
        chatSession,
        exitCode,
        httpStatus,
        logLevel
      })
    }
  )

  it("reports a batch that was refused text by text, which one refused text is not", () => {
    expect(consequence(invalid, embed(1, { neighbours: "refused" })).report).toBe("report")
    expect(consequence(invalid, embed(1, { neighbours: "served" })).report).toBe("expected")
    expect(consequence(invalid, embed(2, { neighbours: "refused" })).action._tag).toBe("Bisect")
    expect(consequence(misfit, embed(32)).report).toBe("report")
    expect(consequence(cancelled, embed(1, { neighbours: "refused" })).report).toBe("expected")
  })

  it("gives a program the exit code of the class", () => {
    expect(exitCodeOf("SessionExpired")).toBe(4)
    expect(exitCodeOf("Cancelled")).toBe(130)
  })
})

describe("one request by itself", () => {
  it.each([
    [session, "halt"],
    [key, "halt"],
    [right, "halt"],
    [pace, "retry"],
    [tooLarge, "halt"],
    [money, "halt"],
    [network, "retry"],
    [certificate, "halt"],
    [timeout, "retry"],
    [down, "retry"],
    [permanent, "halt"],
    [model, "halt"],
    [context, "halt"],
    [filtered, "halt"],
    [invalid, "halt"],
    [malformed, "retry"],
    [cancelled, "halt"]
  ])("%s: %s", (failure, action) => {
    expect(loneRequestAction(failure)).toBe(action)
  })

  it("waits as long as the provider names", () => {
    expect(loneRequest(pace).retryAfter).toEqual(Option.some(twenty))
    expect(loneRequest(down).retryAfter).toEqual(Option.some(twenty))
    expect(loneRequest(network).retryAfter).toEqual(Option.none())
    expect(loneRequest(money)).toEqual({ action: "halt", retryAfter: Option.none() })
  })

  it("asks a schedule again for what is retried or waited for, and for nothing else", () => {
    expect(all.filter((failure) => Option.isSome(asksAgain(request)(failure)))).toEqual(
      all.filter((failure) => loneRequestAction(failure) === "retry")
    )
    expect(asksAgain(agent)(pace)).toEqual(Option.some({ retryAfter: Option.some(twenty) }))
    expect(asksAgain(embed(8))(timeout)).toEqual(Option.none())
    expect(asksAgain(embed(1, gone))(timeout)).toEqual(Option.some({ retryAfter: Option.none() }))
    expect(asksAgain(embed(8))(down)).toEqual(Option.some({ retryAfter: Option.some(twenty) }))
  })
})
