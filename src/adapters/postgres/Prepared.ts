import * as Statement from "@effect/sql/Statement"
import { createHash } from "node:crypto"
import { isStaleStatement } from "./SqlFailure.js"

/**
 * Statements that a connection has parsed and planned once instead of each time: for those of a worker that is a larger part
 * than their execution. A statement is prepared where it says so, and only on a connection to the server itself.
 */

const mark = "/* prepared */"

/**
 * Stands first in a statement that is to be prepared: sql`${prepared} select ...`. For statements that run often, go by key,
 * and take every value as a parameter, so that their texts are few. Where a plan depends on the values or on what is in the
 * tables, planning each time is right.
 */
export const prepared: Statement.Fragment = Statement.unsafeFragment(mark)

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 32)

/** A statement that took so long (milliseconds) makes its connection plan anew, which costs a tenth of that at most. */
const slow = 20

/** A connection's plans live so long (milliseconds), however slow the statements are: a batch is slow with the best plan. */
const lifetime = 5000

/** A young connection makes its plans anew after so long (milliseconds), then after twice as long, and so on. */
const youth = 1000

/** How the server plans statements that have values: by default it looks at those of the first five executions. */
const withoutValues = "set plan_cache_mode = force_generic_plan"
const withValues = "reset plan_cache_mode"

/** What one connection has prepared, and how it plans. */
export class PreparedStatements {
  #era = 0
  /** By text, in this era. */
  readonly #names = new Map<string, string>()
  #repair: string | undefined
  /** When the first statement began. */
  #since: number | undefined
  #plannedAt: number | undefined
  /** Undefined where a transaction may have taken the last setting back. */
  #planning: string | undefined = withValues

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
   * What is to be sent ahead of a statement that has values. A marked one is planned once and for all, whatever its values are;
   * any other is planned as the server likes.
   */
  ahead(marked: boolean): string | undefined {
    const repair = marked ? this.#repair : undefined
    if (marked) this.#repair = undefined
    const wanted = marked ? withoutValues : withValues
    const planning = wanted === this.#planning ? undefined : wanted
    this.#planning = wanted
    return repair === undefined || planning === undefined ? repair ?? planning : `${repair}; ${planning}`
  }

  /** Hears that what was sent ahead may not hold: it failed, or a transaction was rolled back. */
  takenBack(): void {
    this.#planning = undefined
  }

  /**
   * Hears how a prepared statement ended; both times are milliseconds of one clock. The plan of a slow one may have been made
   * while a table was smaller, and so may the plans of the first minutes: a table that was empty is large before the server has
   * gathered statistics. One that is stale is prepared anew under another name, since the driver believes the old one to be
   * there.
   */
  ended(error: unknown, began: number, now: number): void {
    this.#since ??= began
    const planned = this.#plannedAt ?? this.#since
    const isSlow = now - began >= slow && (this.#plannedAt === undefined || now - planned >= lifetime)
    if (isStaleStatement(error)) {
      this.#era += 1
      this.#names.clear()
      this.#repair = "deallocate all"
    } else if (isSlow || now - planned >= Math.max(youth, planned - this.#since)) {
      this.#plannedAt = now
      this.#repair ??= "discard plans"
    }
  }
}
