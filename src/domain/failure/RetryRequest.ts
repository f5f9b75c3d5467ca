import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Match from "effect/Match"
import * as Option from "effect/Option"
import * as RetryPolicy from "../retry/RetryPolicy.js"
import { isFailure } from "./Failure.js"
import type { Failure } from "./Failure.js"

/** One request that is tried again inside one attempt, as its failure allows. */

/** Inside one attempt only a broken connection and a provider that cannot serve now are worth the same request again. */
export const withinRequest = (failure: Failure): Option.Option<RetryPolicy.Ask> =>
  Match.value(failure).pipe(
    Match.withReturnType<Option.Option<RetryPolicy.Ask>>(),
    Match.tag("Network", ({ phase }) =>
      phase === "certificate" ? Option.none() : Option.some({ retryAfter: Option.none() })),
    Match.tag("ProviderUnavailable", ({ permanent, retryAfter }) =>
      permanent === true ? Option.none() : Option.some({ retryAfter: Option.fromNullable(retryAfter) })),
    Match.orElse(() =>
      Option.none()
    )
  )

/** Retry one request inside one attempt, as the `request` policy has it. Other failures, and the last one, pass through. */
export const retryRequest = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Clock.currentTimeMillis, (startedAt) =>
    Effect.retry(
      effect,
      RetryPolicy.schedule(RetryPolicy.request, (error: E) =>
        isFailure(error) ? withinRequest(error) : Option.none(), startedAt)
    ))
