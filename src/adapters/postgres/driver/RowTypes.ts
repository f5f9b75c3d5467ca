import * as Pg from "pg"

/**
 * How values travel, the same on both drivers. Reading: int8 becomes a number, or a bigint beyond 2^53; numeric stays text;
 * timestamps are Dates, json is parsed, bytea is a Buffer, types of extensions (vector) are text.
 */

type Cell = number | bigint | null
type Cells = ReadonlyArray<Cell | Cells>

const int8 = (text: string): number | bigint => {
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : BigInt(text)
}

/** Only a session that somebody else has set shows times in another form. */
const unreadable = (text: string): never => {
  throw new RangeError(`a time that is not in ISO form (${text}): this session needs "set datestyle = 'ISO'"`)
}

const eachInt8 = (value: unknown): Cell | Cells =>
  Array.isArray(value) ? value.map(eachInt8) : typeof value === "string" ? int8(value) : null

const oid = { int8: 20, int8Array: 1016, date: 1082, timestamp: 1114, timestamptz: 1184 } as const

const times: ReadonlySet<number> = new Set([oid.date, oid.timestamp, oid.timestamptz])

const parserOf = (type: number): (text: string) => unknown => {
  if (type === oid.int8) return int8
  const parse: (text: string) => unknown = Pg.types.getTypeParser(type, "text")
  if (times.has(type)) return (text) => parse(text) ?? unreadable(text)
  return type === oid.int8Array ? (text) => eachInt8(parse(text)) : parse
}

const parsers = new Map<number, (text: string) => unknown>()

/** The parser for a column's type, from its text form. */
export const parser = (type: number): (text: string) => unknown => {
  const known = parsers.get(type)
  if (known !== undefined) return known
  const made = parserOf(type)
  parsers.set(type, made)
  return made
}

/** The same parsers in the form that the pg driver takes. */
export const types: Pg.CustomTypesConfig = { getTypeParser: (type: number) => parser(type) }

const pad = (value: number, width: number) => String(value).padStart(width, "0")

/** Local time with its offset, as the pg driver sends a Date: right for columns with and without a time zone. */
const dateText = (date: Date): string => {
  const offset = -date.getTimezoneOffset()
  const year = date.getFullYear()
  const [shown, era] = year < 1 ? [1 - year, " BC"] : [year, ""]
  const day = `${pad(shown, 4)}-${pad(date.getMonth() + 1, 2)}-${pad(date.getDate(), 2)}`
  const time = `${pad(date.getHours(), 2)}:${pad(date.getMinutes(), 2)}:${pad(date.getSeconds(), 2)}`
  const zone = `${offset < 0 ? "-" : "+"}${pad(Math.floor(Math.abs(offset) / 60), 2)}:${pad(Math.abs(offset) % 60, 2)}`
  return `${day}T${time}.${pad(date.getMilliseconds(), 3)}${zone}${era}`
}

const bytes = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength)

const arrayText = (values: ReadonlyArray<unknown>): string => `{${values.map(elementText).join(",")}}`

const elementText = (value: unknown): string => {
  if (value === null || value === undefined) return "NULL"
  if (Array.isArray(value)) return arrayText(value)
  if (ArrayBuffer.isView(value)) return `\\\\x${Buffer.from(bytes(value)).toString("hex")}`
  return `"${String(encode(value)).replaceAll("\\", "\\\\").replaceAll("\"", "\\\"")}"`
}

/** A parameter as it goes over the wire, by the pg driver's rules: text, raw bytes, or null. */
export const encode = (value: unknown): string | Uint8Array | null => {
  if (value === null || value === undefined) return null
  if (typeof value !== "object") return String(value)
  if (ArrayBuffer.isView(value)) return bytes(value)
  if (value instanceof Date) return dateText(value)
  return Array.isArray(value) ? arrayText(value) : JSON.stringify(value)
}
