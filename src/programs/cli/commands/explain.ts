import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { stdin } from "node:process"
import { fromText } from "../../../domain/failure/FailureLine.js"
import * as Storable from "../../../domain/text/Storable.js"
import * as Explanation from "../Explanation.js"
import { UsageProblem } from "../Fault.js"
import { commandResult } from "../CommandResult.js"
import { paint } from "../Style.js"
import type { Style } from "../Style.js"

interface Asked {
  readonly error: string
  readonly provider: string | undefined
  readonly surface: "chat" | "embed"
  readonly auth: "guess" | "session" | "key" | "none"
}

const problem = (message: string) => new UsageProblem({ path: ["explain"], message })

/** More is no error that anyone pasted. */
const mostBytes = 64 * 1024 * 1024

const piped = Effect.tryPromise({
  try: async (signal) => {
    const parts: Array<Buffer> = []
    let size = 0
    for await (const part of stdin) {
      signal.throwIfAborted()
      const bytes = Buffer.from(part)
      size += bytes.length
      if (size > mostBytes) throw new Error("The text on stdin is over 64 MiB. Split it.")
      parts.push(bytes)
    }
    return Buffer.concat(parts).toString("utf8")
  },
  catch: (cause) => problem(cause instanceof Error ? cause.message : "stdin cannot be read.")
})

const read = (error: string) => {
  if (error !== "" && error !== "-") return Effect.succeed(error)
  return stdin.isTTY
    ? Effect.fail(problem("There is no error to explain: give it as an argument, or on stdin."))
    : Effect.flatMap(
      piped,
      (text) =>
        text.trim() === ""
          ? Effect.fail(problem("There is no error to explain: stdin is empty."))
          : Effect.succeed(text)
    )
}

/** Ids, names and lines of a file are anybody's: none of them may steer the terminal. */
const shown = (text: unknown): string => Storable.oneLine(String(text))

const told = (style: Style, found: Explanation.Explanation): ReadonlyArray<string> => {
  const widest = Math.max(...found.work.map(({ work }) => work.length))
  return [
    `${paint(style, "strong", found.tag)}  ${paint(style, "faint", `rule ${found.rule}`)}`,
    `  because ${found.because}`,
    ...(found.detail === "" ? [] : [`  said    ${found.detail}`]),
    "",
    ...found.work.map(({ does, work }) => `  ${work.padEnd(widest)}  ${shown(does)}`),
    "",
    `  the user reads   ${shown(found.userMessage)}`,
    `  the operator     ${found.report === "expected" ? "is not told: this is expected" : `is told: ${found.report}`}`,
    `  a chat session   is ${found.chatSession}`,
    `  codes            exit ${found.exitCode}, HTTP ${found.httpStatus}, log ${found.logLevel}`
  ]
}

const line = (answer: Readonly<Record<string, unknown>>) =>
  "error" in answer
    ? `${shown(answer["id"] ?? "-")}  cannot be read: ${shown(answer["error"])}`
    : `${shown(answer["id"] ?? "-")}  ${answer["tag"]}  ${answer["action"]}${
      answer["retryAfterMs"] === null ? "" : ` after ${answer["retryAfterMs"]} ms`
    }  ${answer["rule"]}`

export const run = ({ auth, error, provider, surface }: Asked) =>
  Effect.zipWith(read(error), Clock.currentTimeMillis, (text, now) =>
    Option.match(Explanation.recorded(text), {
      onSome: (lines) => {
        const answers = lines.map(Explanation.answerTo(now))
        return { ...commandResult({}, () => answers.map(line)), lines: answers }
      },
      onNone: () => {
        const found = Explanation.explain(fromText(text, {
          now,
          surface,
          ...(provider === undefined ? {} : { provider }),
          ...(auth === "guess" ? {} : { auth })
        }))
        return commandResult({ ...found }, (style) => told(style, found))
      }
    }))
