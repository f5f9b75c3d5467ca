import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { CatalogStore } from "../../../domain/catalog/CatalogStore.js"
import type { Catalog } from "../../../domain/catalog/CatalogStore.js"
import { isChanging } from "../../../domain/index/EmbedderUse.js"
import { StoreEmbedder } from "../../../domain/index/StoreEmbedder.js"
import type { Surroundings } from "../../../domain/job/WaitReason.js"
import { badge, sourceState } from "../../../domain/index/SourceState.js"
import type { SourceState } from "../../../domain/index/SourceState.js"
import { Settings } from "../../Settings.js"
import type { StoreMissing } from "../../../domain/store/StoreFailure.js"
import { around } from "../surroundings.js"
import * as EmbedderView from "../EmbedderView.js"
import * as JobView from "../JobView.js"
import { commandResult } from "../CommandResult.js"
import * as Style from "../Style.js"
import { withStores } from "../provideLayers.js"

interface Line {
  readonly catalog: Catalog
  readonly state: SourceState
  /** The command that makes it go on; none where nothing is to be done. */
  readonly next: Option.Option<string>
}

/** The error that explains the state; none where the state is fine. */
const errorOf = ({ catalog, state }: Line): Option.Option<string> =>
  state._tag === "Indexed" || state._tag === "Empty" || state._tag === "NotIndexed"
    ? Option.none()
    : Option.flatMap(catalog.job, JobView.errorLine)

const json = ({ catalog, next, state }: Line) => ({
  catalog: catalog.name,
  state: state._tag,
  words: badge(state).words,
  next: Option.getOrNull(next),
  items: catalog.items,
  indexed: catalog.indexed,
  refused: catalog.refused,
  model: Option.getOrNull(catalog.model),
  job: Option.getOrNull(Option.map(catalog.job, ({ id }) => id)),
  lastError: Option.getOrNull(Option.map(catalog.job, JobView.lastError))
})

const nextOf = (catalog: Catalog, state: SourceState, around: Surroundings): Option.Option<string> =>
  state._tag === "NotIndexed"
    ? Option.some(`holdfast index ${catalog.location} --name ${catalog.name}`)
    : Option.flatMap(catalog.job, (job) =>
      state._tag === "Failed"
        ? Option.some(`holdfast jobs retry ${job.id}`)
        : state._tag === "Refused"
        ? Option.some(`holdfast jobs show ${job.id}`)
        : JobView.moves(job, around))

const lineOf = (around: Surroundings) => (catalog: Catalog): Line => {
  const state = sourceState(catalog, around)
  return { catalog, state, next: nextOf(catalog, state, around) }
}

/** Where the catalogs were looked for. */
interface Place {
  readonly schema: string
  readonly tenant: string
}

const text = (lines: ReadonlyArray<Line>, { schema, tenant }: Place) => (style: Style.Style): ReadonlyArray<string> => {
  if (lines.length === 0) {
    return [
      `There are no catalogs yet. Looked in the schema ${schema}, for the tenant ${tenant}.`,
      "Add one: holdfast index <file|url>"
    ]
  }
  const heads = Style.columns(
    style,
    lines.map((line) => [Style.paint(style, "strong", line.catalog.name), Style.badge(style, badge(line.state))]),
    [0]
  )
  return lines.flatMap((line, at) => [
    heads[at] ?? "",
    ...Option.toArray(Option.map(errorOf(line), (error) => Style.prose(style, [["", Style.clean(error)]]))).flat(),
    ...Option.toArray(Option.map(line.next, (command) => Style.paint(style, "faint", `  → ${command}`)))
  ])
}

/** A change to another embedder that is under way. */
const change = Effect.gen(function*() {
  const store = yield* StoreEmbedder
  const use = Option.filter(yield* store.find, isChanging)
  if (Option.isNone(use)) return Option.none()
  const headway = yield* store.headway
  const { leaving, uses } = use.value
  return Option.map(EmbedderView.change(use.value, headway), (words) => ({
    words,
    json: { uses: EmbedderView.json(uses), leaving: leaving.map(EmbedderView.json), ...headway }
  }))
})

/** To have nothing yet is a state too. */
const noStore = ({ message }: StoreMissing) =>
  Effect.map(
    Settings,
    ({ databaseSchema: schema, tenant }) =>
      commandResult({ schema, tenant, catalogs: [], embedder: null }, () => [`There are no catalogs yet. ${message}`])
  )

export const run = () =>
  withStores(Effect.gen(function*() {
    const store = yield* CatalogStore
    const now = yield* around
    const lines = (yield* store.list).map(lineOf(now))
    const { databaseSchema: schema, tenant } = yield* Settings
    const moving = yield* change
    return commandResult(
      { schema, tenant, catalogs: lines.map(json), embedder: Option.getOrNull(Option.map(moving, ({ json }) => json)) },
      (
        style
      ) => [...text(lines, { schema, tenant })(style), ...Option.toArray(Option.map(moving, ({ words }) => words))]
    )
  })).pipe(Effect.catchTag("StoreMissing", noStore))
