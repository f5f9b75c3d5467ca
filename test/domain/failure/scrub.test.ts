import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { detail, scrub } from "../../../src/domain/failure/scrub.js"

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
const run = (alphabet: string, min: number, max: number) =>
  FastCheck.array(FastCheck.integer({ min: 0, max: alphabet.length - 1 }), { minLength: min, maxLength: max })
    .map((indexes) => indexes.map((index) => alphabet[index] ?? "").join(""))

const alphanumeric = (min: number, max: number) => run(letters, min, max)
const base64url = (min: number, max: number) => run(`${letters}-_`, min, max).map((text) => `${text}Aa1`)
const hexadecimal = (size: number) => run("0123456789abcdef", size, size)

/** A secret, and the text in which its owner's client would leak it. */
interface Planted {
  readonly secret: string
  readonly shown: string
}

const bare = (keys: FastCheck.Arbitrary<string>) => keys.map((secret): Planted => ({ secret, shown: secret }))
const prefixed = (prefix: string, rest: FastCheck.Arbitrary<string>) => bare(rest.map((text) => prefix + text))
const within = (keys: FastCheck.Arbitrary<string>, ...frames: ReadonlyArray<(secret: string) => string>) =>
  FastCheck.tuple(keys, FastCheck.constantFrom(...frames)).map(([secret, frame]): Planted => ({
    secret,
    shown: frame(secret)
  }))

const planted: FastCheck.Arbitrary<Planted> = FastCheck.oneof(
  prefixed("sk-", alphanumeric(20, 48)),
  prefixed("sk-proj-", base64url(40, 120)),
  prefixed("sk-ant-api03-", base64url(60, 95)),
  prefixed("sk-or-v1-", hexadecimal(64)),
  prefixed("gsk_", alphanumeric(52, 52)),
  prefixed("xai-", alphanumeric(80, 80)),
  prefixed("pplx-", hexadecimal(48)),
  prefixed("r8_", alphanumeric(37, 37)),
  prefixed("hf_", alphanumeric(34, 34)),
  prefixed("AIza", base64url(35, 35)),
  prefixed("ya29.", base64url(60, 120)),
  prefixed("AKIA", run("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16, 16)),
  prefixed("fw_", alphanumeric(24, 24)),
  prefixed("csk-", alphanumeric(48, 48)),
  prefixed("nvapi-", base64url(60, 66)),
  prefixed("jina_", alphanumeric(40, 60)),
  prefixed("pa-", base64url(40, 44)),
  prefixed("ghp_", alphanumeric(36, 36)),
  prefixed("github_pat_", run(`${letters}_`, 60, 82)),
  prefixed("dapi", hexadecimal(32)),
  prefixed("tgp_v1_", base64url(40, 45)),
  prefixed("LTAI", alphanumeric(20, 24)),
  bare(FastCheck.tuple(hexadecimal(32), alphanumeric(16, 16)).map(([id, secret]) => `${id}.${secret}`)),
  bare(
    FastCheck.tuple(base64url(20, 60), base64url(30, 90), base64url(43, 43)).map(([a, b, c]) => `eyJ${a}.eyJ${b}.${c}`)
  ),
  within(
    alphanumeric(12, 40),
    (secret) => `Authorization: Bearer ${secret}`,
    (secret) => `{"authorization":"Bearer ${secret}"}`,
    (secret) => `{'Authorization': 'Bearer ${secret}'}`,
    (secret) => `authorization=Basic ${secret}==`,
    (secret) => `Proxy-Authorization: Basic ${secret}=`,
    (secret) => `x-api-key: ${secret}`,
    (secret) => `"x-goog-api-key": "${secret}"`,
    (secret) => `api-key=${secret}`,
    (secret) => `apiKey: '${secret}'`,
    (secret) => `api_key="${secret}"`,
    (secret) => `OPENAI_API_KEY=${secret}`,
    (secret) => `AWS_SECRET_ACCESS_KEY=${secret}`,
    (secret) => `"access_token":"${secret}"`,
    (secret) => `refresh_token=${secret}&grant_type=x`,
    (secret) => `client_secret: ${secret}`,
    (secret) => `password=${secret}`,
    (secret) => `"password": "${secret}"`,
    (secret) => `Cookie: sid=${secret}; theme=dark`,
    (secret) => `Set-Cookie: __session=${secret}; Path=/; HttpOnly`,
    (secret) => `cookie=a=b; token=${secret}`,
    (secret) => `https://user:${secret}@api.example.com/v1`,
    (secret) => `postgres://holdfast:${secret}@db.example.com:5432/app`,
    (secret) => `https://${secret}@example.com/`,
    (secret) => `https://api.example.com/v1/models?key=${secret}&alt=sse`,
    (secret) => `https://api.example.com/v1/models#access_token=${secret}`,
    (secret) => `error sending request for url (https://api.example.com/v1?token=${secret})`,
    (secret) => `wss://api.example.com/socket?sig=${secret}`
  )
)

const noise = FastCheck.constantFrom(
  "",
  "HTTP 401 Unauthorized: ",
  "Incorrect API key provided: ",
  "request failed (attempt 2), ",
  "{\"error\":{\"message\":\"",
  "接続に失敗しました: ",
  "line one\nline two: ",
  "(",
  "<b>",
  "→ "
)
const after = FastCheck.constantFrom(
  "",
  ". You can find your key at https://example.com/keys.",
  "\"}}",
  "\nnext line",
  ")",
  " 余额不足",
  ", and more",
  "'"
)
const leak = FastCheck.tuple(noise, planted, after)

describe("scrub", () => {
  it("leaves no planted secret in 100,000 texts, and a second pass changes nothing", () => {
    FastCheck.assert(
      FastCheck.property(leak, ([before, { secret, shown }, behind]) => {
        const once = scrub(before + shown + behind)
        if (once.includes(secret)) return false
        return scrub(once) === once
      }),
      { numRuns: 100_000, seed: 20_260_101 }
    )
  }, 240_000)

  it("hides a key of short parts by its maker's prefix", () => {
    expect(scrub("sk-proj-aaaaaaa-aaaaaaa-aaaaaaa-aaaaaaa-aaaaaa-aAa1 is wrong")).toBe("[hidden] is wrong")
  })

  it("leaves no long piece of a secret either", () => {
    FastCheck.assert(
      FastCheck.property(leak, ([before, { secret, shown }, behind]) => {
        const once = scrub(before + shown + behind)
        return !once.includes(secret.slice(-12)) || secret.length < 16
      }),
      { numRuns: 20_000 }
    )
  })

  it("is idempotent on arbitrary text", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.oneof(
          FastCheck.fullUnicodeString({ maxLength: 200 }),
          FastCheck.array(
            FastCheck.constantFrom(
              "key=",
              "token",
              ": ",
              "\"",
              "'",
              "Bearer ",
              "[hidden]",
              "https://",
              "a@b",
              "?q=",
              "&",
              "eyJ",
              "sk-",
              "cookie: ",
              "x",
              "=",
              ";",
              "abcdefgh12345678",
              " ",
              "\n",
              "{",
              "}"
            ),
            { maxLength: 20 }
          ).map((parts) => parts.join(""))
        ),
        (text) => {
          const once = scrub(text)
          return scrub(once) === once
        }
      ),
      { numRuns: 20_000 }
    )
  })

  const breaks = FastCheck.constantFrom(
    "\n",
    "\r\n",
    "\\n",
    "\\r\\n",
    "\\u000a",
    "\\\n",
    "=\r\n",
    "%0A",
    "<br>",
    "\u200b",
    "\ufeff",
    "\u00ad",
    "\n  "
  )
  const frames: ReadonlyArray<readonly [string, (key: string) => string]> = [
    ["h11's words", (key) => `Illegal header value b'Bearer ${key}'`],
    ["requests' words", (key) => `Invalid return character(s) in header value: 'Bearer ${key}'`],
    ["undici's words", (key) => `Headers.append: "Bearer ${key}" is an invalid header value.`],
    ["a header", (key) => `Authorization: Bearer ${key}`],
    ["a setting", (key) => `OPENAI_API_KEY=${key}\nnext=1`],
    ["a sentence", (key) => `Incorrect API key provided: ${key}`]
  ]

  it.each(frames)("leaves no half of a key that a break parts, in %s", (_, frame) => {
    FastCheck.assert(
      FastCheck.property(
        alphanumeric(16, 40).map((rest) => `sk-a1${rest}9z`),
        breaks,
        FastCheck.double({ min: 0.2, max: 0.8, noNaN: true }),
        (key, parting, at) => {
          const middle = Math.floor(key.length * at)
          const halves = [key.slice(0, middle), key.slice(middle)]
          const shown = scrub(frame(halves.join(parting)))
          return halves.every((half) => half.length < 6 || !shown.includes(half)) && scrub(shown) === shown
        }
      ),
      { numRuns: 300 }
    )
  })

  it("hides a header's value whole, whatever it is", () => {
    expect(scrub("Illegal header value b'Bearer '")).toBe("Illegal header value [hidden]")
    expect(scrub("Invalid header value: 'Bearer {\\n  \"custom_models\": [1]'")).toBe("Invalid header value: [hidden]")
    expect(scrub("net/http: invalid header field value for \"Authorization\"")).toBe(
      "net/http: invalid header field value for \"Authorization\""
    )
    expect(scrub("Invalid character in header content [\"Authorization\"]")).toBe(
      "Invalid character in header content [\"Authorization\"]"
    )
  })

  it("keeps the words of the line after a key", () => {
    expect(scrub("Incorrect API key provided: sk-abcdefghijkl1234.\nYou can find your key in the console.")).toBe(
      "Incorrect API key provided: [hidden].\nYou can find your key in the console."
    )
    expect(scrub("key sk-abcdefghijkl1234\nplease check it")).toBe("key [hidden]\nplease check it")
  })

  it.each([
    "Rate limit reached for gpt-4o in organization org-name on tokens per min (TPM): Limit 30000, Requested 31538.",
    "max_tokens: 100000 > 8192, which is the maximum allowed number of output tokens",
    "The model `text-embedding-3-small` does not exist",
    "This model's maximum context length is 8192 tokens. However, you requested 10240 tokens.",
    "prompt is too long: 208310 tokens > 200000 maximum",
    "You exceeded your current quota, please check your plan and billing details.",
    "connect ECONNREFUSED 127.0.0.1:11434",
    "余额不足或无可用资源包,请充值。",
    "Missing Authentication header",
    "invalid bearer token",
    "claude-3-5-sonnet-20241022 is overloaded"
  ])("keeps what a person needs: %s", (text) => {
    expect(scrub(text)).toBe(text)
  })

  it("keeps the host and path of an address", () => {
    expect(scrub("GET https://me:pw@api.example.com/v1/models?key=abc#frag failed")).toBe(
      "GET https://api.example.com/v1/models failed"
    )
  })

  it("hides a private key block", () => {
    expect(scrub("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY----- after")).toBe("[hidden] after")
  })
})

describe("detail", () => {
  it("cuts to 300 characters only after the whole text was scrubbed", () => {
    const text = `${"a ".repeat(140)}Authorization: Bearer abcdefghijklmnop1234567890 ${"b ".repeat(100)}`
    const shown = detail(text)
    expect(shown.length).toBeLessThanOrEqual(300)
    expect(shown.endsWith("…")).toBe(true)
    expect(shown).not.toContain("abcdefgh")
  })

  it("puts everything on one line", () => {
    expect(detail(" one\n two\t three ")).toBe("one two three")
  })

  it.each([
    ["a null character", "bad\u0000 text"],
    ["an emoji where it is cut", `${"x".repeat(298)}🙂🙂`],
    ["an emoji that was cut before", "🙂".slice(0, 1)],
    ["a terminal's escapes", "\u001b[31mred\u001b[0m"]
  ])("can be stored whatever was said: %s", (_, text) => {
    // oxlint-disable-next-line no-control-regex
    expect(detail(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]|\p{Surrogate}/u)
  })

  it("hides a key whole that a null character stands in", () => {
    expect(detail("key sk-abcdefghijkl\u0000mnopqrstuvwxyz refused")).toBe("key [hidden] refused")
  })

  it("leaves a text of exactly 300 characters whole", () => {
    const text = "word ".repeat(60).trim() + "s"
    expect(text.length).toBe(300)
    expect(detail(text)).toBe(text)
  })
})

/** 16 and 32 characters as keys have them, and letters alone, which no rule of entropy finds. */
const short = "Zx9Qw8Er7Ty6Ui5O"
const long = `aB3dE5gH7jK9mN1p${short}`
const letters16 = "abcdefghijklmnop"

describe("a key in three lines", () => {
  it("is hidden whole", () => {
    expect(scrub(`sk-ant-api03-${short}\nT4ilS3cr3tP4rt\n${long.slice(0, 14)}9 is invalid`)).not.toMatch(/T4il|aB3d/)
  })
})

describe("a header's value as a language prints it", () => {
  it.each([
    ["a Python dict of bytes", `{'x-api-key': b'${letters16}', 'host': 'a'}`],
    ["Python's pairs", `[('authorization', 'Bearer ${letters16}'), ('x-api-key', '${letters16}')]`],
    ["Python's pairs of bytes", `[(b'Authorization', b'Bearer ${short}'), (b'x-api-key', b'${letters16}')]`],
    ["httpx", `Headers([('host', 'a'), ('x-api-key', '${letters16}')])`],
    ["requests", `Header part (b'${letters16}') from ('x-api-key', b'${letters16}') must be of type str or bytes`],
    ["Node's raw headers", `[ 'Authorization', 'Bearer ${short}', 'x-api-key', '${letters16}' ]`],
    ["Go", `map[Authorization:[Bearer ${short}] X-Api-Key:[${letters16}]]`],
    ["curl", `curl -u alice:${short} -H "x-api-key: ${letters16}" https://api.test/v1`]
  ])("is hidden: %s", (_, text) => {
    const shown = scrub(text)
    expect(shown).not.toContain(letters16)
    expect(shown).not.toContain(short)
    expect(shown).toContain("[hidden]")
  })
})

describe("a secret of a maker's shape", () => {
  it.each([
    ["Slack's webhook", "https://hooks.slack.com/services/T01/B04/", long.slice(0, 24)],
    ["Discord's webhook", "https://discord.com/api/webhooks/1234567890/", long],
    ["Teams' webhook", "https://acme.webhook.office.com/webhookb2/", `${short}@${short}`],
    ["Telegram's address", "https://api.telegram.org/bot123456789:AAH", `${long}/sendMessage`],
    ["GitLab's runner", "glrt-", long.slice(0, 20)],
    ["Vercel's gateway", "vck_", long.slice(0, 24)],
    ["Cloudflare", "cfut_", long.slice(0, 24)],
    ["Square", "sq0atp-", long.slice(0, 22)],
    ["New Relic", "NRAK-", long.slice(0, 27).toUpperCase()],
    ["Vault", "hvs.CAESI", long.slice(0, 24)],
    ["Docker", "dckr_pat_", long.slice(0, 27)],
    ["Supabase", "sb_secret_", long.slice(0, 22)],
    ["Doppler", "dp.pt.", long.slice(0, 28)],
    ["Terraform", `${long.slice(0, 14)}.atlasv1.`, long],
    ["Entra", "Invalid client secret provided abc8Q~", long.slice(0, 20)],
    ["Google's client secret", "GOCSPX-", long.slice(0, 28)],
    ["Twilio", "SK", "0a1b2c3d4e5f60718293a4b5c6d7e8f9"],
    ["Azure's storage", "AccountName=acme;AccountKey=", `${long}${long}==`],
    ["Azure's bus", "SharedAccessKeyName=Root;SharedAccessKey=", `${short}${short}=`],
    ["AWS's signature", "SignedHeaders=host, Signature=", "0a1b2c3d4e5f60718293a4b5c6d7e8f9"],
    ["a data source's name", "host=db user=app password=", short],
    ["JDBC", "jdbc:sqlserver://db;user=sa;password=", `${short};`],
    ["MongoDB", "mongodb+srv://app:", `${short}@cluster0.mongodb.net/x`],
    ["Sentry", "https://", "0a1b2c3d4e5f60718293a4b5c6d7e8f9@o123.ingest.sentry.io/4"],
    ["AWS's JSON", "\"secretAccessKey\": \"", `${letters16}"`],
    ["a pass", "{\"user\":\"a\",\"pass\":\"", `${letters16}"}`],
    ["a YAML block", "api_key: |\n  ", `${letters16}${short}`],
    ["a sentence", "Incorrect API key provided: ", `${short}. You can find`],
    ["a quoted key", "The API key '", `${letters16}12' is not valid`],
    ["a revoked token", "token \"", `${letters16}12" has been revoked`],
    ["a Chinese sentence", "API密钥：", `${letters16}12 无效`]
  ])("is hidden: %s", (_, before, secret) => {
    const shown = scrub(`failed: ${before}${secret} (401)`)
    for (const part of secret.match(/[A-Za-z0-9]{12,}/g) ?? []) expect(shown).not.toContain(part.slice(-10))
    expect(shown).toMatch(/^failed: .*/)
    expect(scrub(shown)).toBe(shown)
  })
})

describe("what only looks like a secret", () => {
  it.each([
    "The model Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8 does not exist",
    "model meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8 not found",
    "global-endpoint-cluster-7 failed",
    "Unexpected token '<', \"<html>\" is not valid JSON",
    "token limit exceeded: 128000 tokens",
    "Missing key 'messages.0.content'",
    "request_id: req_011CUNYXXQdpVpVzRXcoZDrJ",
    "API key provided is invalid",
    "Access token has expired at 2026-01-01T00:00:00Z",
    "accounts/fireworks/models/llama-v3p3-70b-instruct"
  ])("is shown: %s", (text) => {
    expect(scrub(text)).toBe(text)
  })
})
