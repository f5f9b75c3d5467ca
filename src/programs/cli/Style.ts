import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import type { Badge } from "../../domain/job/SourceState.js"
import { formatDuration } from "../settings/Kind.js"

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

/** Control characters have no business in a terminal, whoever wrote the text. */
export const clean = (text: string): string =>
  // oxlint-disable-next-line no-control-regex
  text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, " ")

/** Cut to a width, with a sign that something is missing. */
export const cut = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`

/** One line for a person, within the terminal's width. */
export const fit = (style: Style, text: string, indent = 0): string =>
  style.columns === null ? clean(text) : cut(clean(text), Math.max(20, style.columns - indent))

// oxlint-disable-next-line no-control-regex
const visible = (text: string): number => [...text.replaceAll(/\u001b\[[\d;]*m/g, "")].length

/** Rows in columns, each as wide as its widest cell; the last is left as it is. */
export const columns = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const widths: Array<number> = []
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, visible(cell))
  }
  return rows.map((row) =>
    row.map((cell, at) => at === row.length - 1 ? cell : cell + " ".repeat((widths[at] ?? 0) - visible(cell))).join(
      "  "
    )
      .trimEnd()
  )
}

/** A table with its heads; the heads go faint. */
export const table = (
  style: Style,
  heads: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>
): ReadonlyArray<string> => columns([heads.map((head) => paint(style, "faint", head)), ...rows])

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

export const count = (n: number): string => n.toLocaleString("en-US")
