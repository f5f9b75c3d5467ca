import * as Schema from "effect/Schema"

/**
 * The closed set of failures. A failure is classified once, where the wire is read; from there on the failure alone decides
 * what follows (see Consequence). `detail` is already scrubbed and at most 300 characters long.
 */

const common = {
  /** The provider's name as configured, e.g. `openai`, `ollama`; gates and cooldowns are kept by this name. */
  provider: Schema.String,
  /** What the provider said: scrubbed of secrets and bounded, fit to be stored and shown. */
  detail: Schema.String.pipe(Schema.maxLength(300))
}

/** Where a connection broke. `certificate` is the one that will break again: the peer is not who it should be. */
export const NetworkPhase = Schema.Literal("dns", "connect", "certificate", "tls", "send", "receive", "unknown")
export type NetworkPhase = typeof NetworkPhase.Type

/** Our own back end's login lapsed: nobody's work on that session can go on until someone signs in. */
export class SessionExpired extends Schema.TaggedError<SessionExpired>()("SessionExpired", {
  ...common,
  session: Schema.String
}) {}

/** A bring-your-own key is wrong, missing or revoked. */
export class AuthenticationFailed extends Schema.TaggedError<AuthenticationFailed>()("AuthenticationFailed", common) {}

/** The key is fine; the action, the region or the terms are not. */
export class PermissionDenied extends Schema.TaggedError<PermissionDenied>()("PermissionDenied", common) {}

/** How long the provider asks to wait. `asked` is the wait as it was named, where that is longer than is waited at once. */
const wait = {
  retryAfter: Schema.optional(Schema.DurationFromMillis),
  asked: Schema.optional(Schema.DurationFromMillis)
}

/** Too many requests or tokens per time. `tooLarge`: this one request exceeds what the limit ever allows. */
export class RateLimited extends Schema.TaggedError<RateLimited>()("RateLimited", {
  ...common,
  ...wait,
  tooLarge: Schema.optional(Schema.Boolean)
}) {}

/** Balance, credit, quota, billing or plan is used up: time alone does not cure it unless `resetsAt` says so. */
export class BudgetExhausted extends Schema.TaggedError<BudgetExhausted>()("BudgetExhausted", {
  ...common,
  resetsAt: Schema.optional(Schema.DateTimeUtc)
}) {}

/** No answer arrived: DNS, connect, TLS, reset, hang-up. */
export class Network extends Schema.TaggedError<Network>()("Network", { ...common, phase: NetworkPhase }) {}

/** Our own limit passed, or the server answered 408 or 504. */
export class Timeout extends Schema.TaggedError<Timeout>()("Timeout", {
  ...common,
  after: Schema.optional(Schema.DurationFromMillis)
}) {}

/**
 * The provider is there but cannot serve now: 5xx, 529, overloaded, a model still loading. `permanent` where it said itself
 * that asking again is useless.
 */
export class ProviderUnavailable extends Schema.TaggedError<ProviderUnavailable>()("ProviderUnavailable", {
  ...common,
  ...wait,
  status: Schema.optional(Schema.Number),
  permanent: Schema.optional(Schema.Boolean)
}) {}

/** The model is unknown, retired or not pulled. `model` is empty where neither request nor answer names it. */
export class ModelNotFound extends Schema.TaggedError<ModelNotFound>()("ModelNotFound", {
  ...common,
  model: Schema.String
}) {}

/** The input is longer than the model takes. `limit` in tokens, where the provider names it. */
export class ContextLengthExceeded extends Schema.TaggedError<ContextLengthExceeded>()("ContextLengthExceeded", {
  ...common,
  limit: Schema.optional(Schema.Number)
}) {}

/** The provider refused the content by policy. */
export class ContentFiltered extends Schema.TaggedError<ContentFiltered>()("ContentFiltered", common) {}

/**
 * Any other request that will fail again unchanged. `setting` where one of ours makes every such request wrong, by its key,
 * e.g. `embedder.url`: no text is to blame.
 */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>()("InvalidRequest", {
  ...common,
  setting: Schema.optional(Schema.String)
}) {}

/** A 2xx that is not what the contract says: wrong count or dimension, NaN, HTML, a cut-off stream. */
export class MalformedResponse extends Schema.TaggedError<MalformedResponse>()("MalformedResponse", common) {}

/** A person, or a newer request, stopped it. */
export class Cancelled extends Schema.TaggedError<Cancelled>()("Cancelled", common) {}

/** The whole set; as a schema it is how a failure is stored and read back. */
export const Failure = Schema.Union(
  SessionExpired,
  AuthenticationFailed,
  PermissionDenied,
  RateLimited,
  BudgetExhausted,
  Network,
  Timeout,
  ProviderUnavailable,
  ModelNotFound,
  ContextLengthExceeded,
  ContentFiltered,
  InvalidRequest,
  MalformedResponse,
  Cancelled
)
export type Failure = typeof Failure.Type
export type FailureTag = Failure["_tag"]

/** True for a value of the closed set. */
export const isFailure = Schema.is(Failure)
