import { describe, expect, it } from "@effect/vitest"
import { ruleOf, words } from "./answers.js"

const unfit = [
  ["a value that is none of those allowed", "768 is not a valid output_dimension, use one of 256, 512, 1024, 1536"],
  ["values that are listed", "Invalid value: 'low'. Supported values are: 'medium'."],
  ["a value out of a list, as JSON Schema has it", "'response_format.type': value is not one of the allowed values"],
  ["an input that Pydantic does not know", "body.thinking: Extra inputs are not permitted"],
  ["an argument that a client's function does not take", "create() got an unexpected keyword argument 'output_config'"],
  ["an argument that OpenAI does not know", "Unrecognized request argument supplied: functions"],
  ["a field that is missing", "2 validation errors for EmbedRequest: texts: Field required"],
  ["a property that is required", "'function' is a required property - 'tools.0'"],
  [
    "a constraint of AWS",
    "Value '2.0' at 'temperature' failed to satisfy constraint: Member must have value less than 1"
  ],
  ["a schema", "Invalid schema for function 'search': array schema missing items."],
  ["an input that is empty", "Invalid embedding input: Input must not be empty"],
  ["an input of several that is empty", "messages: text content blocks cannot be empty"],
  ["a part that is empty", "GenerateContentRequest.contents contains an empty Part."],
  ["a pattern", "messages.1.content.1.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"],
  ["a regex", "'encoding' must match regex ^(float|base64)$"],
  ["a format", "invalid request format"],
  ["an order of roles", "The conversation must end with a user message."],
  ["roles that take turns", "conversation roles must alternate user/assistant/user/assistant/..."],
  ["a part that the model does not take", "This model does not support assistant message prefill."],
  ["what has to be on", "This model requires reasoning to be enabled"],
  ["a combination that the model does not take", "Assistant prefill is not supported when thinking is enabled."]
] as const

describe("words of a validator", () => {
  it.each(unfit)("blame the request, whoever wraps them: %s", (_, message) => {
    for (const status of [undefined, 500, 502]) {
      expect(ruleOf(status, words(message))).toBe("request/words")
      expect(ruleOf(status, `litellm.APIConnectionError: AcmeException - ${JSON.stringify(words(message))}`))
        .toBe("request/words")
    }
    expect(ruleOf(503, `litellm.ServiceUnavailableError: AcmeException - ${message}`)).toBe("request/words")
  })

  it("count within a 413, which TEI sends for an empty input too", () => {
    expect(ruleOf(413, { error: "Input validation error: `inputs` cannot be empty", error_type: "Validation" }))
      .toBe("request/words")
    expect(ruleOf(413, { error: "Input validation error: `inputs` must have less than 512 tokens. Given: 514" }))
      .toBe("size/words")
    expect(ruleOf(413, words("Something else."))).toBe("status/413")
  })

  it.each(unfit)("are not needed where the status says the same: %s", (_, message) => {
    expect(ruleOf(422, words(message))).toBe("status/4xx")
  })

  it.each([
    ["a length", 500, "1 validation error for Prompt: the input is too long, 9000 tokens", "size/words"],
    ["a model", undefined, "'gpt-99' is not a valid model ID", "model/words"],
    ["a key", undefined, "The API key is not valid. Unexpected parameter.", "access/key-words"],
    ["money", 500, "Unsupported parameter. Your credit balance is too low.", "money/gone"],
    ["pace", 429, "Invalid value. Rate limit reached.", "pace/plain-429"]
  ])("give way to words about %s", (_, status, message, rule) => {
    expect(ruleOf(status, words(message))).toBe(rule)
  })
})
