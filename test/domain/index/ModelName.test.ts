import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as ModelName from "../../../src/domain/index/ModelName.js"

const aliases: ReadonlyArray<readonly [asked: string, answered: string]> = [
  ["text-embedding-3-small", "text-embedding-3-small"],
  ["text-embedding-3-small", "Text-Embedding-3-Small"],
  ["text-embedding-3-small", "openai/text-embedding-3-small"],
  ["openai/text-embedding-3-small", "text-embedding-3-small"],
  ["text-embedding-3-small", "text-embedding-3-small-2024-01-25"],
  ["text-embedding-ada-002", "text-embedding-ada-002-v2"],
  ["text-embedding-004", "models/text-embedding-004"],
  ["gemini-embedding", "gemini-embedding-001"],
  ["gemini-embedding-exp", "gemini-embedding-exp-03-07"],
  ["nomic-embed-text", "nomic-embed-text:latest"],
  ["registry.ollama.ai/library/nomic-embed-text:latest", "nomic-embed-text"],
  ["nomic-embed-text", "nomic-embed-text-v1.5"],
  ["nomic-embed-text-v1.5", "nomic-embed-text-v1.5@q4_k_m"],
  ["nomic-embed-text-v1.5", "/models/nomic-embed-text-v1.5.Q8_0.gguf"],
  ["nomic-embed-text-v1.5", "C:\\models\\nomic-embed-text-v1.5-f16.gguf"],
  ["bge-m3", "BAAI/bge-m3"],
  ["bge-m3", "@cf/baai/bge-m3"],
  ["bge-m3", "/data/cache/huggingface/hub/models--BAAI--bge-m3/snapshots/5617a9f61b028005a4858fdac845db406aefb181"],
  ["bge-m3", "bge-m3-0"],
  ["bge-m3", "bge-m3-1-0"],
  ["qwen3-embedding", "qwen3-embedding:8b"],
  ["amazon.titan-embed-text-v2:0", "bedrock/amazon.titan-embed-text-v2:0"],
  ["titan-embed-text-v2", "amazon.titan-embed-text-v2:0"]
]

const others: ReadonlyArray<readonly [asked: string, answered: string]> = [
  ["text-embedding-3-small", "text-embedding-3-large"],
  ["text-embedding-3-small", "text-embedding-ada-002"],
  ["text-embedding-3-small", "BAAI/bge-m3"],
  ["text-embedding-004", "text-embedding-005"],
  ["text-embedding-v3", "text-embedding-v4"],
  ["bge-m3", "e5-large"],
  ["bge-m3", "bge-large-en-v1.5"],
  ["voyage-3", "voyage-2"],
  ["voyage-3", "voyage-3-lite"],
  ["qwen3-embedding:0.6b", "qwen3-embedding:4b"],
  ["nomic-embed-text-v1", "nomic-embed-text-v2"],
  ["jina-embeddings-v2-base-en", "jina-embeddings-v2-base-de"]
]

describe("answersTo", () => {
  it.each(aliases)("takes an answer to %s by %s for one of the same model", (asked, answered) => {
    expect(ModelName.answersTo(asked, answered)).toBe(true)
  })

  it.each(others)("takes an answer to %s by %s for one of another model", (asked, answered) => {
    expect(ModelName.answersTo(asked, answered)).toBe(false)
    expect(ModelName.isSame(asked, asked, answered)).toBe(false)
  })
})

const part = FastCheck.stringMatching(/^[a-z]{1,8}$/)
const name = FastCheck.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("-"))

describe("a model's name", () => {
  it.prop("is its own, whoever owns it and however it is written", { name, owner: part }, ({ name, owner }) => {
    for (const other of [name, name.toUpperCase(), `${owner}/${name}`, `/${owner}/${name}.gguf`, `${name}:latest`]) {
      expect(ModelName.answersTo(name, other)).toBe(true)
      expect(ModelName.answersTo(other, name)).toBe(true)
      expect(ModelName.isSame(null, name, other)).toBe(true)
    }
  })

  it.prop(
    "may be answered by its edition, and by no other name than begins with it",
    { name, other: name },
    (given) => {
      expect(ModelName.answersTo(given.name, `${given.name}-2025-06-01`)).toBe(true)
      if (!given.other.startsWith(given.name) && !given.name.startsWith(given.other)) {
        expect(ModelName.answersTo(given.name, given.other)).toBe(false)
      }
    }
  )

  it.prop("is that of every answer that it has been the same with", { name, other: name }, (given) => {
    if (ModelName.isSame(given.name, given.name, given.other)) {
      expect(ModelName.answersTo(given.name, given.other)).toBe(true)
    }
  })
})

describe("isSame", () => {
  it("takes no edition for another, since the server chose both names itself", () => {
    expect(ModelName.isSame("jina-embeddings", "jina-embeddings-v2", "jina-embeddings-v3")).toBe(false)
    expect(ModelName.isSame("nomic-embed-text", "nomic-embed-text", "nomic-embed-text-v1.5")).toBe(false)
  })

  it("takes the replicas of one model for it, and knows OpenAI's second name of ada", () => {
    expect(ModelName.isSame("bge-m3", "bge-m3-0", "bge-m3-1")).toBe(true)
    expect(ModelName.isSame("voyage", "voyage-3-large", "voyage-2")).toBe(false)
    expect(ModelName.isSame(null, "text-embedding-ada-002", "text-embedding-ada-002-v2")).toBe(true)
  })
})
