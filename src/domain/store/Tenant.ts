import * as Context from "effect/Context"

/** Whose rows this process reads and writes. Every table leads with it, so that the schema distributes by tenant as is. */
export class Tenant extends Context.Reference<Tenant>()("holdfast/Tenant", { defaultValue: () => "default" }) {}
