import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Progress } from "../job/Job.js"
import type { EnqueueRequest, Held } from "../job/JobQueue.js"
import { SourceKind } from "./SourceRef.js"
import type { SourceRef } from "./SourceRef.js"

/** The kind of job that brings a source's items through the embedder. */
export const kind = "index"

/** What an index job is asked to do. */
export const Payload = Schema.Struct({ source: Schema.Struct({ kind: SourceKind, id: Schema.NonEmptyString }) })

/** What of a source a job is about. */
export type Source = Pick<SourceRef, "kind" | "id">

/** A claimed index job, and its source. */
export interface HeldSource extends Held {
  readonly source: Source
}

/** At most one open index job for each source. */
export const keyOf = ({ id, kind: of }: Source): string => `${of}/${id}`

const isPayload = Schema.decodeUnknownOption(Payload)

/** The source of a job; none for a job of another kind. */
export const sourceOf = (job: { readonly kind: string; readonly payload: unknown }): Option.Option<Source> =>
  job.kind === kind ? Option.map(isPayload(job.payload), ({ source }) => source) : Option.none()

/** An index job that is wanted. */
export interface Wish {
  readonly source: Source
  /** Of the embedder that the store uses: its gate and cooldown hold the job back. */
  readonly provider: string
  readonly maxAttempts: number
  /** The source's revision: a running job runs once more where it differs. */
  readonly revision: string | null
  /** All is to be embedded anew: a running job runs once more. */
  readonly force: boolean
}

/** The same for the queue. */
export const request = (
  { force, maxAttempts, provider, revision, source: { id, kind: of } }: Wish
): EnqueueRequest => ({
  kind,
  ifRunning: force ? "again" : "again-if-changed",
  ifOver: "open-another",
  jobs: [{
    key: keyOf({ kind: of, id }),
    payload: { source: { kind: of, id } },
    version: revision,
    provider,
    // A session has its provider's name, where nothing else says how the embedder signs in.
    session: provider,
    priority: 0,
    maxAttempts,
    runAt: null,
    trace: null
  }]
})

/** Items of the source: those that have their vectors by a call (`embedded`) or without (`reused`), and those left out (`refused`). */
export interface ItemCounts {
  readonly items: number
  readonly embedded: number
  readonly reused: number
  readonly refused: number
}

/** The counts as a job's progress: an item is done when it needs nothing more. */
export const toProgress = ({ embedded, items, refused, reused }: ItemCounts): Progress =>
  new Progress({ done: embedded + reused + refused, total: items, detail: { embedded, reused, refused } }, {
    disableValidation: true
  })

/** The counts of a job's progress. */
export const countsOf = ({ detail, total }: Progress): ItemCounts => ({
  items: total,
  embedded: detail["embedded"] ?? 0,
  reused: detail["reused"] ?? 0,
  refused: detail["refused"] ?? 0
})
