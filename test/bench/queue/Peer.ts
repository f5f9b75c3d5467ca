import process from "node:process"

/**
 * What one process of the bench does, whichever queue it works on. The parent sends `go`, and asks a process on an idle queue
 * for the start of each job instead of their number.
 */
export interface Peer {
  /** Connects, so that the time from `go` holds no start-up. Answers what claims and runs jobs until the process ends. */
  readonly connect: (url: string, ran: () => void) => Promise<() => void>
}

export type Message = { readonly ready: true } | { readonly ran: number } | { readonly startedAt: number }

/** Milliseconds on a clock that all processes of one machine share. */
export const now = (): number => performance.timeOrigin + performance.now()

const send = (message: Message) => process.send?.(message)

/** Counts are told every few milliseconds, so that telling costs nothing. */
const counting = () => {
  let ran = 0
  let told = 0
  setInterval(() => {
    if (ran === told) return
    told = ran
    send({ ran })
  }, 10)
  return () => {
    ran += 1
  }
}

/** Runs the peer as this process: its database's URL and what is measured (`drain` or `start`) are the arguments. */
export const serve = async (peer: Peer): Promise<void> => {
  const [url = "", measured] = process.argv.slice(2)
  const ran = measured === "start" ? () => send({ startedAt: now() }) : counting()
  const work = await peer.connect(url, ran)
  process.once("message", work)
  process.once("disconnect", () => process.exit())
  send({ ready: true })
}
