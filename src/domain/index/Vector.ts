import * as Either from "effect/Either"

/** An embedding's numbers. Length is the model's dimension. */
export type Vector = ReadonlyArray<number>

/** What an answer must be to be stored: as many vectors as texts, one dimension, finite numbers, a direction, in float32. */
export interface Expected {
  readonly count: number
  /** The dimension that is configured or already stored for this model; null where nobody knows it yet. */
  readonly dimension: number | null
}

/** The store keeps float32: a number beyond it becomes infinite there, and a vector of numbers below it one of zeros. */
const problemOf = (vector: Vector, index: number, dimension: number): string | null => {
  if (vector.length === 0) return `vector ${index} is empty`
  if (vector.length !== dimension) return `vector ${index} has ${vector.length} dimensions, expected ${dimension}`
  let isZero = true
  for (const x of vector) {
    if (!Number.isFinite(x)) return `vector ${index} holds a number that is not finite`
    const stored = Math.fround(x)
    if (!Number.isFinite(stored)) return `vector ${index} holds a number beyond those of float32`
    if (stored !== 0) isZero = false
  }
  return isZero ? `vector ${index} has a norm of zero` : null
}

/** Check an embedder's answer. The left side says in plain words which part of the contract is broken. */
export const check = (
  vectors: ReadonlyArray<Vector>,
  expected: Expected
): Either.Either<ReadonlyArray<Vector>, string> => {
  if (vectors.length !== expected.count) {
    return Either.left(`expected ${expected.count} vectors, got ${vectors.length}`)
  }
  const dimension = expected.dimension ?? vectors[0]?.length ?? 0
  for (const [index, vector] of vectors.entries()) {
    const problem = problemOf(vector, index, dimension)
    if (problem !== null) return Either.left(problem)
  }
  return Either.right(vectors)
}

/** The same direction with norm 1, so that a dot product is the cosine. Expects a checked vector. */
export const normalised = (vector: Vector): Vector => {
  let scale = 0
  for (const x of vector) scale = Math.max(scale, Math.abs(x))
  let squares = 0
  for (const x of vector) squares += (x / scale) ** 2
  const norm = scale * Math.sqrt(squares)
  return vector.map((x) => x / norm)
}
