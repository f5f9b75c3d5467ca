import { describe, expect, it } from "@effect/vitest"
import { judged, ruleOf, words } from "../vocabulary/answers.js"

describe("a server that was started without an ability", () => {
  it.each([
    ["llama.cpp's embeddings", "This server does not support reranking. Start it with `--reranking`"],
    ["llama.cpp's tools", "tools param requires --jinja flag"],
    ["vLLM's tools", "\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set"],
    ["a build", "Missing dependency: Embeddings feature is not enabled. Rebuild with --features embeddings"],
    ["a launch", "Metrics are off; restart the server with --metrics"]
  ])("stays so, and the request has to change: %s", (_, message) => {
    for (const status of [undefined, 400, 500, 501]) {
      expect(ruleOf(status, words(message))).toBe("selfhosted/not-started-with")
      expect(judged(status, words(message)).failure._tag).toBe("InvalidRequest")
    }
  })

  it.each([
    ["a length", "The prompt is too long. Restart with --ctx-size 8192", "size/words"],
    ["memory", "CUDA out of memory. Restart with --gpu-memory-utilization 0.8", "capacity/words"],
    ["no flag", "The worker will start with the next request.", "status/5xx"]
  ])("is not meant by %s", (_, message, rule) => {
    expect(ruleOf(500, words(message))).toBe(rule)
  })
})
