import { CallContext, classify, consequence } from "holdfast/failure"

const failure = classify({
  provider: "example",
  surface: "chat",
  auth: "key",
  status: 429,
  headers: { "retry-after": "7" },
  body: "Too many requests"
})
const { action, userMessage } = consequence(failure, CallContext.Request({ malformedTries: 0 }))
process.stdout.write(`${failure._tag}: ${action._tag}. ${userMessage}\n`)
