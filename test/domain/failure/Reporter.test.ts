import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Logger from "effect/Logger"
import { Reporter } from "../../../src/domain/failure/Reporter.js"

describe("a reporter that nobody chose", () => {
  it.effect("logs an incident as an error with what was being done and what failed", () => {
    const lines: Array<unknown> = []
    const log = Logger.replace(
      Logger.defaultLogger,
      Logger.make(({ annotations, logLevel, message }) => {
        lines.push({ level: logLevel._tag, message, ...Object.fromEntries(HashMap.toEntries(annotations)) })
      })
    )
    return Effect.gen(function*() {
      const reporter = yield* Reporter
      yield* reporter.report({
        tag: "ModelNotFound",
        detail: "pull it",
        work: "index catalog github",
        message: "ollama does not know it"
      })
      expect(lines).toEqual([{
        level: "Error",
        message: ["ollama does not know it"],
        work: "index catalog github",
        failure: "ModelNotFound",
        detail: "pull it"
      }])
    }).pipe(Effect.provide(log))
  })

  it("is known under the package's name, so that two copies of it meet", () => {
    expect(Reporter.key).toBe("holdfast/Reporter")
  })
})
