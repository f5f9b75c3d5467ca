import { codes } from "../Rule.js"
import type { Rule } from "../Rule.js"

/** How an answer ended, as its maker documents it: a failure though the status says success. Policy has its own (`policy/code`). */
export const rules: ReadonlyArray<Rule> = [
  {
    name: "ending/no-room",
    because:
      "The provider broke off for want of room or by its own fault (DeepSeek, Zhipu), and serves the same later.",
    tag: "ProviderUnavailable",
    code: codes(
      "finish:(?:insufficientsystemresources?|\\w*overload(?:ed)?|nocapacity|capacity\\w*|networkerror|serviceunavailable|resourceexhausted|servererror|internalerror|enginefailure)"
    )
  },
  {
    name: "ending/pace",
    because: "The answer ended at a limit per time.",
    tag: "RateLimited",
    code: codes("finish:(?:ratelimit(?:ed|reached|exceeded)?|throttled|toomanyrequests)")
  },
  {
    name: "ending/time",
    because: "The provider's own clock ended the answer.",
    tag: "Timeout",
    code: codes("finish:(?:timeout|timedout|deadlineexceeded|maxtimeexceeded)")
  },
  {
    name: "ending/malformed",
    because: "The model wrote what its provider could not read, and may write better next time (Gemini, Bedrock).",
    tag: "MalformedResponse",
    code: codes("finish:(?:malformed\\w+|unexpectedtoolcall|missingthoughtsignature|invalidtool\\w*)")
  }
]
