/**
 * holdfast as a library: layers to compose into a service, the flows that run on them, and the ports for adapters of your own.
 * `holdfast/failure` is the part that needs no database: what a failure is and what follows from it.
 */

// Layers: App is all of them, on the settings that are given.
export * as Settings from "./Settings.js"
export {
  App,
  Chat,
  Database,
  Embedding,
  Kinds,
  MemoryDatabase,
  Sha256,
  Sources,
  Stores,
  StoresInMemory,
  Tenancy,
  Work
} from "./Wiring.js"

// What one does with them.
export { enqueueInTransaction } from "../adapters/postgres/index/enqueueInTransaction.js"
export type { IndexJobRequest } from "../adapters/postgres/index/enqueueInTransaction.js"
export { indexCatalog, NameProblem } from "./flows/index/IndexCatalog.js"
export type { IndexCatalogError, IndexCatalogRequest, IndexedCatalog } from "./flows/index/IndexCatalog.js"
export { reconcile } from "./flows/index/Reconcile.js"
export { search } from "./flows/search/Search.js"
export type { SearchError, SearchRequest } from "./flows/search/Search.js"
export { IndexSettings } from "./flows/index/IndexSettings.js"
export { work, workOn } from "./flows/index/IndexWorker.js"

// Work of your own: kinds of jobs, and the workers that run them.
export * as JobKind from "../domain/job/JobKind.js"
export { JobKinds } from "../domain/job/JobKinds.js"
export type { RunnableKind } from "../domain/job/JobKinds.js"
export { Ended, JobFailed } from "../domain/job/Run.js"
export type { HandlerFailure, Run } from "../domain/job/Run.js"
export { StepProblem } from "../domain/job/Step.js"
export type { NewStep, Step } from "../domain/job/Step.js"
export * as Jobs from "./flows/work/Jobs.js"
export { prune } from "./flows/work/Maintain.js"
export * as Worker from "./flows/work/Worker.js"
export { WorkerSettings } from "./flows/work/WorkerLoop.js"

// What may go wrong.
export { CatalogProblem, SourceProblem } from "../domain/catalog/CatalogProblem.js"
export { Failure } from "../domain/failure/Failure.js"
export { LeaseLost } from "../domain/lease/Lease.js"
export { RequestProblem } from "../domain/request/RequestProblem.js"
export { GateShut } from "../domain/session/Gate.js"
export { StoreFailure } from "../domain/store/StoreFailure.js"
export { SettingsProblem } from "./settings/resolve.js"

// Catalogs: descriptions and what is stored of them.
export { Catalog, CatalogName, CatalogNotFound, CatalogStore, NoCatalogs } from "../domain/catalog/CatalogStore.js"
export type { CatalogItem, IndexRequest, NewCatalog } from "../domain/catalog/CatalogStore.js"
export { Document } from "../domain/catalog/Document.js"
export type { Origin, Repeated } from "../domain/catalog/Document.js"
export { SourceReader } from "../domain/catalog/SourceReader.js"
export type { SourceDocument } from "../domain/catalog/SourceReader.js"

// Embedding and search.
export { Embedder } from "../domain/index/Embedder.js"
export type { Probe } from "../domain/index/Embedder.js"
export { EmbedderConfig, EmbedderKind } from "../domain/index/EmbedderConfig.js"
export { EmbedderProfile } from "../domain/index/EmbedderProfile.js"
export { EmbedderMismatch } from "../domain/index/EmbedderUse.js"
export type { EmbedderUse } from "../domain/index/EmbedderUse.js"
export { OtherEmbedders } from "../domain/index/OtherEmbedders.js"
export { StoreEmbedder } from "../domain/index/StoreEmbedder.js"
export { Fingerprint } from "../domain/index/Fingerprint.js"
export { IndexStore } from "../domain/index/IndexStore.js"
export type { HeldSource, Source } from "../domain/index/IndexJob.js"
export { Reconciler } from "../domain/index/Reconciler.js"
export type { Opening, ServedSpace } from "../domain/index/Reconciler.js"
export { Refusal, SourceKind, SourceRef } from "../domain/index/SourceRef.js"
export type { Batch, IndexedItem, NewVector, PendingItem, VectorSpace } from "../domain/index/IndexStore.js"
export { check as checkVectors } from "../domain/index/Vector.js"
export type { Expected as ExpectedVectors, Vector } from "../domain/index/Vector.js"
export { SearchAnswer, SearchHit, SearchMode } from "../domain/search/Query.js"
export { SearchIndex } from "../domain/search/SearchIndex.js"
export type { LegHit, SearchFilter } from "../domain/search/SearchIndex.js"

// Chat: providers, and histories that none of them refuses.
export * as Answer from "../domain/chat/Answer.js"
export { ChatConfig, ChatKind } from "../domain/chat/ChatConfig.js"
export { ChatProvider, FinishReason, Part, Usage } from "../domain/chat/ChatProvider.js"
export type { ChatRequest, Parameters, Tool } from "../domain/chat/ChatProvider.js"
export * as History from "../domain/chat/History.js"
export * as Message from "../domain/chat/Message.js"
export { Turn, TurnStatus } from "../domain/chat/Turn.js"
export * as Window from "../domain/chat/Window.js"

// Jobs, leases, and what they wait for.
export { Job, JobId, JobStatus, LastError, Progress } from "../domain/job/Job.js"
export type { Behind } from "../domain/job/Job.js"
export { JobNotFound, JobQueue, JobStateConflict } from "../domain/job/JobQueue.js"
export type {
  Ask,
  Claimed,
  ClaimRequest,
  Enqueued,
  EnqueueRequest,
  Held,
  IfOver,
  IfRunning,
  JobFilter,
  NewJob,
  Settled
} from "../domain/job/JobQueue.js"
export { MaxAttempts } from "../domain/job/MaxAttempts.js"
export { Outcome } from "../domain/job/Outcome.js"
export { Maintenance } from "../domain/job/Maintenance.js"
export { WakeUps } from "../domain/job/WakeUps.js"
export { Fence, Lease, WorkerId } from "../domain/lease/Lease.js"
export type { Claimable, Wanted } from "../domain/lease/Wanted.js"
export { WorkerLock } from "../domain/lease/WorkerLock.js"
export type { LivingWorker, Registered } from "../domain/lease/WorkerLock.js"
export { Grant, Pacer } from "../domain/retry/Pacer.js"
export { ClosedGate, GateKind, GateReason, GateRef } from "../domain/session/Gate.js"
export { Gates } from "../domain/session/Gates.js"
export type { Cooldown } from "../domain/session/Gates.js"
export { Reporter } from "../domain/failure/Reporter.js"
export type { Incident } from "../domain/failure/Reporter.js"
export { Tenant } from "../domain/store/Tenant.js"
