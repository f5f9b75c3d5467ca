/** Flags that every command takes, besides one for each setting. */
export const globals = [
  { flag: "json", hint: null, help: "One JSON object on stdout, also for errors; all else on stderr" },
  { flag: "config", hint: "FILE", help: "Read settings from this file instead of ./holdfast.yaml" },
  { flag: "log-level", hint: "LEVEL", help: "What reaches stderr: debug, info, warning, error or none" },
  { flag: "help", hint: null, help: "Show this" }
] as const

export const logLevels = ["debug", "info", "warning", "error", "none"] as const
export type LogLevelName = (typeof logLevels)[number]
