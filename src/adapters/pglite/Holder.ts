import * as Schema from "effect/Schema"
import { execFileSync } from "node:child_process"
import { readFileSync, readlinkSync } from "node:fs"
import { hostname } from "node:os"

/**
 * Who holds a data directory. `place` names the machine's boot and process namespace: only inside one place does a process id
 * mean anything. `started` tells a process from a later one with the same id; it is empty where the system does not say.
 */
export class Holder extends Schema.Class<Holder>("Holder")({
  pid: Schema.Int,
  host: Schema.String,
  place: Schema.String,
  started: Schema.String,
  since: Schema.String
}) {}

/** The answer of the system, or nothing where it has no such file or program. */
const asked = (ask: () => string): string | undefined => {
  try {
    return ask().trim()
  } catch {
    return undefined
  }
}

interface Process {
  readonly started: string
  readonly zombie: boolean
}

/** Linux: state and start time are the first and the twentieth field after the command's closing parenthesis. */
const fromProc = (pid: number): Process | undefined => {
  const stat = asked(() => readFileSync(`/proc/${pid}/stat`, "utf8"))
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ")
  return fields === undefined
    ? undefined
    : { started: fields[19] ?? "", zombie: fields[0] === "Z" || fields[0] === "X" }
}

/** Elsewhere: `ps` tells both. */
const fromPs = (pid: number): Process | undefined => {
  const line = asked(() => execFileSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], { encoding: "utf8" }))
  const [, state, started] = /^(\S+)\s+(.*)$/.exec(line ?? "") ?? []
  return state === undefined ? undefined : { started: started ?? "", zombie: state.startsWith("Z") }
}

const processOf = (pid: number) => fromProc(pid) ?? fromPs(pid)

const place = () =>
  [
    hostname(),
    asked(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8")) ?? "",
    asked(() => readlinkSync("/proc/self/ns/pid")) ?? ""
  ].join("/")

/** This process. `since` is the time of asking, in ISO form. */
export const self = (since: string): Holder =>
  new Holder({
    pid: process.pid,
    host: hostname(),
    place: place(),
    started: processOf(process.pid)?.started ?? "",
    since
  })

const exists = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH")
  }
}

/**
 * Whether the holder still lives. Known only in its own place; elsewhere (another machine or container) it is `unknown`, and
 * signs of life have to tell.
 */
export const fate = (holder: Holder, me: Holder): "alive" | "dead" | "unknown" => {
  if (holder.place !== me.place) return "unknown"
  if (!exists(holder.pid)) return "dead"
  const now = processOf(holder.pid)
  if (now === undefined) return "alive"
  return now.zombie || (holder.started !== "" && now.started !== holder.started) ? "dead" : "alive"
}
