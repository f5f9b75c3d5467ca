import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { Embedder } from "../../../domain/index/Embedder.js"
import * as Profile from "../../../domain/index/EmbedderProfile.js"
import * as EmbedderUse from "../../../domain/index/EmbedderUse.js"
import { StoreEmbedder } from "../../../domain/index/StoreEmbedder.js"
import * as EmbedderView from "../EmbedderView.js"
import { commandResult } from "../CommandResult.js"
import { paint } from "../Style.js"
import { withFoundApp } from "../provideLayers.js"

export const run = () =>
  withFoundApp(Effect.gen(function*() {
    const store = yield* StoreEmbedder
    const settings = Profile.of(yield* Embedder)
    const use = yield* store.find
    const headway = yield* store.headway
    const refused = Either.getLeft(EmbedderUse.admitted(use, settings))
    const json = {
      uses: Option.getOrNull(Option.map(use, ({ uses }) => EmbedderView.json(uses))),
      leaving: Option.match(use, { onNone: () => [], onSome: ({ leaving }) => leaving.map(EmbedderView.json) }),
      settings: EmbedderView.json(settings),
      fits: Option.isNone(refused),
      ...headway
    }
    return commandResult(json, (style) =>
      Option.match(use, {
        onNone:
          () => [`Nothing is indexed yet: the first index decides. The settings name ${EmbedderView.words(settings)}.`],
        onSome: (known) => [
          Option.getOrElse(EmbedderView.change(known, headway), () =>
            `The store uses ${EmbedderView.words(known.uses)}.`),
          ...(EmbedderUse.isChanging(known)
            ? [paint(style, "faint", "  It goes on with these settings: holdfast embedder set, or holdfast worker")]
            : []),
          ...Option.match(refused, {
            onNone: () => [],
            onSome: ({ came }) => [`The settings name ${EmbedderView.words(came)}.`]
          })
        ]
      }))
  }))
