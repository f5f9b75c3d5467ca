import * as Schema from "effect/Schema"
import { Message } from "./Message.js"

/** What became of a turn. Only a turn that is `done` is ever told to a model again. */
export const TurnStatus = Schema.Literal("running", "done", "failed", "cancelled")
export type TurnStatus = typeof TurnStatus.Type

/** A question and what was said to it, as far as it came. */
export const Turn = Schema.Struct({ status: TurnStatus, messages: Schema.Array(Message) })
export type Turn = typeof Turn.Type
