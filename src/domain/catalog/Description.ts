import * as Schema from "effect/Schema"
import { Operation } from "./Operation.js"

/**
 * What an API description says: its operations in the document's order, with ids that are unique. `warnings` are sentences
 * about parts that were left out or renamed; the rest is whole.
 */
export class Description extends Schema.Class<Description>("Description")({
  title: Schema.String,
  version: Schema.String,
  operations: Schema.Array(Operation),
  warnings: Schema.Array(Schema.String)
}) {}
