import { ProviderOptions } from "@effect/ai/Prompt"
import type { ProviderMetadata } from "@effect/ai/Response"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Proof } from "../../domain/chat/Message.js"

/**
 * What a provider wants back with its reasoning. LanguageModels hand it out as metadata of the reasoning's parts, and take the same as
 * options of the part that tells it again: a signature, a cipher or an id, which only the provider's own package can read.
 */

const Options = Schema.parseJson(ProviderOptions)
const decode = Schema.decodeOption(Options)

/** The metadata with more of it, which wins. What is not there, or null, says nothing. */
export const merge = (before: ProviderMetadata, more: ProviderMetadata): ProviderMetadata => {
  const merged: Record<string, Record<string, unknown> | undefined> = { ...before }
  for (const [name, values] of Object.entries(more)) {
    const told = Object.entries(values ?? {}).filter(([, value]) => value !== undefined && value !== null)
    if (told.length > 0) merged[name] = { ...merged[name], ...Object.fromEntries(told) }
  }
  return merged
}

/** The proof that this metadata is; none where it says nothing. Reasoning without words is a cipher. */
export const make = (metadata: ProviderMetadata, provider: string, worded: boolean): Proof | null =>
  Object.keys(metadata).length === 0
    ? null
    : { provider, kind: worded ? "signature" : "cipher", value: JSON.stringify(metadata) }

/** What the provider of this name wants back: none where the proof is another's, or not there. */
export const read = (proof: Proof | null, provider: string): Option.Option<ProviderOptions> =>
  proof?.provider === provider ? decode(proof.value) : Option.none()
