import * as Duration from "effect/Duration"
import * as Match from "effect/Match"
import type { Failure } from "./Failure.js"
import { unnamed } from "./WireFailure.js"

/** The provider as it stands within a sentence. */
const within = (provider: string): string => provider === unnamed || provider === "" ? "the provider" : provider

/** The same at a sentence's head. */
const first = (provider: string): string => within(provider).replace(/^the /, "The ")

/** A wait that is longer than is waited at once is told as it was named. */
const asking = (asked: Duration.Duration): string =>
  `to wait for ${Duration.format(asked)}. At most a day is waited before it is asked again.`

/**
 * Plain words for the person whose work it is: what happened, and what they can do. No promise of what comes next: that depends on
 * the work, on its tries and on whether a worker runs, and is told with the state of the work.
 */
export const userMessage = (failure: Failure): string =>
  Match.value(failure).pipe(
    Match.withReturnType<string>(),
    Match.tagsExhaustive({
      SessionExpired: ({ session }) => `Your sign-in to ${within(session)} has ended. Sign in again to go on.`,
      AuthenticationFailed: ({ provider }) =>
        `${first(provider)} does not accept the API key. Check the key in the settings.`,
      PermissionDenied: ({ provider }) =>
        `${first(provider)} does not allow this for your key. Check the plan, the region and the terms of the account.`,
      RateLimited: ({ asked, provider, tooLarge }) =>
        tooLarge === true
          ? `This request is larger than ${within(provider)} ever allows at once. Make it shorter.`
          : `${first(provider)} asks ${asked === undefined ? "to slow down." : asking(asked)}`,
      BudgetExhausted: ({ provider }) =>
        `The budget at ${within(provider)} is used up. Add credit or change the plan, then resume the work.`,
      Network: ({ phase, provider }) =>
        phase === "certificate"
          ? `The certificate of ${
            within(provider)
          } cannot be trusted. Check the address and the certificates of this machine.`
          : `${first(provider)} cannot be reached. Check that it is running and that the network is up.`,
      Timeout: ({ provider }) => `${first(provider)} did not answer in time.`,
      ProviderUnavailable: ({ asked, permanent, provider }) =>
        permanent === true
          ? `${
            first(provider)
          } cannot serve this and says that trying again is useless. Check its model and its machine.`
          : `${first(provider)} is not available at the moment${
            asked === undefined ? "." : `, and asks ${asking(asked)}`
          }`,
      ModelNotFound: ({ model, provider }) =>
        `${first(provider)} does not know the model${
          model === "" ? "" : ` ${model}`
        }. Check its name, or pull it first.`,
      ContextLengthExceeded: () => "The text is too long for the model. Make it shorter.",
      ContentFiltered: ({ provider }) => `${first(provider)} refused the content by its policy. Change the text.`,
      InvalidRequest: ({ provider, setting }) =>
        setting === undefined
          ? `${first(provider)} refused the request; sending it again would not help.`
          : `The setting ${setting} does not fit ${within(provider)}. Correct it, then run the work again.`,
      MalformedResponse: ({ provider }) =>
        `${first(provider)} gave an answer that makes no sense. Check its address and model.`,
      Cancelled: () => "It was cancelled."
    })
  )

/** Why one text was left out: where a provider is well but for this text, the words for one that is down would mislead. */
export const leftOutMessage = (failure: Failure): string =>
  failure._tag === "Network" || failure._tag === "Timeout" || failure._tag === "ProviderUnavailable"
    ? `${
      first(failure.provider)
    } fails at this text, and serves others. Change the text, or look at the model and its machine.`
    : userMessage(failure)
