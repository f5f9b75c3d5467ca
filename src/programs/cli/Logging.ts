import * as Array from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type { LogLevelName } from "./Globals.js"
import type { Output } from "./Output.js"
import { clean, paint } from "./Style.js"
import type { Style } from "./Style.js"

const levels: { readonly [K in LogLevelName]: LogLevel.LogLevel } = {
  debug: LogLevel.Debug,
  info: LogLevel.Info,
  warning: LogLevel.Warning,
  error: LogLevel.Error,
  none: LogLevel.None
}

const tone = (level: LogLevel.LogLevel) =>
  LogLevel.greaterThanEqual(level, LogLevel.Error)
    ? "bad"
    : LogLevel.greaterThanEqual(level, LogLevel.Warning)
    ? "attention"
    : "faint"

const value = (given: unknown): string => {
  const text = typeof given === "string" ? given : Inspectable.toStringUnknown(given, 0)
  return /^[\w.:/-]+$/.test(text) ? text : JSON.stringify(text)
}

/** One line: time, level, message, annotations. What lies behind a cause is for `debug` alone. */
const line = (style: Style, verbose: boolean) => (options: Logger.Logger.Options<unknown>): string => {
  const { annotations, cause, date, logLevel, message } = options
  const words = Array.ensure(message).map((part) => Cause.isCause(part) ? Cause.pretty(part) : String(part)).join(" ")
  const notes = HashMap.toEntries(annotations).map(([key, given]) => `${key}=${value(given)}`).join(" ")
  const causes = Cause.isEmpty(cause)
    ? ""
    : verbose
    ? `\n${Cause.pretty(cause, { renderErrorCause: true })}`
    : ` (${clean(Cause.pretty(cause).split("\n")[0] ?? "")})`
  const head = `${paint(style, "faint", date.toISOString())} ${
    paint(style, tone(logLevel), logLevel.label.toLowerCase().slice(0, 5).padEnd(5))
  }`
  return `${head} ${verbose ? words : clean(words)}${notes === "" ? "" : ` ${paint(style, "faint", notes)}`}${causes}`
}

/** The log goes to stderr, a line each, from this level up. */
export const layer = (output: Output["Type"], level: LogLevelName): Layer.Layer<never> =>
  Layer.merge(
    Logger.replace(
      Logger.defaultLogger,
      Logger.make((options) => {
        Effect.runFork(output.note(line(output.stderr, level === "debug")(options)))
      })
    ),
    Logger.minimumLogLevel(levels[level])
  )
