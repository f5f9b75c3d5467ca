import { codes, statusIs } from "../Rule.js"
import type { Rule } from "../Rule.js"

/** `{error:{message,type,param,code}}` and what OpenAI, Azure, OpenRouter, xAI, Groq and GitHub put into it. */
export const rules: ReadonlyArray<Rule> = [
  {
    name: "openai/flagged-prompt",
    because: "invalid_prompt is also OpenAI's code for a prompt that its usage policy flags.",
    tag: "ContentFiltered",
    code: codes("invalidprompt|cyberpolicyviolation"),
    text: /flagged|violat|usage polic|limited access/
  },
  {
    name: "openai/verification",
    because: "OpenAI answers 404 or 400 to organisations that must be verified first: a right, not the model.",
    tag: "PermissionDenied",
    text: /must be verified to|organization must be verified|verify organization/
  },
  {
    name: "openai/scope",
    because: "A restricted key lacks scopes: OpenAI says so with a 401 or 403.",
    tag: "PermissionDenied",
    code: codes("missingscope")
  },
  {
    name: "openai/access-terminated",
    because: "The account was closed for violations: neither key nor money.",
    tag: "PermissionDenied",
    code: codes("accessterminated(?:error)?|policyviolation"),
    text: /terminat|currently only available|access/
  },
  {
    name: "openrouter/moderation",
    because: "OpenRouter's 403 carries the moderator's reasons in metadata.",
    tag: "ContentFiltered",
    field: /(?:^|\.)metadata\.(?:reasons|flagged_input|flagged_categories)=/
  },
  {
    name: "openrouter/data-policy",
    because: "No endpoint is left because the account's privacy or provider settings exclude them all.",
    tag: "PermissionDenied",
    text:
      /no endpoints (?:found|available) matching your (?:data policy|guardrail)|no allowed providers are available|all providers have been ignored/
  },
  {
    name: "openrouter/feature",
    because: "Endpoints of this model exist, none of them can do what was asked.",
    tag: "InvalidRequest",
    text: /no endpoints found that (?:support|can handle)/
  },
  {
    name: "openai/server-fault",
    because: "OpenAI and Groq excuse their own faults in these words, under any type.",
    tag: "ProviderUnavailable",
    text:
      /the server had an error (?:while )?processing your request|error processing your request\. sorry|an error occurred while processing your request/
  },
  {
    name: "openai/slow-down",
    because: "OpenAI's 503 `Slow Down` is about its own reliability.",
    tag: "ProviderUnavailable",
    status: statusIs(503),
    code: codes("slowdown")
  },
  {
    name: "cerebras/queue",
    because: "queue_exceeded is Cerebras' own queue at high traffic; the account's limits have codes of their own.",
    tag: "ProviderUnavailable",
    code: codes("queueexceeded")
  },
  {
    name: "azure/operation",
    because: "The deployment exists and its model cannot do this operation.",
    tag: "InvalidRequest",
    code: codes("operationnotsupported")
  },
  {
    name: "xai/spending",
    because: "xAI's error is a string, and its code a sentence: the team's credits or spending limit are used up.",
    tag: "BudgetExhausted",
    text: /run out of credits|used all available credits|reached its monthly spending limit|doesn't have any credits/
  }
]
