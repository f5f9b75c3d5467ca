import * as Effect from "effect/Effect"
import type { JobStatus } from "../../domain/job/Job.js"
import { JobQueue } from "../../domain/job/JobQueue.js"
import type { Ask, JobFilter } from "../../domain/job/JobQueue.js"
import { count } from "../../domain/text/count.js"
import { confirm } from "./Confirm.js"
import { UsageProblem } from "./Fault.js"
import { Output } from "./Output.js"

/** One job by its number, or many by their kind and state. */
export interface Asked {
  readonly job: number | undefined
  readonly kind: string | undefined
  readonly state: JobStatus | undefined
  readonly all: boolean
  readonly yes: boolean
}

/** Whether jobs are meant by what they have in common. */
export const namesMany = ({ all, kind, state }: Asked): boolean => all || kind !== undefined || state !== undefined

/** The jobs that are meant, where no number is given: all of a kind, in a state, or all. */
export const filterOf = (
  ask: Ask,
  asked: Asked,
  fallback: ReadonlyArray<JobStatus>
): Effect.Effect<JobFilter, UsageProblem> => {
  const { all, job, kind, state } = asked
  const problem = (message: string) => new UsageProblem({ path: ["jobs", ask], message })
  if (job !== undefined && namesMany(asked)) {
    return problem("Give a job's number, or --kind, --state and --all, not both.")
  }
  if (all && kind !== undefined) return problem("Give --all, or --kind, not both.")
  if (!namesMany(asked)) {
    return problem("Give a job's number, or which jobs: --kind, --state or --all.")
  }
  return Effect.succeed({
    status: state === undefined ? fallback : [state],
    ...(kind === undefined ? {} : { kind })
  })
}

const jobs = (n: number): string => `${count(n)} ${n === 1 ? "job" : "jobs"}`

const words = (n: number, { kind, status }: JobFilter): string =>
  `${jobs(n)}${kind === undefined ? "" : ` of kind ${kind}`} (${status?.join(", ") ?? "all"})`

/** Says how many jobs are meant, and asks. Answers whether to begin. */
export const agreed = Effect.fnUntraced(function*(ask: Ask, filter: JobFilter, yes: boolean) {
  const queue = yield* JobQueue
  const output = yield* Output
  const n = yield* queue.countFor(ask, filter)
  const said = `${words(n, filter)} ${n === 1 ? "is" : "are"} to be ${ask === "retry" ? "tried again" : "cancelled"}.`
  if (yes || n === 0) {
    yield* output.note(said)
    return n > 0
  }
  const answer = yield* confirm(`${said} Begin?`)
  if (answer._tag === "Some") return answer.value
  return yield* new UsageProblem({ path: ["jobs", ask], message: `${said} Give --yes to begin.` })
})
