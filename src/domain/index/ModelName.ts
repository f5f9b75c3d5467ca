/**
 * Servers call one model by several names. Seen on the wire: OpenAI answers `text-embedding-ada-002-v2` to
 * `text-embedding-ada-002`; Hugging Face's servers put the owner before the name (`BAAI/bge-m3`), routers the vendor
 * (`openai/text-embedding-3-small`), Gemini `models/`, vLLM and llama.cpp the path of the weights; Ollama adds `:latest`,
 * LM Studio the quantisation, Xinference the number of the replica (`bge-m3-0`).
 */

const aliases: Readonly<Record<string, string>> = { "text-embedding-ada-002-v2": "text-embedding-ada-002" }

/** The name alone, in lower case: no owner, no path, no file's ending, no tag that means the default. */
const bare = (name: string): string => {
  const cached = /models--[^/\\]+--([^/\\]+)/iu.exec(name)?.[1]
  const last = cached ?? name.trim().split(/[/\\]/u).findLast((part) => part !== "") ?? ""
  const plain = last.toLowerCase().replace(/\.(?:gguf|bin|onnx|safetensors|pt)$/u, "").replace(/:latest$/u, "")
  return aliases[plain] ?? plain
}

const quantisation = /[-_.@:](?:i?q\d\w*|(?:f|fp|bf)(?:16|32)|int[48]|[48]bit)$/u

/** What a name may end with that says which edition of the model it is: a date, a number of three digits or more, `v1.5`. */
const edition = /[-@](?:\d{4}-\d{2}-\d{2}|\d{3,8}|v\d+(?:[.-]\d+)*|preview|latest|exp(?:-\d{2}-\d{2})?)$/u

interface Parts {
  readonly stem: string
  readonly edition: string
  /** What Ollama writes behind a colon: another size is another model. */
  readonly tag: string
}

const withoutVendor = (name: string): string => name.replace(/^(?:[a-z]{2,}\.)+(?=[a-z])/u, "")

/** The stem with its editions, oldest name first; the quantisation says nothing of the space and is left out. */
const pared = (stem: string, editions: string): { readonly stem: string; readonly edition: string } => {
  const plain = stem.replace(quantisation, "")
  const found = edition.exec(plain)
  if (found !== null && found.index > 0) {
    return pared(plain.slice(0, found.index), found[0].replace("@", "-") + editions)
  }
  return { stem: plain, edition: editions }
}

const partsOf = (name: string): Parts => {
  const [head = "", ...rest] = bare(name).replace(quantisation, "").split(":")
  return { ...pared(withoutVendor(head), ""), tag: rest.join(":") }
}

const within = (a: string, b: string): boolean => a.startsWith(b) || b.startsWith(a)

const isReplica = (asked: string, answered: string): boolean =>
  answered.startsWith(asked) && /^(?:-\d{1,2}){1,2}$/u.test(answered.slice(asked.length))

/**
 * Whether an answer that calls its model `answered` may be one to a request for `asked`. A name that says less may stand for
 * one that says more: which edition or size is meant is the server's to know.
 */
export const answersTo = (asked: string, answered: string): boolean => {
  if (isReplica(bare(asked), bare(answered))) return true
  const [one, other] = [partsOf(asked), partsOf(answered)]
  return one.stem === other.stem && within(one.edition, other.edition) &&
    (one.tag === other.tag || one.tag === "" || other.tag === "")
}

/** Whether two answers to one request are of the same model: here the server itself has chosen both names. */
export const isSame = (asked: string | null, one: string, other: string): boolean => {
  const simple = (name: string) => asked !== null && isReplica(bare(asked), bare(name)) ? bare(asked) : bare(name)
  return simple(one) === simple(other)
}
