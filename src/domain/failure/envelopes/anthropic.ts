import { codes } from "../Rule.js"
import type { Rule } from "../Rule.js"

/** `{type:"error",error:{type,message}}`: Anthropic, and the gateways that imitate it. */
export const rules: ReadonlyArray<Rule> = [
  {
    name: "anthropic/entitlement",
    because:
      "Long context is sold apart: Anthropic refuses it with rate_limit_error or invalid_request_error, and waiting never buys it.",
    tag: "BudgetExhausted",
    text:
      /extra usage is required|usage credits? (?:are|is) required|long context beta is not yet available for this subscription|extra usage .{0,30}(?:exhausted|required|limit)|out of extra usage|draw from your extra usage/
  },
  {
    name: "anthropic/overloaded",
    because:
      "overloaded_error, or api_error saying Overloaded, is Anthropic's own load under 529, 500, 503 or a stream's 200.",
    tag: "ProviderUnavailable",
    code: codes("overloadederror|overloaded"),
    unlessCode: codes("rate\\w*"),
    when: ({ codes: said, status }) => said.includes("overloadederror") || status !== 429
  },
  {
    name: "anthropic/disabled",
    because: "A disabled organisation is refused as an invalid request; the key is not the matter.",
    tag: "PermissionDenied",
    text:
      /organization has been disabled|organization is disabled|credential is only authorized for use with|only allows? [\w -]{1,30} clients?/
  },
  {
    name: "anthropic/model",
    because: "not_found_error whose message is `model: name` names the unknown model.",
    tag: "ModelNotFound",
    code: codes("notfounderror"),
    text: /(?:^|\n| )model:/
  }
]
