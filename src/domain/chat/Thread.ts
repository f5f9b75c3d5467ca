import * as Schema from "effect/Schema"

/** A thread of messages; its turns run one at a time. */
export const ThreadId = Schema.NonEmptyString.pipe(Schema.brand("ThreadId"))
export type ThreadId = typeof ThreadId.Type

/** One try of answering: a newer one in the same thread ends the older one. */
export const RequestId = Schema.NonEmptyString.pipe(Schema.brand("RequestId"))
export type RequestId = typeof RequestId.Type

/** How far a thread has come: it is another one as soon as any process has added to the thread or taken from it. */
export const Head = Schema.String.pipe(Schema.brand("Head"))
export type Head = typeof Head.Type
