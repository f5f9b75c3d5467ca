import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { run } from "../../../src/programs/cli/commands/explain.js"

const asked = (error: string) => run({ error, provider: undefined, surface: "embed", auth: "guess" })
const plain = { colour: false, columns: null }

describe("explain", () => {
  it.effect("hands no terminal escape of what was pasted on to the terminal", () =>
    Effect.gen(function*() {
      const { text } = yield* asked("\u001b[31mHTTP 503\u001b[0m: \u001b]0;title\u0007the \u009b2Jserver is busy")
      expect(text(plain).join("\n")).toContain("said    HTTP 503: the server is busy")
      // oxlint-disable-next-line no-control-regex
      expect(text(plain).join("")).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
    }))

  it.effect("names the rule of a refused key by what was said, and a provider that nobody named as such", () =>
    Effect.gen(function*() {
      for (const pasted of ["401 Invalid API key", "HTTP 401: Invalid API key"]) {
        const said = (yield* asked(pasted)).text(plain).join("\n")
        expect(said).toContain("AuthenticationFailed  rule access/key-words")
        expect(said).toContain("because The text says that key, token or signature is wrong")
        expect(said).toContain("parks all work behind the gate of the provider until someone opens it")
        expect(said).toContain("the user reads   The provider does not accept the API key.")
      }
    }))

  it.effect("says how long a wait is that is longer than is waited at once", () =>
    Effect.gen(function*() {
      const said = (yield* asked("HTTP 429 {\"error\":{\"message\":\"Rate limit reached\",\"reset_seconds\":482593}}"))
        .text(plain).join("\n")
      expect(said).toContain("waits 1d with everyone on this provider")
      expect(said).toContain(
        "The provider asks to wait for 5d 14h 3m 13s. At most a day is waited before it is asked again."
      )
    }))

  it.effect("hands no terminal escape of a file's line on either", () =>
    Effect.gen(function*() {
      const line = { id: "\u001b[2Jone\nof two", provider: "acme", status: 429, body: "slow down" }
      const { text } = yield* asked(JSON.stringify(line))
      expect(text(plain)).toEqual(["one of two  RateLimited  retry  pace/words"])
    }))

  it.effect("reads a wait that is given as a date against the present", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(Date.UTC(2026, 9, 21, 7, 26, 30))
      const line = {
        id: "one",
        provider: "acme",
        status: 429,
        headers: { "Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT" },
        body: ""
      }
      const { text } = yield* asked(JSON.stringify(line))
      expect(text(plain)).toEqual(["one  RateLimited  retry after 90000 ms  status/429"])
    }))

  it.effect("names the setting that keeps a client from sending", () =>
    Effect.gen(function*() {
      const { text } = yield* asked(
        "TypeError: Headers.append: \"Bearer sk-abcdefgh1\n2345678\" is an invalid header value."
      )
      expect(text(plain).join("\n")).toMatch(/the user reads {3}.*embedder\.api_key/)
      expect(text(plain).join("\n")).not.toMatch(/abcdefgh|2345678/)
    }))
})
