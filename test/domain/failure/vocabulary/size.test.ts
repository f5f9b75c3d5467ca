import { describe, expect, it } from "@effect/vitest"
import { ruleOf, words } from "./answers.js"

describe("a batch with too many members", () => {
  const crowded = words("Too many inputs: 97 of 96.")

  it.each([undefined, 400, 413, 422, 498])("is a wrong request under the status %s", (status) => {
    expect(ruleOf(status, crowded)).toBe("size/not-the-input")
  })

  it.each([
    [200, "success/malformed"],
    [302, "status/redirect"],
    [429, "status/429"],
    [500, "status/5xx"]
  ])("gives way to the status %s, which finds no fault with the request", (status, rule) => {
    expect(ruleOf(status, crowded)).toBe(rule)
  })
})

describe("words about length", () => {
  it.each([
    ["tokens set against a limit", "Number of tokens (9001) greater than max allowed (8192)"],
    ["characters set against a limit", "Text length 9001 exceeds limit 8000 characters"],
    ["a plea for less", "Please provide a shorter text; the model takes 2048 tokens at most"],
    ["one of several texts", "Document at index 3 is too long: 33000 tokens (max 32000)"],
    ["the server's own names", "Cannot truncate prompt with n_keep (12378) >= n_ctx (4096)"],
    ["a length beside an offer of credit", "The prompt is too long; shorten it, or add credits to your account"]
  ])("are told by %s", (_, message) => {
    expect(ruleOf(400, words(message))).toBe("size/words")
  })

  it.each([
    ["under a status of pace", 429, "Input token limit exceeded."],
    ["under a status of money", 402, "Prompt tokens limit exceeded: 3944 > 3796."],
    ["beside a limit per time", 400, "Token limit exceeded: 6000 tokens per minute."],
    ["of a balance", 400, "The request exceeds the maximum tokens of your wallet."],
    ["of a service that is not there", 503, "Service unavailable: too many tokens"]
  ])("do not count %s", (_, status, message) => {
    expect(ruleOf(status, words(message))).not.toBe("size/words")
  })
})

describe("a length that llama.cpp and what is built on it tell as a server's error", () => {
  it.each([
    "input is too large to process. increase the physical batch size",
    "input prompt is too big compared to KV size, please increase KV size",
    "failed to decode the batch: KV cache is full - try increasing it via the context size",
    "the request exceeds the available context size. try increasing the context size or enable context shift",
    "decoding exceeds the available context size. try increasing the context size."
  ])("%s", (message) => {
    expect(ruleOf(500, words(message, { type: "server_error" }))).toBe("llama.cpp/batch")
  })

  it("is none where only a cache is spoken of", () => {
    expect(ruleOf(500, words("KV cache lost a block", { type: "server_error" }))).toBe("capacity/code")
  })
})

describe("advice to shorten", () => {
  it.each(["请压缩上下文后重试", "请缩短输入内容", "请减少提示词长度后再试"])("is a length: %s", (message) => {
    expect(ruleOf(undefined, words(message))).toBe("size/words")
  })
})

describe("a budget of tokens", () => {
  it.each([
    "input length would exceed context budget for this model",
    "The prompt is too long: it exceeded the thinking budget"
  ])("is no money: %s", (message) => {
    expect(ruleOf(400, words(message))).toBe("size/words")
  })
})

describe("a limit of characters or of the context", () => {
  it.each([
    "Malformed input request: expected maxLength: 50000, actual: 52611, please reformat your input and try again.",
    "must NOT have more than 8192 characters",
    "String must contain at most 8192 character(s)",
    "input must have at most 8000 characters",
    "Context limit is 49152 tokens; prompt=51402 leaves 0 output tokens",
    "The context window is only 4096 tokens"
  ])("is a length, in a validator's words: %s", (message) => {
    expect(ruleOf(400, words(message))).toBe("size/words")
  })
})
