import * as Schema from "effect/Schema"
import * as JobKind from "../../../src/domain/job/JobKind.js"

/** The least that a kind of job can be: what the bench drains goes the way of every other kind. */
export const Noop = JobKind.make("noop", { payload: Schema.Struct({ n: Schema.Int }), key: ({ n }) => String(n) })
