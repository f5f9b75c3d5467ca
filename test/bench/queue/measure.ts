import { fork } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { readFile } from "node:fs/promises"
import { setTimeout as sleep } from "node:timers/promises"
import type * as Pg from "pg"
import { now } from "./Peer.js"
import type { Message } from "./Peer.js"
import type { Prepared, Queue } from "./queues.js"

/** A queue with its database, in which only this bench works. */
export interface Stand {
  readonly queue: Queue
  readonly url: string
  readonly db: Pg.Client
  readonly prepared: Prepared
  /** The server's first process. */
  readonly server: number
  /** The bundled module of its processes. */
  readonly module: string
}

const patience = 300_000

/** Starts a process; resolves once it is connected. */
const child = async (stand: Stand, measured: "drain" | "start", told: (message: Message) => void) => {
  const started = fork(stand.module, [stand.url, measured], { stdio: ["ignore", "inherit", "inherit", "ipc"] })
  await new Promise<void>((ready, failed) => {
    started.on("message", (message: Message) => "ready" in message ? ready() : told(message))
    started.once("exit", (code) => failed(new Error(`a process of ${stand.queue.name} ended with code ${code}`)))
  })
  return started
}

const end = async (process: ChildProcess) => {
  const ended = once(process, "exit")
  process.kill("SIGKILL")
  await ended
}

export interface Drained {
  readonly perSecond: number
  /** Microseconds of CPU that one job took in the processes of the bench, and in those of the server. */
  readonly client: number
  readonly server: number
  readonly ran: number
}

/** Clock ticks that the processes used, and with `children` those that their ended children used; of Linux alone. */
const ticksOf = async (pids: ReadonlyArray<number>, children: boolean) => {
  const each = pids.map(async (pid) => {
    const line = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")
    const fields = line.slice(line.lastIndexOf(") ") + 2).split(" ").slice(11, children ? 15 : 13)
    return fields.reduce((sum, field) => sum + Number(field), 0)
  })
  return (await Promise.all(each)).reduce((sum, one) => sum + one, 0)
}

const tick = 10_000

/** The server's processes: the first, and all that it started and that still live. */
const serverTicks = async (first: number) => {
  const listed = await readFile(`/proc/${first}/task/${first}/children`, "utf8").catch(() => "")
  const backends = listed.trim().split(" ").filter((word) => word !== "").map(Number)
  return await ticksOf([first], true) + await ticksOf(backends, false)
}

const pidsOf = (processes: ReadonlyArray<ChildProcess>) =>
  processes.flatMap(({ pid }) => pid === undefined ? [] : [pid])

/** From the signal to all processes until no job is left in the database. */
export const drain = async (stand: Stand, jobs: number, processes: number): Promise<Drained> => {
  await stand.queue.fill(stand.db, jobs)
  await stand.db.query("vacuum analyze")
  await stand.db.query("checkpoint")
  const ran = Array.from({ length: processes }, () => 0)
  const workers = await Promise.all(
    ran.map((_, index) =>
      child(stand, "drain", (message) => {
        if ("ran" in message) ran[index] = message.ran
      })
    )
  )
  const total = () => ran.reduce((sum, one) => sum + one, 0)
  const usage = async () => ({
    client: await ticksOf(pidsOf(workers), false),
    server: await serverTicks(stand.server)
  })
  const before = await usage()
  const began = now()
  for (const worker of workers) worker.send("go")
  while (total() < jobs) {
    if (now() - began > patience) throw new Error(`${stand.queue.name} ran ${total()} of ${jobs} jobs and then no more`)
    await sleep(5)
  }
  for (;;) {
    const { rows } = await stand.db.query<{ readonly open: boolean }>(stand.queue.open)
    if (rows[0]?.open === false) break
    if (now() - began > patience) throw new Error(`${stand.queue.name} left jobs open`)
    await sleep(5)
  }
  const took = now() - began
  const after = await usage()
  const each = (ticks: number) => ticks * tick / jobs
  await Promise.all(workers.map(end))
  return {
    perSecond: jobs / took * 1000,
    client: each(after.client - before.client),
    server: each(after.server - before.server),
    ran: total()
  }
}

/** Milliseconds until a job runs. */
export interface Start {
  /** From the call of the queue's own function that enqueues. */
  readonly fromCall: number
  /** From before whoever calls it began: for holdfast, with the fiber that the call is made on. */
  readonly fromOutside: number
}

/** A process that works on an empty queue. */
export interface IdleWorker {
  /** Enqueues so many times, one after the other, and waits until each job runs in the process. */
  readonly starts: (times: number) => Promise<ReadonlyArray<Start>>
  readonly end: () => Promise<void>
}

/** Starts a process and waits until it has nothing to do. */
export const idleWorker = async (stand: Stand): Promise<IdleWorker> => {
  await stand.queue.fill(stand.db, 0)
  // What the server does by itself sooner or later; left to chance, it comes to one queue earlier than to another.
  await stand.db.query("vacuum analyze")
  let heard: (at: number) => void = () => {}
  const worker = await child(stand, "start", (message) => {
    if ("startedAt" in message) heard(message.startedAt)
  })
  worker.send("go")
  await sleep(1000)
  let n = 0
  const start = async (): Promise<Start> => {
    n += 1
    const started = new Promise<number>((resolve) => {
      heard = resolve
    })
    const began = now()
    let called = began
    await stand.prepared.enqueue(n, () => {
      called = now()
    })
    const ran = await started
    await sleep(20)
    return { fromCall: ran - called, fromOutside: ran - began }
  }
  return {
    starts: async (times) => {
      const all: Array<Start> = []
      while (all.length < times) all.push(await start())
      return all
    },
    end: () => end(worker)
  }
}
