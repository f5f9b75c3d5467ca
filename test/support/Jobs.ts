import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { Job, JobId, noProgress } from "../../src/domain/job/Job.js"
import type { Held } from "../../src/domain/job/JobQueue.js"
import type * as WaitReason from "../../src/domain/job/WaitReason.js"
import { Fence, WorkerId } from "../../src/domain/lease/Lease.js"
import type { LivingWorker } from "../../src/domain/lease/WorkerLock.js"

/** A job as it stands after its enqueue and after its claim, and the time and surroundings that its tests begin with. */

export const now = DateTime.unsafeMake("2026-05-01T12:00:00Z")
export const after = (duration: Duration.DurationInput) => DateTime.addDuration(now, duration)

export const queued = Job.make({
  id: JobId.make(7),
  kind: "test",
  key: "rclone",
  provider: "openai",
  session: null,
  priority: 0,
  payload: {},
  version: null,
  run: 1,
  status: "pending",
  attempts: 0,
  maxAttempts: 5,
  crashes: 0,
  cooled: Duration.zero,
  runAt: now,
  lease: Option.none(),
  progress: noProgress,
  progressAt: Option.none(),
  output: null,
  lastError: Option.none(),
  createdAt: now,
  startedAt: Option.none(),
  finishedAt: Option.none()
})

export const calm: WaitReason.Surroundings = { gates: [], cooldowns: [], workers: Option.none(), now }

/** A worker of this name that lives, and runs jobs of this kind. */
export const living = (name: string, kind = queued.kind, provider?: string): LivingWorker => ({
  id: WorkerId.make(name),
  kinds: [{ kind, provider: Option.fromNullable(provider) }]
})

/** Workers of these names that live, and run the job. */
export const working = (...names: ReadonlyArray<string>): WaitReason.Surroundings => ({
  ...calm,
  workers: Option.some(names.map((name) => living(name)))
})

/** A job of this number, claimed under this fence. */
export const held = (id: number, fence = 1, tenant = "tests"): Held => ({
  tenant,
  worker: WorkerId.make("worker"),
  fence: Fence.make(fence),
  job: {
    id: JobId.make(id),
    kind: "test",
    key: `key-${id}`,
    provider: "openai",
    session: null,
    payload: {},
    run: 1,
    attempts: 1,
    maxAttempts: 5,
    cooled: Duration.zero,
    createdMicros: 1,
    trace: null
  }
})
