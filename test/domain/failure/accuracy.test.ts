import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import { judge, lines, share } from "./corpora.js"

const day = Duration.toMillis(Duration.days(1))

/** The misses that stay, each with the reason for which careful readers may differ. */
const debated: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "corpus.jsonl": {
    "openhuman-backend-504-providerunavailable-1":
      "labelled ProviderUnavailable; the design says that a 504 is a Timeout. Both try again.",
    "groq-429-ratelimited-1":
      "labelled retry-after; one request of 12,903 tokens never fits into a window of 7,000, so it halts like its siblings."
  },
  "unseen.jsonl": {
    "new-api-500-128":
      "a gateway's 500 about a connection that timed out upstream: Timeout by its words, ProviderUnavailable by its status. Both try again."
  },
  "gathered-held.jsonl": {
    "g-renewing-policy-gateway-44":
      "a gateway's own cap on the spending of a day, with a 402: money by its words, though it opens with the next day."
  },
  "blind.jsonl": {
    "b-rsclaw-16":
      "a gateway's ceiling on max_tokens in a 429 with a code of quota; nothing but its sentence says that no wait cures it.",
    "b-gateway-51": "a budget of a day in a 402: parked until the moment that it names, where the label waits as long."
  },
  "unseen-third.jsonl": {
    "databricks-404-70": "the endpoint that is not there serves one model; the words speak of the endpoint. Both halt.",
    "foreign-transport-none-98":
      "a caller's mistake in reading a body twice; the message is no provider's, and an unknown break is tried again."
  },
  "unseen-fourth.jsonl": {
    "fourth-github-410-5": "a 410 says gone, its sentence temporarily unavailable; the service was closed for good.",
    "fourth-litellm-400-15": "the model's name lacks its gateway's prefix; the words speak of a provider. Both halt.",
    "fourth-lmstudio-400-31": "a model that did not load: want of memory passes, a broken file does not."
  },
  "unseen-fourth-held.jsonl": {
    "fourth-held-litellm-502-50": "the output asked for is too long; its gateway calls it the context. Both halt.",
    "fourth-held-nvidia-403-55":
      "NVIDIA's words for a bad key, under a status that may mean a missing right. Both halt."
  },
  "unseen-fifth.jsonl": {
    "fifth-litellm-500-28":
      "a server that fails at its own table, in a validator's words: neither a request nor an outage.",
    "fifth-vercel-403-41":
      "free credits that are restricted: a right by its words, a payment by what cures it. Both halt."
  },
  "unseen-embed.jsonl": {
    "embed-opencode-401-4":
      "a right by its words, a mark of the caller that is missing by its type and status. Both halt.",
    "embed-nvidia-none-16": "a caller's guess at the credential stands before the provider's own words. Both halt.",
    "embed-llama.cpp-500-31":
      "a decoder's refusal of what it was given, as a server's 500: the batch is halved all the same, as after any 500.",
    "embed-localai-500-33":
      "an answer too large for the pipe between a server and its backend: halved, as after any 500."
  },
  "unseen-told.jsonl": {
    "told-gateway-none-9":
      "an answer that ended in an error of which nothing is said: nobody's words for an outage. Both try again.",
    "told-openclaw-none-53":
      "a connection that timed out, in Chinese: a Timeout by its word, a connection that never stood by our own rule. Both try again."
  },
  "unseen-told-held.jsonl": {
    "told-held-openclaw-none-2":
      "a model that its caller finds too small: no provider's sentence, and a bare text is tried again.",
    "told-held-gateway-410-3": "a key's code under a 410, which no provider is known to send. Both halt.",
    "told-held-zhipu-none-4":
      "an ending that names a network of the provider's own: Network by its word. Both try again.",
    "told-held-openclaw-none-46": "nothing is said but that something failed. Both try again.",
    "told-held-anthropic-none-53": "a tier for long texts: a plan, a length or a right; nothing else is known of it."
  }
}

/**
 * What was collected, in the order of time. `gathered.jsonl` was labelled before it was judged: 69.5 % of its settled classes
 * and 83.9 % of its actions were right at the first run, 67.2 % and 80.3 % of `gathered-held.jsonl`. The rules were then mended
 * on the first without a look at the second, which came to 100 % of both. `blind.jsonl` came after that, from other sources, and
 * is the better measure of what nobody has seen: 92 % of its settled classes and 94 % of its actions at the first run.
 * `unseen-fourth.jsonl` came next, half of it wrapped by gateways and clients: 70 of 80 classes (87.5 %) and 72 actions (90 %). After
 * its kinds were mended, `unseen-fourth-held.jsonl`, drawn from the same pool by lot and not looked at before, had 46 of 52 (88.5 %)
 * and 51 (98.1 %); after that, `unseen-fifth.jsonl`, from other sources, 42 of 47 (89.4 %) and 44 (93.6 %); and then
 * `unseen-embed.jsonl`, nearly all of embedding calls, 51 of 57 (89.5 %) and 53 (93 %). Last came
 * `unseen-told.jsonl`, sentences that another project's classifier is tested with, most of them bare, without status or envelope: 53 of
 * 69 (76.8 %) and 59 (85.5 %); after its kinds were mended, `unseen-told-held.jsonl` from the same source had
 * 41 of 50 (82 %) and 47 (94 %).
 */
const files = [
  "corpus.jsonl",
  "unseen.jsonl",
  "unseen-second.jsonl",
  "unseen-third.jsonl",
  "unseen-fourth.jsonl",
  "unseen-fourth-held.jsonl",
  "unseen-fifth.jsonl",
  "unseen-embed.jsonl",
  "unseen-told.jsonl",
  "unseen-told-held.jsonl",
  "second.jsonl",
  "gathered.jsonl",
  "gathered-held.jsonl",
  "blind.jsonl"
]

describe.each(files)(
  "classify on %s",
  (name) => {
    // Within each test, not while tests are collected: a mutant is only there while a test runs.
    const judged = () => lines(name).map(judge)
    const settled = () => judged().filter((entry) => !entry.debatable)

    it("names the class of at least 97 % of the entries that nobody debates", () => {
      const entries = settled()
      expect(share(entries.filter((entry) => entry.tagRight).length, entries.length)).toBeGreaterThanOrEqual(0.97)
    })

    it("chooses between retry and halt rightly on at least 99 % of them", () => {
      const entries = settled()
      expect(share(entries.filter((entry) => entry.actionRight).length, entries.length)).toBeGreaterThanOrEqual(0.99)
    })

    it("misses nothing but what is listed with its reason", () => {
      const missed = judged().filter((entry) => !entry.tagRight || !entry.actionRight).map((entry) => entry.id)
      expect(missed.filter((id) => debated[name]?.[id] === undefined)).toEqual([])
    })

    it("reads every wait that the labels name, bounded to a day", () => {
      const named = judged().filter((entry) => entry.named !== undefined && entry.action === "retry")
      expect(named.map((entry) => [entry.id, entry.wait === undefined ? undefined : Duration.toMillis(entry.wait)]))
        .toEqual(
          named.map((entry) => [entry.id, Math.min(entry.named ?? 0, day)])
        )
    })

    it("gives each failure a detail that is bounded and on one line", () => {
      for (const { failure } of judged()) {
        expect(failure.detail.length).toBeLessThanOrEqual(300)
        expect(failure.detail).not.toMatch(/\n|https?:\/\/\S+\?/)
      }
    })
  }
)

it("has waits to read", () => {
  expect(files.flatMap((name) => lines(name).map(judge)).filter((entry) => entry.named !== undefined).length)
    .toBeGreaterThan(50)
})
