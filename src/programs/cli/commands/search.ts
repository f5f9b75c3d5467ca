import * as Effect from "effect/Effect"
import type { SearchHit, SearchMode } from "../../../domain/search/Query.js"
import { search } from "../../flows/search/Search.js"
import { note, Output } from "../Output.js"
import * as Phase from "../Phase.js"
import { commandResult } from "../CommandResult.js"
import { fit, paint } from "../Style.js"
import type { Style } from "../Style.js"
import { withFoundApp } from "../provideLayers.js"

interface Asked {
  readonly question: string
  readonly catalog: string | undefined
  readonly mode: SearchMode
  readonly limit: number
}

const lines = (style: Style, hits: ReadonlyArray<SearchHit>): ReadonlyArray<string> => {
  const several = new Set(hits.map(({ catalog }) => catalog)).size > 1
  const wide = String(hits.length).length
  return hits.flatMap(({ catalog, id, method, path, summary }, at) => [
    `${String(at + 1).padStart(wide)}  ${paint(style, "busy", method.padEnd(4))} ${
      paint(style, "strong", fit(style, path, wide + 8))
    }`,
    `${" ".repeat(wide)}  ${fit(style, summary === "" ? id : summary, wide + 3 + (several ? catalog.length + 2 : 0))}${
      several ? `  ${paint(style, "faint", catalog)}` : ""
    }`
  ])
}

const answered = Effect.fnUntraced(function*(asked: Asked, phase: Phase.Phase) {
  const output = yield* Output
  yield* phase.begin("searching")
  const answer = yield* search(asked)
  yield* phase.end
  if (answer.degraded !== null) {
    yield* note(`${paint(output.stderr, "attention", "! degraded")} ${answer.degraded.reason}`)
  }
  return commandResult(
    { hits: answer.hits.map((hit) => ({ ...hit })), mode: answer.mode, degraded: answer.degraded },
    (style) => answer.hits.length === 0 ? ["Nothing was found."] : lines(style, answer.hits)
  )
})

export const run = (asked: Asked) =>
  Effect.scoped(Effect.gen(function*() {
    const phase = yield* Phase.make
    yield* phase.begin(yield* Phase.opening)
    return yield* withFoundApp(answered(asked, phase))
  }))
