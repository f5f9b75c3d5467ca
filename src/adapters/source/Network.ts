import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { lookup } from "node:dns"
import type { LookupAddress } from "node:dns"
import * as Address from "./Address.js"

/** The name has no address, or nobody could be asked. */
export class NameUnknown extends Data.TaggedError("NameUnknown")<{ readonly host: string }> {}

/** What the reader needs to know of the network before it connects. */
export interface Addresses {
  /** All addresses of a name, as the machine resolves it. */
  readonly resolve: (host: string) => Effect.Effect<ReadonlyArray<LookupAddress>, NameUnknown>
  /** Whether a redirect may lead there. */
  readonly isPublic: (address: string) => boolean
}

const resolve = (host: string) =>
  Effect.async<ReadonlyArray<LookupAddress>, NameUnknown>((resume) => {
    lookup(host, { all: true }, (error, addresses) => {
      resume(
        error === null && addresses.length > 0 ? Effect.succeed(addresses) : Effect.fail(new NameUnknown({ host }))
      )
    })
  })

/** Replaced by tests that need names and public addresses without leaving the machine. */
export class Network extends Context.Reference<Network>()("holdfast/SourceNetwork", {
  defaultValue: (): Addresses => ({ resolve, isPublic: Address.isPublic })
}) {}
