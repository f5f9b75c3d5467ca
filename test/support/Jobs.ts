import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { Job, JobId, noProgress, SourceRef } from "../../src/domain/job/Job.js"
import type { Held } from "../../src/domain/job/JobQueue.js"
import type * as WaitReason from "../../src/domain/job/WaitReason.js"
import { Fence, WorkerId } from "../../src/domain/lease/Lease.js"

/** A job as it stands after its enqueue and after its claim, and the time and surroundings that its tests begin with. */

export const now = DateTime.unsafeMake("2026-05-01T12:00:00Z")
export const after = (duration: Duration.DurationInput) => DateTime.addDuration(now, duration)

export const queued = Job.make({
  id: JobId.make(7),
  source: SourceRef.make({ kind: "catalog", id: "rclone" }),
  provider: "openai",
  status: "pending",
  attempts: 0,
  maxAttempts: 5,
  crashes: 0,
  cooled: Duration.zero,
  runAt: now,
  lease: Option.none(),
  progress: noProgress,
  progressAt: Option.none(),
  lastError: Option.none(),
  forcedAt: Option.none(),
  createdAt: now,
  startedAt: Option.none(),
  finishedAt: Option.none()
})

export const calm: WaitReason.Surroundings = { gates: [], cooldowns: [], workers: Option.none(), now }

/** A job of this number, claimed under this fence. */
export const held = (id: number, fence = 1): Held => ({
  worker: WorkerId.make("worker"),
  fence: Fence.make(fence),
  job: {
    id: JobId.make(id),
    source: { kind: "catalog", id: `source-${id}` },
    attempts: 1,
    maxAttempts: 5,
    cooled: Duration.zero
  }
})
