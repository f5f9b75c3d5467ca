import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { ChatProvider } from "../../domain/chat/ChatProvider.js"
import * as HttpChat from "../http/chat/HttpChat.js"
import * as MessageEvent from "./MessageEvent.js"
import * as MessagesBody from "./MessagesBody.js"

/**
 * Sampling parameters are gone from the version of October 2026, which refuses them; who asks for one is served by the version that
 * still has them (platform.claude.com/docs/en/api/versioning). Streams are the same in both.
 */
const versionFor = (body: Readonly<Record<string, unknown>>): string =>
  ["temperature", "top_p", "top_k"].some((name) => Object.hasOwn(body, name)) ? "2023-06-01" : "2026-10-21"

/** The chat provider of Anthropic, and of every server that speaks its `POST /v1/messages`. */
export const layer = Layer.scoped(
  ChatProvider,
  HttpChat.make({
    provider: "anthropic",
    url: "https://api.anthropic.com",
    routes: /(?:\/v1)?(?:\/messages)?\/*$/u,
    path: () => "/v1/messages",
    concurrency: 32,
    headers: (apiKey, body) => ({
      "anthropic-version": versionFor(body),
      ...Option.match(apiKey, {
        onNone: () => ({}),
        onSome: (key) => ({ "x-api-key": Redacted.value(key) })
      })
    }),
    body: MessagesBody.body,
    reading: ({ provider }, seed) => MessageEvent.reading(provider, seed)
  })
)
