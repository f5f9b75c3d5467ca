import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Profile from "./EmbedderProfile.js"
import { EmbedderProfile } from "./EmbedderProfile.js"

/**
 * Which embedder a store uses, and which ones it is moving away from.
 *
 *     none --first index--> uses A --change B--> uses B, leaving A --every source has moved--> uses B
 *
 * Only a person changes it. Work is done for the one that is used; whoever comes with another one does nothing, so that two
 * workers with different settings never undo each other. What those that are left have made serves each source until it has
 * moved, and is kept until all have: a change back on the way finds it.
 *
 * The size of chunks belongs to it, and changes in the same way. Re-cutting in place would be shorter, but a source would be
 * served by a mixture meanwhile, and a worker with the old setting would cut back what another one had just cut anew.
 */
export interface EmbedderUse {
  readonly uses: EmbedderProfile
  /** Newest first; empty where no change is under way. */
  readonly leaving: ReadonlyArray<EmbedderProfile>
}

/** The store with this embedder asked for: the same answer as often as it is asked. */
export const changed = (before: Option.Option<EmbedderUse>, to: EmbedderProfile): EmbedderUse =>
  Option.match(before, {
    onNone: () => ({ uses: to, leaving: [] }),
    onSome: ({ leaving, uses }) => {
      if (Profile.matches(uses, to)) return { uses: Profile.completed(uses, to), leaving }
      const known = leaving.find((one) => Profile.matches(one, to))
      return {
        uses: known === undefined ? to : Profile.completed(to, known),
        leaving: [uses, ...leaving.filter((one) => !Profile.matches(one, to))]
      }
    }
  })

/** Whether sources are still to be moved, or what they had is still to be removed. */
export const isChanging = ({ leaving }: EmbedderUse): boolean => leaving.length > 0

/** The settings name another embedder than the store uses. Nothing was done. */
export class EmbedderMismatch extends Schema.TaggedError<EmbedderMismatch>()("EmbedderMismatch", {
  uses: EmbedderProfile,
  came: EmbedderProfile,
  isLeft: Schema.Boolean
}) {
  override get message(): string {
    const store = this.isLeft ? "This store is moving to" : "This store uses"
    return `${store} ${Profile.describe(this.uses)}, the settings name ${
      Profile.describe(this.came)
    }: set embedder.* as the store has it, or move the store with "holdfast embedder set".`
  }
}

/**
 * Whether this embedder may work for the store: pure and total. Answers its profile, with the dimension where either side knows
 * it. Everyone may as long as nothing was indexed.
 */
export const admitted = (
  use: Option.Option<EmbedderUse>,
  came: EmbedderProfile
): Either.Either<EmbedderProfile, EmbedderMismatch> =>
  Option.match(use, {
    onNone: () => Either.right(came),
    onSome: ({ leaving, uses }) =>
      Profile.matches(uses, came)
        ? Either.right(Profile.completed(uses, came))
        : Either.left(
          new EmbedderMismatch({ uses, came, isLeft: leaving.some((one) => Profile.matches(one, came)) })
        )
  })
