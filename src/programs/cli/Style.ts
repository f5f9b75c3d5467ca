import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import type { Badge } from "../../domain/job/JobState.js"
import * as Storable from "../../domain/text/Storable.js"
import { formatDuration } from "../settings/Kind.js"
import * as Width from "./Width.js"

/** How text may look where it goes: colour or not, and how wide. Every meaning is also there in words. */
export interface Style {
  readonly colour: boolean
  /** Columns of the terminal; null where nobody looks at one. */
  readonly columns: number | null
}

const codes = { good: "32", busy: "36", attention: "33", bad: "31", idle: "2", strong: "1", faint: "2" } as const

/** `text` in one of the tones, where there is colour. */
export const paint = (style: Style, tone: keyof typeof codes, text: string): string =>
  style.colour && text !== "" ? `\u001b[${codes[tone]}m${text}\u001b[0m` : text

export const badge = (style: Style, { glyph, tone, words }: Badge): string => paint(style, tone, `${glyph} ${words}`)

/** One line of a text from outside, whoever wrote it. */
export const clean = Storable.shown

/** Columns that a line may take: where nobody looks at a terminal, those of a narrow one. */
const room = ({ columns }: Style): number => columns ?? 80

/** One line for a person, within the terminal's width; whole where nobody looks at one. */
export const fit = (style: Style, text: string, indent = 0): string =>
  style.columns === null ? clean(text) : Width.cut(clean(text), Math.max(20, style.columns - indent))

const between = "  "

const widths = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<number> => {
  const found: Array<number> = []
  for (const row of rows) {
    for (const [at, cell] of row.entries()) found[at] = Math.max(found[at] ?? 0, Width.width(cell))
  }
  return found
}

const padded = (cell: string, wide: number): string => cell + " ".repeat(Math.max(0, wide - Width.width(cell)))

/** What is left of a column still tells something. */
const least = 8

/** The widest columns give way until all fit, those of `soft` before the others. */
const shrunk = (wanted: ReadonlyArray<number>, most: number, soft: ReadonlyArray<number>): ReadonlyArray<number> => {
  const given = [...wanted]
  const widest = (columns: ReadonlyArray<number>) =>
    columns.reduce((found, at) => (given[at] ?? 0) > (given[found] ?? 0) ? at : found, columns[0] ?? 0)
  for (let over = given.reduce((sum, one) => sum + one, 0) - most; over > 0; over--) {
    const first = widest(soft)
    const at = soft.length > 0 && (given[first] ?? 0) > least ? first : widest([...given.keys()])
    if ((given[at] ?? 0) <= least) break
    given[at] = (given[at] ?? 0) - 1
  }
  return given
}

/** A path or an address, whose end tells it from its neighbours. */
const isPlace = /^(?:https?:\/\/|[./~]|[A-Za-z]:\\)\S+$/

/**
 * Rows in columns that fit into the width: what is too long is cut, with a sign; of a path or an address its beginning. The columns
 * of `soft` are cut first.
 */
export const columns = (
  style: Style,
  rows: ReadonlyArray<ReadonlyArray<string>>,
  soft: ReadonlyArray<number> = []
): ReadonlyArray<string> => {
  const wanted = widths(rows)
  const given = shrunk(wanted, room(style) - between.length * (wanted.length - 1), soft)
  return rows.map((row) =>
    row.map((cell, at) => {
      const wide = given[at] ?? 0
      return padded(isPlace.test(cell) ? Width.cutFront(cell, wide) : Width.cut(cell, wide), wide)
    }).join(between).trimEnd()
  )
}

/** A table with its heads; the heads go faint. */
export const table = (
  style: Style,
  heads: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>,
  soft: ReadonlyArray<number> = []
): ReadonlyArray<string> => columns(style, [heads.map((head) => paint(style, "faint", head)), ...rows], soft)

/** Rows whose last column is prose: it goes on in lines below its beginning. `below` are lines under a row, left whole to be copied. */
export const prose = (
  style: Style,
  rows: ReadonlyArray<ReadonlyArray<string>>,
  below: (row: number) => ReadonlyArray<string> = () => []
): ReadonlyArray<string> => {
  const before = rows.map((row) => row.slice(0, -1))
  const given = widths(before)
  const indent = given.reduce((sum, one) => sum + one + between.length, 0)
  return rows.flatMap((row, index) => {
    const head = (before[index] ?? []).map((cell, at) => padded(cell, given[at] ?? 0) + between).join("")
    const [first = "", ...others] = Width.wrap(row.at(-1) ?? "", Math.max(30, room(style) - indent))
    return [(head + first).trimEnd(), ...[...others, ...below(index)].map((line) => " ".repeat(indent) + line)]
  })
}

/** A time to the second, in UTC. */
export const time = (at: DateTime.Utc): string => `${DateTime.formatIso(at).slice(0, 19).replace("T", " ")}Z`

/** How long ago, to one unit. */
export const ago = (at: DateTime.Utc, now: DateTime.Utc): string => {
  const millis = DateTime.toEpochMillis(now) - DateTime.toEpochMillis(at)
  return millis < 1000 ? "just now" : `${rough(Duration.millis(millis))} ago`
}

/** A duration to its largest unit. */
export const rough = (duration: Duration.Duration): string =>
  formatDuration(Duration.seconds(Math.round(Duration.toSeconds(duration)))).split(" ")[0] ?? "0s"
