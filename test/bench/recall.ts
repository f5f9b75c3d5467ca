import * as Effect from "effect/Effect"
import { indexCatalog } from "../../src/programs/flows/index/IndexCatalog.js"
import { search } from "../../src/programs/flows/search/Search.js"
import { workOn } from "../../src/programs/flows/index/IndexWorker.js"
import { operationIds } from "./github.js"
import { questions } from "./questions.js"

/** Questions whose answers the description does not have would count as missed. */
const strangers = (location: string) => {
  const known = operationIds(location)
  return questions.filter(({ answers }) => !answers.some((answer) => known.has(answer))).map(({ ask }) => ask)
}

/** How many of the questions have an answer among the first five hits, in each mode. */
export const recall = (location: string) =>
  Effect.gen(function*() {
    const strange = strangers(location)
    if (strange.length > 0) {
      return yield* Effect.dieMessage(`${location} has no operation that answers: ${strange.join("; ")}`)
    }
    const { job } = yield* indexCatalog({ location, name: "recall" })
    yield* workOn(job.id)
    const found = (mode: "hybrid" | "lexical" | "semantic") =>
      Effect.map(
        Effect.forEach(questions, ({ answers, ask }) =>
          Effect.map(
            search({ question: ask, catalog: "recall", mode, limit: 5 }),
            ({ hits }) => hits.findIndex((hit) => answers.includes(hit.id)) + 1
          )),
        (places) => ({
          recallAt5: places.filter((place) => place > 0).length / questions.length,
          first: places.filter((place) => place === 1).length,
          missed: questions.filter((_, n) => places[n] === 0).map(({ ask }) => ask)
        })
      )
    return { hybrid: yield* found("hybrid"), lexical: yield* found("lexical"), semantic: yield* found("semantic") }
  })
