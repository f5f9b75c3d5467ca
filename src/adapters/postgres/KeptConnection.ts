import type * as Pg from "pg"
import { BoundedConnection } from "./BoundedConnection.js"

/**
 * One connection of a pool that stays outside of it between two short statements. To fetch one, to watch it and to give it back
 * takes longer than to send a statement, and whatever is to start at once waits for that twice.
 */
export interface KeptConnection {
  /**
   * Lends the kept connection in the call itself, where it is free, and otherwise one of the pool, later; `undefined` and the
   * error where there is none to be had.
   */
  readonly lend: (use: (error: Error | undefined, lent: Lent | undefined) => void) => void
  /** Keep none that is lent or kept now. */
  readonly renew: () => void
  /** From now on nothing is kept, so that the pool can end. */
  readonly close: () => void
}

export interface Lent {
  readonly send: BoundedConnection["send"]
  /** Ends the loan. A broken connection is given up, and so is one that was heard to fail meanwhile. */
  readonly giveBack: (broken: boolean) => void
}

interface Loan extends Lent {
  readonly release: (broken: boolean) => void
}

/** Needs a place of its own in the pool, whose connections are bounded: nobody else has what is kept. */
export const make = (pool: Pg.Pool): KeptConnection => {
  let kept: Loan | undefined
  let closed = false
  /** Counts the times that all were given up. */
  let era = 0
  const loanOf = (client: BoundedConnection, giveUp: (broken: boolean) => void): Loan => {
    const since = era
    let failed = false
    const hear = () => {
      failed = true
      if (kept === loan) drop(true)
    }
    const loan: Loan = {
      send: (text, values, heard) => client.send(text, values, heard),
      release: (broken) => {
        client.off("error", hear)
        giveUp(broken || failed)
      },
      giveBack: (broken) => {
        const stale = broken || failed || since !== era
        if (stale || closed || kept !== undefined) loan.release(stale)
        else kept = loan
      }
    }
    client.on("error", hear)
    return loan
  }
  const drop = (broken: boolean) => {
    const dropped = kept
    kept = undefined
    dropped?.release(broken)
  }
  return {
    lend: (use) => {
      const lent = kept
      kept = undefined
      if (lent !== undefined) return use(undefined, lent)
      pool.connect((error, client, release) =>
        use(error, client instanceof BoundedConnection ? loanOf(client, release) : undefined)
      )
    },
    renew: () => {
      era += 1
      drop(true)
    },
    close: () => {
      closed = true
      drop(false)
    }
  }
}
