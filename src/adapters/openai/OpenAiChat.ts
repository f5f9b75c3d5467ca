import * as Layer from "effect/Layer"
import { ChatProvider } from "../../domain/chat/ChatProvider.js"
import * as HttpChat from "../http/chat/HttpChat.js"
import * as ChatBody from "./ChatBody.js"
import * as ChatChunk from "./ChatChunk.js"
import * as Route from "./Route.js"

/** The chat provider of every server that speaks `POST /chat/completions`. */
export const layer = Layer.scoped(
  ChatProvider,
  HttpChat.make({
    provider: "openai",
    url: "https://api.openai.com/v1",
    routes: /\/chat(?:\/completions)?\/*$/u,
    path: (base) => Route.below(base, "/chat/completions"),
    concurrency: 32,
    body: ChatBody.body,
    // servers that do not know how to count in a stream refuse to be asked for it
    optional: { members: ["stream_options"], blamed: /stream_?options|include_usage/iu },
    reading: (_, seed) => ChatChunk.reading(seed)
  })
)
