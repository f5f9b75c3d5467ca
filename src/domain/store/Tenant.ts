import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Request from "../request/RequestProblem.js"
import type { RequestProblem } from "../request/RequestProblem.js"

/**
 * Whose rows a call reads and writes: read at each call, so that one process serves many. Nobody has a tenant by default, since rows
 * that land at another's are found by nobody. Every table leads with it, so that the schema distributes by tenant as is.
 *
 * @effect-leakable-service every port asks its caller for it, on purpose
 */
export class Tenant extends Context.Tag("holdfast/Tenant")<Tenant, string>() {}

/** The longest, in characters. */
export const longest = 200

/** The tenant, where it can be one. */
export const checked = (tenant: string): Effect.Effect<string, RequestProblem> =>
  Effect.as(Request.name("The tenant", tenant, longest), tenant)

/** The caller's tenant, checked: for whatever makes the first rows of one. */
export const own: Effect.Effect<string, RequestProblem, Tenant> = Effect.flatMap(Tenant, checked)
