import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { CatalogName, CatalogStore } from "../../../domain/catalog/CatalogStore.js"
import type { CatalogItem } from "../../../domain/catalog/CatalogStore.js"
import type { Description } from "../../../domain/catalog/Description.js"
import * as OpenApi from "../../../domain/catalog/OpenApi.js"
import * as Operation from "../../../domain/catalog/Operation.js"
import type { CatalogProblem, SourceProblem } from "../../../domain/catalog/CatalogProblem.js"
import { SourceReader } from "../../../domain/catalog/SourceReader.js"
import * as Storable from "../../../domain/text/Storable.js"
import type { Embedder } from "../../../domain/index/Embedder.js"
import type { EmbedderMismatch } from "../../../domain/index/EmbedderUse.js"
import type { StoreEmbedder } from "../../../domain/index/StoreEmbedder.js"
import type { Enqueued } from "../../../domain/job/JobQueue.js"
import * as MaxAttempts from "../../../domain/job/MaxAttempts.js"
import type { RequestProblem } from "../../../domain/request/RequestProblem.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import * as Tenants from "../../../domain/store/Tenant.js"
import type { Tenant } from "../../../domain/store/Tenant.js"
import { adopted } from "./Admission.js"

/** The name cannot be used for this catalog. */
export class NameProblem extends Schema.TaggedError<NameProblem>()("NameProblem", {
  name: Schema.String,
  reason: Schema.Literal("malformed", "taken"),
  holder: Schema.String
}) {
  override get message(): string {
    return this.reason === "malformed"
      ? `"${this.name}" cannot be a catalog's name: use up to 100 lower-case letters, digits, ".", "_" and "-".`
      : `The name "${this.name}" belongs to ${this.holder} already. Give --name ${this.name} to replace it, or another name.`
  }
}

export interface IndexCatalogRequest {
  /** A path, or an http(s) address. */
  readonly location: string
  /** Made from the document's title where it is not given. */
  readonly name?: string | undefined
  /** Embed all anew, also what is stored already. Default false. */
  readonly force?: boolean | undefined
  /** Ask again for the items that were refused, and for nothing that is stored. Default false. */
  readonly retryRefused?: boolean | undefined
  /** Tries before the job fails for good. Default: what the settings say, else 5. */
  readonly maxAttempts?: number | undefined
}

/** The catalog that a description became, and its index job. */
export interface IndexedCatalog {
  readonly catalog: CatalogName
  readonly job: Enqueued
  readonly items: number
  /** Sentences about parts of the description that were read otherwise than they stand. */
  readonly warnings: ReadonlyArray<string>
}

/** What may be wrong with a description, its location, its name, the request, or the store. */
export type IndexCatalogError =
  | SourceProblem
  | CatalogProblem
  | NameProblem
  | RequestProblem
  | EmbedderMismatch
  | StoreFailure

const toItem = (operation: Operation.Operation): CatalogItem => ({
  id: operation.id,
  method: operation.method,
  path: operation.path,
  summary: operation.summary === "" ? Storable.cut(operation.description, 200) : operation.summary,
  text: Operation.text(operation),
  lexical: Operation.lexical(operation)
})

/** A name from a title or a file: lower case, other characters as dashes. */
export const nameFrom = (title: string, location: string): string => {
  const slug = (text: string) =>
    text.normalize("NFKD").toLowerCase().replace(/[^a-z0-9._]+/g, "-").replace(/^[-._]+|[-._]+$/g, "").slice(0, 60)
  const file = location.split(/[\\/]/).at(-1)?.replace(/\.(json|ya?ml)$/i, "") ?? ""
  return [slug(title), slug(file)].find((name) => name !== "") ?? "catalog"
}

const named = (name: string) =>
  Option.match(Schema.decodeOption(CatalogName)(name), {
    onNone: () => Effect.fail(new NameProblem({ name, reason: "malformed", holder: "" })),
    onSome: (valid) => Effect.succeed(valid)
  })

/** A name that nobody gave must not replace a catalog that came from elsewhere. */
const free = Effect.fnUntraced(function*(name: CatalogName, location: string) {
  const store = yield* CatalogStore
  const holder = yield* Effect.option(store.find(name))
  if (Option.isSome(holder) && holder.value.location !== location) {
    return yield* new NameProblem({ name, reason: "taken", holder: holder.value.location })
  }
})

/** An API description that was read, and the name that was given for it. */
export interface ReadCatalog {
  readonly name: Option.Option<CatalogName>
  readonly location: string
  readonly revision: string
  readonly description: Description
}

/** Read an API description. Needs no store, so that input which is no use is refused before one is opened. */
export const readCatalog = Effect.fn("IndexCatalog.readCatalog")(
  function*({ location, name }: Pick<IndexCatalogRequest, "location" | "name">) {
    const reader = yield* SourceReader
    const given = yield* Effect.transposeMapOption(Option.fromNullable(name), named)
    const source = yield* reader.read(location)
    const description = yield* OpenApi.operations(source.document, source.location)
    return { name: given, location: source.location, revision: source.revision, description } satisfies ReadCatalog
  }
)

/**
 * Store the operations of a description and enqueue their index job: all of it, or nothing. The first one decides which embedder
 * the store uses; where it uses another one, this fails with EmbedderMismatch.
 */
export const enqueueCatalog = Effect.fn("IndexCatalog.enqueueCatalog")(
  function*(
    { description, location, name: given, revision }: ReadCatalog,
    { force = false, maxAttempts: tries, retryRefused = false }: Pick<
      IndexCatalogRequest,
      "force" | "maxAttempts" | "retryRefused"
    >
  ): Effect.fn.Return<
    IndexedCatalog,
    NameProblem | RequestProblem | EmbedderMismatch | StoreFailure,
    CatalogStore | Embedder | StoreEmbedder | Tenant
  > {
    yield* Tenants.own
    const maxAttempts = yield* MaxAttempts.asked(tries)
    const store = yield* CatalogStore
    const { provider } = yield* adopted
    const name = yield* Option.match(given, {
      onSome: (chosen) => Effect.succeed(chosen),
      onNone: () => Effect.tap(named(nameFrom(description.title, location)), (made) => free(made, location))
    })
    const job = yield* store.put({
      name,
      location,
      title: description.title,
      version: description.version,
      revision,
      items: description.operations.map(toItem)
    }, { provider, maxAttempts, force, retryRefused })
    return { catalog: name, job, items: description.operations.length, warnings: description.warnings }
  }
)

/** Read an API description, store its operations and enqueue their index job: all of it, or nothing. */
export const indexCatalog = Effect.fn("IndexCatalog.indexCatalog")((
  request: IndexCatalogRequest
): Effect.Effect<IndexedCatalog, IndexCatalogError, SourceReader | CatalogStore | Embedder | StoreEmbedder | Tenant> =>
  MaxAttempts.asked(request.maxAttempts).pipe(
    Effect.zipRight(readCatalog(request)),
    Effect.flatMap((read) => enqueueCatalog(read, request))
  )
)
