import * as Schema from "effect/Schema"
import { Failure } from "../failure/Failure.js"

/** What kind of thing is indexed. */
export const SourceKind = Schema.Literal("catalog", "memory")
export type SourceKind = typeof SourceKind.Type

/** What an index job indexes: at most one open job each. */
export class SourceRef extends Schema.Class<SourceRef>("SourceRef")({
  kind: SourceKind,
  id: Schema.NonEmptyString
}) {}

/** An item that its provider would not take, with the reason. */
export class Refusal extends Schema.Class<Refusal>("Refusal")({
  item: Schema.String,
  itemHash: Schema.String,
  failure: Failure
}) {}
