import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

/** The wires that are spoken: each names the protocol, which others than its maker serve too. */
export const ChatKind = Schema.Literal("openai", "anthropic", "ollama")
export type ChatKind = typeof ChatKind.Type

/** The settings of a chat provider, validated; adapters read them from here. */
export class ChatConfig extends Context.Tag("holdfast/ChatConfig")<ChatConfig, {
  /** Base address; none where the kind's own is meant. */
  readonly url: Option.Option<URL>
  readonly model: string
  readonly apiKey: Option.Option<Redacted.Redacted>
  /** Answers that may be under way at once in this process; the kind's own unless told. */
  readonly concurrency: Option.Option<number>
  /** From the request to the first piece of its answer, whatever the server says meanwhile to keep the line open. */
  readonly firstTokenTimeout: Duration.Duration
  /** From one piece of an answer to the next. */
  readonly tokenTimeout: Duration.Duration
}>() {}
