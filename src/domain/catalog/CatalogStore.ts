import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Job } from "../job/Job.js"
import type { Enqueued } from "../job/JobQueue.js"
import type { StoreFailure } from "../store/StoreFailure.js"
import type { Tenant } from "../store/Tenant.js"
import * as Storable from "../text/Storable.js"

/** A catalog's name: what `--catalog` takes. */
export const CatalogName = Schema.String.pipe(
  Schema.pattern(/^[a-z0-9][a-z0-9._-]{0,99}$/),
  Schema.brand("CatalogName")
)
export type CatalogName = typeof CatalogName.Type

/** One operation as it is stored: its text is embedded, `lexical` feeds the full-text index by weight. */
export interface CatalogItem {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly summary: string
  readonly text: string
  readonly lexical: { readonly a: string; readonly b: string; readonly c: string }
}

export interface NewCatalog {
  readonly name: CatalogName
  readonly location: string
  readonly title: string
  readonly version: string
  /** SHA-256 of the document, in hex: the source's revision. */
  readonly revision: string
  readonly items: ReadonlyArray<CatalogItem>
}

/** A catalog as an operator sees it. */
export class Catalog extends Schema.Class<Catalog>("Catalog")({
  name: CatalogName,
  location: Schema.String,
  title: Schema.String,
  version: Schema.String,
  revision: Schema.String,
  items: Schema.Int,
  /** Items with vectors of their present text in the space that serves. */
  indexed: Schema.Int,
  refused: Schema.Int,
  model: Schema.OptionFromNullOr(Schema.String),
  dimension: Schema.OptionFromNullOr(Schema.Int),
  updatedAt: Schema.DateTimeUtc,
  /** The newest job of this catalog. */
  job: Schema.OptionFromNullOr(Job)
}) {}

export class CatalogNotFound extends Schema.TaggedError<CatalogNotFound>()("CatalogNotFound", {
  name: Schema.String,
  /** The catalog that is called almost so, if there is one. */
  nearest: Schema.optional(Schema.String)
}) {
  override get message(): string {
    const name = Storable.cut(Storable.shown(this.name), 100)
    const meant = this.nearest === undefined ? "" : ` Did you mean "${this.nearest}"?`
    return `There is no catalog "${name}".${meant} "holdfast catalogs list" shows all, "holdfast index <file|url>" adds one.`
  }
}

/** There is nothing to ask: this tenant has no catalog at all. */
export class NoCatalogs extends Schema.TaggedError<NoCatalogs>()("NoCatalogs", { tenant: Schema.String }) {
  override get message(): string {
    const tenant = Storable.cut(Storable.shown(this.tenant), 100)
    return `The tenant "${tenant}" has no catalogs yet; "holdfast index <file|url>" adds one.`
  }
}

/** How the job of a stored catalog is to run. */
export interface IndexRequest {
  readonly provider: string
  readonly maxAttempts: number
  readonly force: boolean
  /** Ask again for the items that were refused, which stay left out otherwise. Default false. */
  readonly retryRefused?: boolean
}

export class CatalogStore extends Context.Tag("holdfast/CatalogStore")<CatalogStore, {
  /** Store the catalog's operations and enqueue its index job, in one transaction. */
  readonly put: (catalog: NewCatalog, request: IndexRequest) => Effect.Effect<Enqueued, StoreFailure, Tenant>
  readonly list: Effect.Effect<ReadonlyArray<Catalog>, StoreFailure, Tenant>
  readonly find: (name: string) => Effect.Effect<Catalog, StoreFailure | CatalogNotFound, Tenant>
  /** Remove the catalog, its vectors and its open job. */
  readonly remove: (name: string) => Effect.Effect<void, StoreFailure | CatalogNotFound, Tenant>
}>() {}
