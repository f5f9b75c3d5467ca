/** `holdfast/ai`: chat providers of @effect/ai. It alone needs that package. */
export * as LanguageModelChat from "./LanguageModelChat.js"
