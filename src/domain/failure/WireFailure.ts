/** What a provider is called where nobody named it. */
export const unnamed = "provider"

/** What was called: a chat turn or an embedding. */
export type Surface = "chat" | "embed"

/** How the provider authenticates. Only `session` makes a 401 our own login's end. */
export type Auth = "session" | "key" | "none"

/** One link of a transport error's cause chain, outermost first, as strings: `code` is e.g. `ECONNREFUSED`. */
export interface TransportError {
  readonly name?: string
  readonly code?: string
  readonly message?: string
}

/**
 * A failure as the wire showed it, before anyone judged it. Adapters build it at the edge; `classify` is its only reader.
 * `body` is the whole text as received; `headers` have lower-case names; a 2xx with a body is a failure inside a success.
 * `now` is the moment of receipt in epoch milliseconds, against which HTTP dates and reset times are read.
 */
export interface WireFailure {
  readonly provider: string
  readonly surface: Surface
  readonly auth: Auth
  readonly model?: string
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly transport?: ReadonlyArray<TransportError>
  /** Set where our own clock ended the call, in milliseconds. */
  readonly timedOutAfter?: number
  /** Set where a 2xx decoded but broke the contract, in plain words: "expected 32 vectors, got 31". */
  readonly contract?: string
  /** Set where a setting of ours is what is wrong, by its key; `contract` says how it does not fit. */
  readonly setting?: string
  /** True where the answer had begun as a stream. */
  readonly streaming?: boolean
  readonly now?: number
}

/** What `classify` found: the rule's name goes to logs and to `holdfast explain`. */
export interface Recognised<A> {
  readonly failure: A
  readonly rule: string
  readonly because: string
}
