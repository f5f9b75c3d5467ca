import * as Option from "effect/Option"
import * as LooseJson from "./LooseJson.js"

/** What a body consists of: the documents in it, the words around them, and whether it broke off. */
export interface Documents {
  readonly documents: ReadonlyArray<unknown>
  readonly prose: string
  readonly form: "empty" | "json" | "events" | "html" | "mixed" | "text"
  readonly cut: boolean
}

/**
 * How much of a body is read, in characters: what tells the class stands at its head or, where a stream fails half way, at its
 * end; a flood must cost nothing. A body that is one document is read whole, as the engine reads JSON at once.
 */
const readableHead = 150_000
const readableTail = 50_000
const readableWhole = 2_000_000
const mostDocuments = 64

const html = /^\s*(?:<!doctype html|<html|<head|<body|<center|<h1|<title)/i
const eventLine = /^(?:data|event|id|retry):/m

const opening = /[{[]\s*(?:["'{[]|[A-Za-z_][\w-]*\s*:)/g

/** Documents that stand anywhere within a text, as in `API error (429): {...}`. */
const embedded = (text: string): Documents => {
  const documents: Array<unknown> = []
  const prose: Array<string> = []
  let at = 0
  let cut = false
  opening.lastIndex = 0
  for (let found = opening.exec(text); found !== null; found = opening.exec(text)) {
    if (documents.length >= mostDocuments) break
    const read = LooseJson.read(text, found.index)
    if (LooseJson.entries(read.value).length === 0) {
      opening.lastIndex = found.index + 1
      continue
    }
    documents.push(read.value)
    prose.push(text.slice(at, found.index))
    at = read.end
    cut = cut || !read.whole
    opening.lastIndex = at
  }
  prose.push(text.slice(at))
  const words = prose.join(" ").trim()
  return { documents, prose: words, form: documents.length === 0 ? "text" : words === "" ? "json" : "mixed", cut }
}

/** Server-sent events: each `data:` is a document; what does not obey the framing is read as text. */
const events = (text: string): Documents => {
  const documents: Array<unknown> = []
  const prose: Array<string> = []
  const rest: Array<string> = []
  let cut = false
  for (const line of text.split(/\r?\n/)) {
    const field = /^(data|event|id|retry)?:/.exec(line)
    if (field === null) {
      rest.push(line)
      continue
    }
    const said = line.slice(field[0].length).trim()
    if (field[1] === "data" && said !== "[DONE]") {
      const read = parse(said)
      documents.push(...read.documents)
      prose.push(read.prose)
      cut = cut || read.cut
    } else if (field[1] === "event" && /error|exception|fail/i.test(said)) {
      documents.push({ type: said })
    }
  }
  const left = embedded(rest.join("\n"))
  return {
    documents: [...documents, ...left.documents],
    prose: [...prose, left.prose].join(" ").trim(),
    form: "events",
    cut: cut || left.cut
  }
}

/** A body too long to be read whole: its head, and its tail from the first line that begins there. */
const ends = (text: string): Documents => {
  const head = part(text.slice(0, readableHead))
  const rest = text.slice(-readableTail)
  const tail = part(rest.slice(rest.indexOf("\n") + 1))
  return {
    documents: [...head.documents, ...tail.documents],
    prose: [head.prose, tail.prose].filter((words) => words !== "").join(" "),
    form: head.form,
    cut: true
  }
}

const part = (text: string): Documents =>
  html.test(text) ? page(text) : eventLine.test(text) ? events(text) : embedded(text)

/** Take a body apart. Total: whatever the text is, something comes out. */
export const parse = (body: string): Documents => {
  if (body.trim() === "") return { documents: [], prose: "", form: "empty", cut: false }
  return Option.match(body.length > readableWhole ? Option.none() : LooseJson.whole(body), {
    onSome: (document) =>
      typeof document === "string"
        ? parse(document)
        : { documents: [document], prose: "", form: "json" as const, cut: false },
    onNone: () => body.length > readableHead + readableTail ? ends(body) : part(body)
  })
}

const page = (text: string): Documents => ({
  documents: [],
  prose: text.slice(0, 8_000).replace(/<(?:script|style)[\s\S]*?<\/(?:script|style)>/gi, " ").replace(/<[^>]*>?/g, " ")
    .replace(/\s+/g, " ").trim(),
  form: "html",
  cut: false
})
