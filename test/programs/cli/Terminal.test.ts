import { describe, expect, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { paint } from "../../../src/programs/cli/Style.js"
import * as Terminal from "../../../src/programs/cli/Terminal.js"

/** What reaches a stream, byte for byte. */
const written = (
  isTTY: boolean,
  json: boolean,
  use: (output: Effect.Effect.Success<ReturnType<typeof Terminal.make>>) => Effect.Effect<void>
) =>
  Effect.gen(function*() {
    let all = ""
    const sink = {
      isTTY,
      columns: 80,
      write: (text: string, done: () => void) => {
        all += text
        done()
        return true
      },
      on: () => undefined
    }
    yield* Effect.flatMap(Terminal.make(sink, sink, json), use).pipe(
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map()))
    )
    return all
  })

const nasty = FastCheck.array(
  FastCheck.oneof(
    FastCheck.constantFrom(
      "\u001b]52;c;YQ==\u0007",
      "\u001b[2J",
      "\u001b[31m",
      "\u009b5n",
      "\u0000",
      "\r",
      "\u202e",
      "\u007f"
    ),
    FastCheck.string()
  )
).map((parts) => parts.join(""))

// oxlint-disable-next-line no-control-regex
const steering = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/

describe("the terminal", () => {
  it.effect.prop(
    "gets nothing that steers it through a pipe, whatever is printed or noted",
    [nasty],
    ([text]) =>
      Effect.gen(function*() {
        const all = yield* written(false, false, (output) => Effect.zipRight(output.print(text), output.note(text)))
        expect(all).not.toMatch(steering)
      })
  )

  it.effect.prop(
    "gets no escape but our own colours and the erasing of our own line",
    [nasty],
    ([text]) =>
      Effect.gen(function*() {
        const all = yield* written(
          true,
          false,
          (output) =>
            output.show(Option.some(text)).pipe(Effect.zipRight(output.note(text)), Effect.zipRight(output.print(text)))
        )
        // oxlint-disable-next-line no-control-regex
        expect(all.replaceAll("\r\u001b[K", "").replaceAll(/\u001b\[\d{1,2}m/g, "")).not.toMatch(steering)
      })
  )

  it.effect.prop(
    "gets JSON that reads as it was meant, with what steers in its escaped form",
    [nasty],
    ([text]) =>
      Effect.gen(function*() {
        const all = yield* written(true, true, (output) => output.print(JSON.stringify({ text })))
        expect(all).not.toMatch(steering)
        expect(JSON.parse(all)).toEqual({ text })
      })
  )

  it.effect("that does not know how wide it is counts as 80 columns", () =>
    Effect.gen(function*() {
      const columnsOf = (columns: number | undefined) =>
        Effect.map(
          Terminal.make(
            { isTTY: true, write: () => true, on: () => undefined, ...(columns === undefined ? {} : { columns }) },
            { isTTY: true, write: () => true, on: () => undefined, columns: 132 },
            false
          ),
          ({ stderr, stdout }) => [stdout.columns, stderr.columns]
        ).pipe(Effect.withConfigProvider(ConfigProvider.fromMap(new Map())))
      expect(yield* Effect.forEach([0, undefined, 40], columnsOf)).toEqual([[80, 132], [80, 132], [40, 132]])
    }))

  it.effect("keeps the colours of a style", () =>
    Effect.gen(function*() {
      const all = yield* written(true, false, (output) => output.print(paint(output.stdout, "good", "✓")))
      expect(all).toBe("\u001b[32m✓\u001b[0m")
    }))
})
