import * as Statement from "@effect/sql/Statement"
import { createHash } from "node:crypto"
import { isStaleStatement } from "./SqlFailure.js"

/**
 * Statements that a connection parses once instead of each time. A statement is prepared where it says so, and only on a connection
 * to the server itself. Without it a job takes 1.2 to 1.5 times as long from its enqueue to its start, and the server's share of a
 * drained job is a fifth larger: `npm run bench:queue`, with `nameOf` answering undefined.
 */

const mark = "/* prepared */"

/**
 * Stands first in a statement that is to be prepared: sql`${prepared} select ...`. For statements that run often, go by key,
 * and take every value as a parameter, so that their texts are few. Where a plan depends on the values or on what is in the
 * tables, planning each time is right.
 */
export const prepared: Statement.Fragment = Statement.unsafeFragment(mark)

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 32)

/** What one connection has prepared. */
export class PreparedStatements {
  #era = 0
  /** By text, in this era. */
  readonly #names = new Map<string, string>()

  /** The name of a marked statement on the server; it follows from the text. Undefined for every other statement. */
  nameOf(text: unknown): string | undefined {
    if (typeof text !== "string") return undefined
    const known = this.#names.get(text)
    if (known !== undefined || !text.startsWith(mark)) return known
    const name = `holdfast_${hashOf(text)}_${this.#era}`
    this.#names.set(text, name)
    return name
  }

  /**
   * Hears how a prepared statement ended. Where one is stale, all are prepared anew under other names, since the driver believes
   * the old ones to be there; answers whether the server is to forget those.
   */
  ended(error: unknown): boolean {
    if (!isStaleStatement(error)) return false
    this.#era += 1
    this.#names.clear()
    return true
  }
}
