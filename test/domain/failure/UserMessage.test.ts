import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import { CallContext } from "../../../src/domain/failure/CallContext.js"
import { consequence } from "../../../src/domain/failure/Consequence.js"
import * as Failure from "../../../src/domain/failure/Failure.js"
import { leftOutMessage, userMessage } from "../../../src/domain/failure/UserMessage.js"

const madeAt = (provider: string) => {
  const common = { provider, detail: "said so" }
  const day = Duration.days(1)
  const asked = Duration.hours(134)
  return {
    session: new Failure.SessionExpired({ ...common, session: provider }),
    key: new Failure.AuthenticationFailed(common),
    right: new Failure.PermissionDenied(common),
    pace: new Failure.RateLimited({ ...common, retryAfter: Duration.seconds(20) }),
    longPace: new Failure.RateLimited({ ...common, retryAfter: day, asked }),
    tooLarge: new Failure.RateLimited({ ...common, tooLarge: true }),
    money: new Failure.BudgetExhausted(common),
    network: new Failure.Network({ ...common, phase: "dns" }),
    certificate: new Failure.Network({ ...common, phase: "certificate" }),
    timeout: new Failure.Timeout(common),
    down: new Failure.ProviderUnavailable({ ...common, retryAfter: Duration.seconds(20) }),
    longDown: new Failure.ProviderUnavailable({ ...common, retryAfter: day, asked }),
    permanent: new Failure.ProviderUnavailable({ ...common, permanent: true }),
    model: new Failure.ModelNotFound({ ...common, model: "gpt-99" }),
    context: new Failure.ContextLengthExceeded(common),
    filtered: new Failure.ContentFiltered(common),
    invalid: new Failure.InvalidRequest(common),
    misfit: new Failure.InvalidRequest({ ...common, setting: "embedder.dimension" }),
    malformed: new Failure.MalformedResponse(common),
    cancelled: new Failure.Cancelled(common)
  }
}

const made = madeAt("openai")

describe("what a person reads", () => {
  it.each(Object.entries(made))("%s: plain words with no address, no secret and no stack", (_, failure) => {
    const message = userMessage(failure)
    expect(message).toMatch(/^[A-Z]?[\w ].{8,160}\.$/)
    expect(message).not.toMatch(/https?:|\bat \w+ \(|undefined|null|said so/)
    expect(consequence(failure, CallContext.Chat({ malformedTries: 0 })).userMessage).toBe(message)
  })

  it.each(Object.entries(made))("%s: promises nothing that the state of the work could belie", (_, failure) => {
    expect(userMessage(failure)).not.toMatch(/by itself|is tried again|will be/)
  })

  it("says of a text that was left out that it is the text, where the provider serves others", () => {
    for (const failure of [made.network, made.timeout, made.down]) {
      expect(leftOutMessage(failure)).toContain("openai fails at this text, and serves others.")
    }
    expect(leftOutMessage(made.filtered)).toBe(userMessage(made.filtered))
  })

  it("names what the person can do", () => {
    expect(userMessage(made.session)).toContain("Sign in again")
    expect(userMessage(made.money)).toContain("Add credit")
    expect(userMessage(made.key)).toContain("Check the key")
    expect(userMessage(made.right)).toContain("Check the plan")
    expect(userMessage(made.model)).toContain(" gpt-99")
    expect(userMessage(new Failure.ModelNotFound({ provider: "openai", detail: "", model: "" })))
      .toContain("the model. Check")
    expect(userMessage(made.certificate)).toContain("certificate")
    expect(userMessage(made.network)).toContain("cannot be reached")
    expect(userMessage(made.tooLarge)).toContain("larger than openai ever allows")
    expect(userMessage(made.pace)).toBe("openai asks to slow down.")
    expect(userMessage(made.permanent)).toContain("useless")
    expect(userMessage(made.down)).toBe("openai is not available at the moment.")
    expect(userMessage(made.timeout)).toContain("in time")
    expect(userMessage(made.context)).toContain("too long")
    expect(userMessage(made.filtered)).toContain("policy")
    expect(userMessage(made.invalid)).toContain("would not help")
    expect(userMessage(made.misfit)).toBe(
      "The setting embedder.dimension does not fit openai. Correct it, then run the work again."
    )
    expect(userMessage(made.malformed)).toContain("makes no sense")
    expect(userMessage(made.cancelled)).toContain("cancelled")
  })

  it("tells a wait that is cut as it was named, and how long it is waited at once", () => {
    const bound = "to wait for 5d 14h. At most a day is waited before it is asked again."
    expect(userMessage(made.longPace)).toBe(`openai asks ${bound}`)
    expect(userMessage(made.longDown)).toBe(`openai is not available at the moment, and asks ${bound}`)
  })
})

describe("a provider that nobody named", () => {
  it.each(["provider", ""])("is called the provider in every message (%j)", (name) => {
    for (const failure of Object.values(madeAt(name))) {
      for (const message of [userMessage(failure), leftOutMessage(failure)]) {
        expect(message).toMatch(/^[A-Z]/)
        expect(message.replaceAll(/[Tt]he provider/g, "")).not.toMatch(
          /provider|\b(?:at|of|to|than) (?:is|ever|has|cannot|\.)/
        )
      }
    }
  })

  it("is named at a sentence's head and within", () => {
    const { money, pace } = madeAt("provider")
    expect(userMessage(pace)).toBe("The provider asks to slow down.")
    expect(userMessage(money)).toContain("The budget at the provider is used up.")
  })
})
