import * as Context from "effect/Context"

/**
 * Whose rows a call reads and writes: read at each call, so that one process serves many. Nobody has a tenant by default, since rows
 * that land at another's are found by nobody. Every table leads with it, so that the schema distributes by tenant as is.
 *
 * @effect-leakable-service every port asks its caller for it, on purpose
 */
export class Tenant extends Context.Tag("holdfast/Tenant")<Tenant, string>() {}
