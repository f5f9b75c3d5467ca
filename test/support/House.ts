import * as Duration from "effect/Duration"
import * as Layer from "effect/Layer"
import * as Fingerprint from "../../src/adapters/crypto/Fingerprint.js"
import * as Gates from "../../src/adapters/postgres/gates/Gates.js"
import * as Pacer from "../../src/adapters/postgres/gates/Pacer.js"
import * as Reconciler from "../../src/adapters/postgres/index/Reconciler.js"
import * as StoreEmbedder from "../../src/adapters/postgres/embedder/StoreEmbedder.js"
import * as Maintenance from "../../src/adapters/postgres/maintenance/Maintenance.js"
import * as WakeUps from "../../src/adapters/postgres/jobs/WakeUps.js"
import * as WorkerLock from "../../src/adapters/postgres/jobs/WorkerLock.js"
import { JobKinds } from "../../src/domain/job/JobKinds.js"
import { Tenant } from "../../src/domain/store/Tenant.js"
import { IndexSettings } from "../../src/programs/flows/index/IndexSettings.js"
import { WorkerSettings } from "../../src/programs/flows/work/WorkerLoop.js"
import { freshTenant, stores } from "./Indexing.js"
import { scripted } from "./ScriptedEmbedder.js"
import type { Options, Script } from "./ScriptedEmbedder.js"

/** All that a flow needs, for one tenant of a test's database, with an embedder that does what a script says. */

const all = Layer.mergeAll(
  stores,
  StoreEmbedder.layer,
  Gates.layer,
  Pacer.layer,
  Reconciler.layer,
  Maintenance.layer,
  WakeUps.layer,
  WorkerLock.layer,
  Fingerprint.layer,
  JobKinds.layer
)

/** How the worker works, and how it indexes, where the test does not say. */
export const settings = (
  { batchSize = 4, ...given }: Partial<WorkerSettings["Type"] & IndexSettings["Type"]> = {}
) =>
  Layer.merge(
    Layer.succeed(IndexSettings, { batchSize }),
    Layer.succeed(WorkerSettings, {
      workers: 1,
      leaseDuration: Duration.minutes(1),
      pollInterval: Duration.seconds(5),
      stallAfter: Duration.hours(1),
      timeSlice: Duration.minutes(1),
      grace: Duration.seconds(10),
      ...given
    })
  )

/** A house of its own tenant unless one is named; `work` makes another worker of it. */
export const house = (played: Script, options: Options = {}, tenant = freshTenant(), work = settings()) => {
  const own = Layer.succeed(Tenant, tenant)
  return Layer.mergeAll(all, scripted(played, options), work, own)
}
