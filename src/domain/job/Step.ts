import type * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import * as Storable from "../text/Storable.js"
import type { JobId } from "./Job.js"

/**
 * A step is a part of a job that is run once: its result is stored under the fence, and a later attempt of the same run answers from
 * the row. Steps go with their job.
 */

/** The most bytes that a result may have, as JSON in UTF-8. */
export const mostBytes = 1024 * 1024

/** The most steps that one run of a job may have. */
export const mostSteps = 10_000

/** The longest name, in characters. */
export const longestName = 200

/** A finished step that is to be stored. */
export interface NewStep {
  readonly name: string
  /** JSON. */
  readonly result: unknown
  /** How long it took, in milliseconds. */
  readonly millis: number
}

/** A finished step as it is shown. */
export interface Step {
  readonly name: string
  /** The attempt that ran it. */
  readonly attempt: number
  readonly startedAt: DateTime.Utc
  readonly finishedAt: DateTime.Utc
  /** The size of its result, in bytes of JSON. */
  readonly bytes: number
}

/** Why a step cannot be run, or its stored result cannot be used. Another attempt would meet the same. */
export class StepProblem extends Schema.TaggedError<StepProblem>()("StepProblem", {
  step: Schema.String,
  reason: Schema.Literal("twice", "too-large", "too-many", "unreadable", "unstorable", "name"),
  detail: Schema.String
}) {
  override get message(): string {
    const step = `Step "${this.step}"`
    switch (this.reason) {
      case "twice":
        return `${step} was asked for twice in one attempt: give each step of a job a name of its own.`
      case "too-large":
        return `The result of ${step} is too large: ${this.detail}. Store it elsewhere, and answer where it is.`
      case "too-many":
        return `${step} is one too many: a job has at most ${mostSteps} steps.`
      case "unreadable":
        return `The stored result of ${step} does not fit its schema any more (${this.detail}): give the changed step another name.`
      case "unstorable":
        return `The result of ${step} cannot be stored: ${this.detail}.`
      case "name":
        return `${step} has a name that is ${this.detail}; allowed is ${Storable.nameOf(longestName)}.`
    }
  }
}

/**
 * What a step gives to whom it calls, so that the call which was under way when a process died is known there when it is made again:
 * the same for the same job, run and step, and for no other, also of another store.
 */
export const idempotencyKey = (
  tenant: string,
  { createdMicros, id, run }: { readonly id: JobId; readonly createdMicros: number; readonly run: number },
  step: string
): string => `${tenant}/${id}.${createdMicros}/${run}/${step}`
