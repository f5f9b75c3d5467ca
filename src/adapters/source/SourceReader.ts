import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { SourceProblem } from "../../domain/catalog/CatalogProblem.js"
import { Document } from "../../domain/catalog/Document.js"
import { SourceReader } from "../../domain/catalog/SourceReader.js"
import type { SourceDocument } from "../../domain/catalog/SourceReader.js"
import * as Storable from "../../domain/text/Storable.js"
import * as Content from "./Content.js"
import * as FileSource from "./FileSource.js"
import * as Location from "./Location.js"
import * as UrlSource from "./UrlSource.js"

const fromUrl = Effect.fnUntraced(function*(typed: string) {
  const url = yield* Location.url(typed)
  const { addresses, at, bytes, location, revision } = yield* UrlSource.read(url)
  const { repeated, root } = yield* Content.document(at, bytes)
  const document = new Document(root, { repeated, addresses })
  return { location, kind: "url", document, bytes: bytes.byteLength, revision } satisfies SourceDocument
})

const fromFile = Effect.fnUntraced(function*(typed: string) {
  const { absolute, addresses, bytes, location, revision } = yield* FileSource.read(typed)
  const { repeated, root } = yield* Content.document(location, bytes)
  const document = new Document(root, { repeated, addresses })
  return {
    location: Storable.clean(absolute),
    kind: "file",
    document,
    bytes: bytes.byteLength,
    revision
  } satisfies SourceDocument
})

const readEither = (
  location: string
): Effect.Effect<SourceDocument, SourceProblem, FileSystem.FileSystem | Path.Path> =>
  Location.isUrl(location.trim()) ? fromUrl(location.trim()) : fromFile(location)

/** Reads files and http(s) URLs within the `SourceSettings` that the layer is built with. */
export const layer: Layer.Layer<SourceReader, never, FileSystem.FileSystem | Path.Path> = Layer.effect(
  SourceReader,
  Effect.gen(function*() {
    const context = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
    return SourceReader.of({
      read: Effect.fn("SourceReader.read")(function*(location: string) {
        return yield* Effect.provide(readEither(location), context)
      })
    })
  })
)
