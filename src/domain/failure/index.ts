/** `holdfast/failure`: what a failure is and what follows from it, with nothing but effect and no database. */
export { classify, recognise } from "./classify.js"
export { Action, consequence, loneRequest } from "./Consequence.js"
export type {
  ChargedTo,
  ChatSession,
  Consequence,
  ExitCode,
  LogLevel,
  LoneRequest,
  ReportPolicy
} from "./Consequence.js"
export * from "./Failure.js"
export { fromLine, fromText } from "./FailureLine.js"
export { detail, scrub } from "./scrub.js"
export { userMessage } from "./UserMessage.js"
export type { Auth, Recognised, Surface, TransportError, WireFailure } from "./WireFailure.js"
export { CallContext } from "./CallContext.js"
export { retryRequest, withinRequest } from "./RetryRequest.js"
export * as RetryPolicy from "../retry/RetryPolicy.js"
