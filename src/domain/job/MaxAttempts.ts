import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Request from "../request/RequestProblem.js"
import type { RequestProblem } from "../request/RequestProblem.js"
import * as RetryPolicy from "../retry/RetryPolicy.js"

/** How many tries a job has where its request does not say: what the settings give, else five. */
export class MaxAttempts extends Context.Reference<MaxAttempts>()("holdfast/MaxAttempts", {
  defaultValue: () => RetryPolicy.job.maxAttempts
}) {}

/** The most that may be asked for. */
export const most = 100

/** So many tries, where as many may be asked for. */
export const whole = (given: number): Either.Either<number, RequestProblem> =>
  Request.whole("maxAttempts", given, 1, most)

/** The tries that a request asks for, or those that a job has otherwise. */
export const asked = (given: number | undefined): Effect.Effect<number, RequestProblem> =>
  given === undefined ? MaxAttempts : whole(given)
