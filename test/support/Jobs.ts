import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { Job, JobId, noProgress, SourceRef } from "../../src/domain/job/Job.js"
import type * as WaitReason from "../../src/domain/job/WaitReason.js"

/** A job as it stands after its enqueue, and the time and surroundings that its tests begin with. */

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
