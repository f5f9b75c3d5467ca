import { describe, expect, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as LooseJson from "../../../src/domain/failure/LooseJson.js"
import * as Success from "../../../src/domain/failure/Success.js"
import { judge, lines } from "./corpora.js"

const tells = (document: unknown): boolean =>
  Success.faults(document).length > 0 ||
  Success.endings(document).some(([, word]) => typeof word === "string" && word !== "")

describe("an event of a stream that need not be read for faults", () => {
  it("is none that holds a fault or an ending, of all failures that are known", () => {
    const bodies = ["corpus.jsonl", "second.jsonl", "gathered.jsonl", "unseen.jsonl"].flatMap(lines)
      .flatMap((line) => judge(line).wire.body ?? [])
    const telling = bodies.filter((body) => Option.exists(LooseJson.whole(body), tells))
    expect(telling.length).toBeGreaterThan(100)
    expect(telling.filter((body) => !Success.mayTell(body))).toEqual([])
  })

  it("is one that holds words and no ending yet", () => {
    const chunk = { id: "c", choices: [{ index: 0, delta: { content: "word" }, logprobs: null, finish_reason: null }] }
    expect(Success.mayTell(JSON.stringify(chunk))).toBe(false)
    expect(Success.mayTell(JSON.stringify({ choices: [{ delta: {}, finish_reason: "stop" }] }))).toBe(true)
  })
})
