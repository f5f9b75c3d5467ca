import * as Data from "effect/Data"

/** The work that met a failure, as far as the consequence depends on it. */
export type CallContext = Data.TaggedEnum<{
  /**
   * A call of `texts` texts within an embedding job. `neighbours` tells of the other texts of a bisected batch: `unknown` where
   * there are none, `served` where some were served or are still to be asked, `refused` where each was refused by itself.
   */
  Embed: {
    readonly texts: number
    readonly malformedTries: number
    readonly neighbours: "unknown" | "served" | "refused"
    readonly canShorten: boolean
    /** Whether the provider embeds a short text that every model takes, asked after the failure. */
    readonly provider: "not-asked" | "answers" | "down"
    /** Whether the provider was there in this pass, before or at the failure: it served a text, or took one and hung up. */
    readonly wasThere: boolean
  }
  /** A scheduled agent run. */
  Agent: { readonly malformedTries: number }
  /** One turn in a chat thread. */
  Chat: { readonly malformedTries: number }
  /** One request by itself, e.g. embedding a search question. */
  Request: { readonly malformedTries: number }
}>
export const CallContext = Data.taggedEnum<CallContext>()
