import { PGlite, protocol } from "@electric-sql/pglite"
import { vector } from "@electric-sql/pglite-pgvector"
import { parentPort, workerData } from "node:worker_threads"

/**
 * The embedded database on its worker thread. It takes one request after another and answers each with the wire's own text;
 * encoding and parsing are the client's. Plain JavaScript, so that it runs unbuilt, under tests and in the build.
 *
 * @typedef {{ readonly id: number, readonly kind: "query", readonly sql: string, readonly params: ReadonlyArray<string | Uint8Array | null> }} Query
 * @typedef {{ readonly id: number, readonly kind: "close" }} Close
 * @typedef {{ readonly name: string, readonly type: number }} Column
 * @typedef {{ readonly columns: ReadonlyArray<Column>, readonly rows: ReadonlyArray<ReadonlyArray<string | null>>, readonly command: string }} Answer
 * @typedef {{ readonly message: string, readonly code: string, readonly constraint?: string | undefined, readonly detail?: string | undefined, readonly table?: string | undefined, readonly column?: string | undefined }} Refusal
 * @typedef {(
 *   | { readonly kind: "ready" }
 *   | { readonly kind: "unready", readonly refusal: Refusal }
 *   | { readonly kind: "panicked", readonly message: string, readonly code: string }
 *   | { readonly kind: "answer", readonly id: number, readonly answers: ReadonlyArray<Answer> }
 *   | { readonly kind: "refusal", readonly id: number, readonly refusal: Refusal }
 *   | { readonly kind: "notification", readonly channel: string, readonly payload: string }
 *   | { readonly kind: "closed", readonly id: number }
 * )} Told
 */

const port = parentPort
if (port === null) throw new Error("engine.js runs as a worker thread")

/** @param {Told} message */
const tell = (message) => port.postMessage(message)

/**
 * The engine's file system throws objects with a number alone (the error codes of WASI's preview1).
 *
 * @type {{ readonly [errno: number]: string }}
 */
const fileErrors = {
  2: "EACCES",
  19: "EDQUOT",
  22: "EFBIG",
  29: "EIO",
  33: "EMFILE",
  44: "ENOENT",
  51: "ENOSPC",
  63: "EPERM",
  69: "EROFS"
}

/**
 * @param {unknown} error
 * @returns {Refusal | undefined}
 */
const fileRefusal = (error) => {
  if (typeof error !== "object" || error === null || !("errno" in error) || typeof error.errno !== "number") {
    return undefined
  }
  if ("code" in error && typeof error.code === "string") return undefined
  const code = fileErrors[error.errno] ?? ""
  return { message: `the file system refused (${code === "" ? `error ${error.errno}` : code})`, code }
}

/**
 * @param {unknown} error
 * @returns {Refusal}
 */
const refusal = (error) => {
  const ofFile = fileRefusal(error)
  if (ofFile !== undefined) return ofFile
  const told = /** @type {Partial<Refusal>} */ (typeof error === "object" && error !== null ? error : {})
  return {
    message: typeof told.message === "string"
      ? told.message
      : error instanceof Object
      ? JSON.stringify(error)
      : String(error),
    code: typeof told.code === "string" ? told.code : "",
    constraint: told.constraint,
    detail: told.detail,
    table: told.table,
    column: told.column
  }
}

/** @param {ReadonlyArray<Uint8Array>} parts */
const joined = (parts) => new Uint8Array(Buffer.concat(parts))

/**
 * One round trip: the simple protocol for what has no parameters (several statements may come then), else the extended one
 * with every parameter untyped, so that the server infers the types as it does for the pg driver.
 *
 * @param {Query} query
 */
const request = ({ params, sql }) =>
  params.length === 0
    ? protocol.serialize.query(sql)
    : joined([
      protocol.serialize.parse({ text: sql }),
      protocol.serialize.bind({ values: [...params] }),
      protocol.serialize.describe({ type: "P" }),
      protocol.serialize.execute({}),
      protocol.serialize.sync()
    ])

/**
 * @param {ReadonlyArray<{ readonly name: string }>} messages
 * @returns {ReadonlyArray<Answer>}
 */
const answersIn = (messages) => {
  /** @type {Array<Answer>} */
  const answers = []
  /** @type {ReadonlyArray<Column>} */
  let columns = []
  /** @type {Array<ReadonlyArray<string | null>>} */
  let rows = []
  for (const message of messages) {
    if (message instanceof protocol.messages.RowDescriptionMessage) {
      columns = message.fields.map((field) => ({ name: field.name, type: field.dataTypeID }))
    } else if (message instanceof protocol.messages.DataRowMessage) {
      rows.push(message.fields)
    } else if (message instanceof protocol.messages.CommandCompleteMessage) {
      answers.push({ columns, rows, command: message.text })
      columns = []
      rows = []
    }
  }
  return answers
}

/** What the database last complained of on its own log: why it did not start. */
let complaint = ""

/**
 * The operating system's code behind a complaint, where nothing is damaged and there is but no room.
 *
 * @param {string} line
 */
const lackOfRoom = (line) =>
  /No space left|Disk quota/.test(line) ? "ENOSPC" : line.includes("File too large") ? "EFBIG" : ""

/**
 * After a panic the WASM module would spin: the thread ends at once. What was told before arrives all the same.
 *
 * @param {string} line
 */
const onStderr = (line) => {
  if (/FATAL:|PANIC:/.test(line)) complaint = line.replace(/^.*?(?=FATAL:|PANIC:)/, "")
  if (!line.includes("PANIC:")) return false
  tell({ kind: "panicked", message: complaint, code: lackOfRoom(line) })
  return process.exit(1)
}

/**
 * @param {unknown} error
 * @returns {Refusal}
 */
const unready = (error) => {
  const told = refusal(error)
  if (complaint === "") return told
  return { ...told, message: complaint, code: lackOfRoom(complaint) || told.code }
}

/** @param {string} directory */
const open = async (directory) => {
  const pg = await PGlite.create({ dataDir: directory, extensions: { vector }, onStderr })
  pg.onNotification((channel, payload) => tell({ kind: "notification", channel, payload }))
  return pg
}

/**
 * @param {PGlite} pg
 * @param {Query} query
 */
const run = async (pg, query) => {
  try {
    const { messages } = await pg.runExclusive(() => pg.execProtocol(request(query)))
    tell({ kind: "answer", id: query.id, answers: answersIn(messages) })
  } catch (error) {
    tell({ kind: "refusal", id: query.id, refusal: refusal(error) })
  }
}

/**
 * @param {PGlite} pg
 * @param {Close} close
 */
const end = async (pg, close) => {
  await pg.close()
  tell({ kind: "closed", id: close.id })
  port.close()
}

try {
  const pg = await open(/** @type {{ readonly directory: string }} */ (workerData).directory)
  // A chain of promises keeps the order in which the requests came.
  let last = Promise.resolve()
  port.on("message", (/** @type {Query | Close} */ message) => {
    last = last.then(() => message.kind === "query" ? run(pg, message) : end(pg, message))
  })
  tell({ kind: "ready" })
} catch (error) {
  tell({ kind: "unready", refusal: unready(error) })
  port.close()
}
