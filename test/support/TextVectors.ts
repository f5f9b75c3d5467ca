/**
 * Vectors for the servers that tests talk to: the same text always gets the same one, its norm is never zero, and texts that
 * share words lie near each other. The numbers are float32, so that base64 and decimal text carry the same.
 */
export const textVector = (text: string, dimension: number): ReadonlyArray<number> => {
  const sum = Array.from({ length: dimension }, () => 0)
  const words = text.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "")
  for (const word of words) add(sum, word, 1)
  add(sum, `whole:${text}`, 0.25)
  const norm = Math.hypot(...sum)
  return sum.map((x) => Math.fround(x / norm))
}

const add = (sum: Array<number>, seed: string, weight: number): void => {
  let state = fnv1a(seed)
  for (let index = 0; index < sum.length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    sum[index] = (sum[index] ?? 0) + weight * (state / 2 ** 31 - 1)
  }
}

const fnv1a = (text: string): number => {
  let hash = 2_166_136_261
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 16_777_619) >>> 0
  return hash
}
