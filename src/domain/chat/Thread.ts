import * as Schema from "effect/Schema"

/** A thread of messages; its turns run one at a time. */
export const ThreadId = Schema.NonEmptyString.pipe(Schema.brand("ThreadId"))
export type ThreadId = typeof ThreadId.Type

/** One try of answering: a newer one in the same thread ends the older one. */
export const RequestId = Schema.NonEmptyString.pipe(Schema.brand("RequestId"))
export type RequestId = typeof RequestId.Type

/**
 * A mark that changes with every change to a thread, by whatever process. A session that was kept under another mark is out of date.
 */
export const Head = Schema.String.pipe(Schema.brand("Head"))
export type Head = typeof Head.Type
