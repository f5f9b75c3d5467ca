import { describe, expect, it } from "@effect/vitest"
import * as Documents from "../../../src/domain/failure/Documents.js"

const text = (prose: string) => ({ documents: [], prose, form: "text", cut: false })

describe("a body that says nothing", () => {
  it.each(["", " ", "\r\n\t"])("%j is empty", (body) => {
    expect(Documents.parse(body)).toEqual({ documents: [], prose: "", form: "empty", cut: false })
  })
})

describe("a body that is one document", () => {
  it.each<readonly [string, unknown]>([
    ["{\"error\":\"slow\"}", { error: "slow" }],
    ["[{\"error\":\"slow\"}]", [{ error: "slow" }]],
    ["\"{\\\"error\\\":\\\"slow\\\"}\"", { error: "slow" }],
    ["{}", {}]
  ])("%s has no words around it", (body, document) => {
    expect(Documents.parse(body)).toEqual({ documents: [document], prose: "", form: "json", cut: false })
  })

  it("may be a string that is words", () => {
    expect(Documents.parse("\"slow down\"")).toEqual(text("slow down"))
  })
})

describe("documents among words", () => {
  it.each<readonly [string, ReadonlyArray<unknown>, string]>([
    ["API error (429): {\"code\":\"slow\"}", [{ code: "slow" }], "API error (429):"],
    ["{\"code\":\"slow\"} (request 7f3a)", [{ code: "slow" }], "(request 7f3a)"],
    ["upstream{\"code\":\"slow\"}failed", [{ code: "slow" }], "upstream failed"],
    ["first {'a': 1} then { b: 2 } last", [{ a: 1 }, { b: 2 }], "first   then   last"],
    ["template {{\"error\": \"slow\"}} failed", [{ error: "slow" }], "template { } failed"],
    ["a set {\"of\"} words {\"a\": 1}", [{ a: 1 }], "a set {\"of\"} words"],
    ["list [{\"a\": 1}, {\"b\": 2}] end", [[{ a: 1 }, { b: 2 }]], "list   end"],
    ["error[code-1: 'x'] end", [["code-1"]], "error  'x'] end"]
  ])("%j", (body, documents, prose) => {
    expect(Documents.parse(body)).toMatchObject({ documents, prose, form: "mixed" })
  })

  it("leave no words where documents stand side by side", () => {
    expect(Documents.parse(" {\"a\":1}\n{\"b\":2}\n")).toEqual({
      documents: [{ a: 1 }, { b: 2 }],
      prose: "",
      form: "json",
      cut: false
    })
  })

  it("say that one of them broke off, also where a whole one follows", () => {
    expect(Documents.parse("sent {\"a\": 1} got {\"b\": \"half").cut).toBe(true)
    expect(Documents.parse("sent {\"a\": 1] got {\"b\": 2}")).toMatchObject({
      documents: [{ a: 1 }, { b: 2 }],
      cut: true
    })
    expect(Documents.parse("sent {\"a\": 1} got {\"b\": 2}").cut).toBe(false)
  })

  it("are 64 at most; the others stay words", () => {
    const many = (count: number) => Documents.parse(`seen ${"{\"a\":1}".repeat(count)}`)
    expect(many(64)).toMatchObject({ documents: { length: 64 }, prose: "seen" })
    expect(many(66).documents).toHaveLength(64)
    expect(many(66).prose).toMatch(/^seen +\{"a":1\}\{"a":1\}$/)
  })
})

describe("words without a document", () => {
  it.each([
    "Too Many Requests",
    "limits [per minute] are {100}",
    "a {b} c: d",
    "429",
    "metadata: lost",
    "see error: x"
  ])(
    "%j stays as it is",
    (body) => {
      expect(Documents.parse(body)).toEqual(text(body))
    }
  )
})

describe("server-sent events", () => {
  it.each<readonly [string, ReadonlyArray<unknown>, string]>([
    ["data: {\"a\":1}\n\ndata: [DONE]\n\n", [{ a: 1 }], ""],
    ["data:{\"a\":1}\r\n\r\ndata:[DONE]\r\n", [{ a: 1 }], ""],
    ["data: {\"a\":1}\ndata:\ndata: {\"b\":2}", [{ a: 1 }, { b: 2 }], ""],
    ["data: slow down\ndata: please", [], "slow down please"],
    ["data: wait {\"a\":1}", [{ a: 1 }], "wait"],
    ["data: {\"message\":\"line\u2028break\"}", [{ message: "line\u2028break" }], ""],
    ["event: error\ndata: {\"a\":1}\n\n", [{ type: "error" }, { a: 1 }], ""],
    ["event:  Exception\r\ndata: {}\r\n", [{ type: "Exception" }, {}], ""],
    ["event: response.failed\n", [{ type: "response.failed" }], ""],
    ["event: message\nid: failover-3\nretry: 100\n: error in a comment\n\n", [], ""],
    [": keep-alive error\n\ndata: {\"a\":1}", [{ a: 1 }], ""],
    ["id: error-1\ndata: {\"a\":1}", [{ a: 1 }], ""],
    ["retry: 3000\nslow down", [], "slow down"],
    ["data: slow\nupstream\r\nfailed", [], "slow upstream\nfailed"],
    ["data: {\"a\":1}\n\n{\n \"error\": {\"b\":2}\n}\n", [{ a: 1 }, { error: { b: 2 } }], ""],
    ["status: lost, data: none\nid: 7", [], "status: lost, data: none"],
    ["data: {\"a\":1}\nwait data: x\n", [{ a: 1 }], "wait data: x"]
  ])("%j", (body, documents, prose) => {
    expect(Documents.parse(body)).toEqual({ documents, prose, form: "events", cut: false })
  })

  it.each<readonly [string, boolean]>([
    ["data: {\"a\":1}\ndata: {\"b\":", true],
    ["data: {\"a\":\ndata: {\"b\":1}", true],
    ["data: {\"a\":1}\n{\"b\":", true],
    ["data: {\"a\":1}\n{\"b\":1}", false]
  ])("%j: broke off is %s", (body, cut) => {
    expect(Documents.parse(body).cut).toBe(cut)
  })
})

describe("a page", () => {
  const prose = (body: string) => Documents.parse(body).prose

  it.each([
    "<!DOCTYPE html><p>502",
    "\n <html lang=\"en\"><p>502",
    "<head></head>502",
    "<BODY>502",
    "<center>502",
    "<h1>502",
    "<title>502"
  ])("%j is told by how it begins", (body) => {
    expect(Documents.parse(body)).toEqual({ documents: [], prose: "502", form: "html", cut: false })
  })

  it("is none where the text only speaks of one", () => {
    expect(Documents.parse("got <html> instead of JSON")).toEqual(text("got <html> instead of JSON"))
    expect(Documents.parse("<p>502</p>").form).toBe("text")
  })

  it("keeps its words apart and leaves its scripts and styles out", () => {
    expect(prose("<html>Bad<br>gateway")).toBe("Bad gateway")
    expect(prose("<html>Bad<script>var code = 401;\n</script>gateway")).toBe("Bad gateway")
    expect(prose("<html>Bad<STYLE type=\"text/css\">.error { width: 500px }</STYLE>gateway")).toBe("Bad gateway")
    expect(prose("<html><script>one()</script>Bad gateway<script>two()</script>")).toBe("Bad gateway")
    expect(prose("<html>  Bad\n\n gateway </html>\n")).toBe("Bad gateway")
  })

  it("leaves out the tag that it broke off in", () => {
    expect(prose("<html>Bad gateway<a href=\"https://status.example/401")).toBe("Bad gateway")
  })

  it("is read for 8,000 characters", () => {
    const page = (length: number) => prose(`${"<html>".padEnd(length - 3)}502`)
    expect(page(8_000)).toBe("502")
    expect(page(8_001)).toBe("50")
  })
})

describe("a flood", () => {
  it("is read at its head and at its end", () => {
    const filler = "data: {\"choices\":[{\"delta\":{\"content\":\"word\"}}]}\n\n".repeat(6_000)
    const failed = `${filler}data: {"error":{"code":429,"message":"slow down"}}\n\n`
    expect(filler.length).toBeGreaterThan(200_000)
    const { cut, documents, form } = Documents.parse(failed)
    expect({ cut, form, last: documents.at(-1) }).toEqual({
      cut: true,
      form: "events",
      last: { error: { code: 429, message: "slow down" } }
    })
  })

  it("is not read in its middle", () => {
    const hidden = `${"x ".repeat(100_000)}\n{"a":1}\n${" y".repeat(100_000)}`
    expect(Documents.parse(hidden).documents).toEqual([])
    expect(Documents.parse(`{"a":1}${hidden}{"b":2}`).documents).toEqual([{ a: 1 }, { b: 2 }])
  })

  it("is read whole where it is one document", () => {
    const long = { choices: [{ text: "x".repeat(400_000) }], error: { message: "late" } }
    expect(Documents.parse(JSON.stringify(long))).toMatchObject({ documents: [long], form: "json", cut: false })
  })

  it("is read at its ends where even one document is too long", () => {
    const huge = `{"text":"${"x".repeat(2_000_000)}",\n"error":{"message":"late"}}`
    expect(Documents.parse(huge)).toMatchObject({ documents: [expect.anything(), { message: "late" }], cut: true })
  })
})
