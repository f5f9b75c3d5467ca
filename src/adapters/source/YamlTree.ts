import { isAlias, isMap, isNode, isPair, isScalar, isSeq } from "yaml"
import type { Pair, Scalar } from "yaml"
import * as Parsing from "./Parsed.js"
import type { Growing, Parsed, RepeatedKey } from "./Parsed.js"
import { Trouble } from "./YamlTrouble.js"

/** How many nodes a document may have once its aliases are written out. */
const unfolded = 10_000_000

const offsetOf = (node: unknown): number => (isNode(node) ? node.range?.[0] : undefined) ?? 0

/** `<<` as it stands; in quotes it is a key like any other. */
const isMerge = (key: unknown): boolean => isScalar(key) && key.value === "<<" && key.type === "PLAIN"

const textOf = ({ source, value }: Scalar): string => typeof value === "string" ? value : source ?? ""

/**
 * What is wrong with a tree that parsed: aliases of nothing or of themselves, keys that are no text, merges of no map, and
 * aliases that unfold into too much. Linear: an alias counts for its anchor's weight without going there. Merge keys copy no
 * more than this.
 */
export const inspect = (contents: unknown): Trouble | undefined => {
  const anchored = new Map<string, { readonly node: unknown; readonly weight: number | undefined }>()
  let trouble: Trouble | undefined

  const broken = (node: unknown, why: string): void => {
    trouble ??= Trouble.Broken({ offset: offsetOf(node), why })
  }
  const target = (node: unknown): unknown => isAlias(node) ? anchored.get(node.source)?.node : node

  const weighPair = ({ key, value }: Pair): number => {
    if (!isScalar(target(key)) && key !== null) broken(key, "a key is a list or a map where a text belongs")
    const weight = weigh(key) + weigh(value)
    if (isMerge(key)) {
      const merged = target(value)
      const sources: ReadonlyArray<unknown> = isSeq(merged) ? merged.items : [merged]
      if (!sources.every((source) => isMap(target(source)))) {
        broken(key, "the merge key << takes a map, an alias of one, or a list of these")
      }
    }
    return weight
  }

  const weigh = (node: unknown): number => {
    if (trouble !== undefined) return 0
    if (isAlias(node)) {
      const known = anchored.get(node.source)
      if (known?.weight !== undefined) return known.weight
      broken(
        node,
        known === undefined
          ? `the alias *${node.source} has no anchor before it`
          : `the alias *${node.source} stands within what it repeats`
      )
      return 0
    }
    const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined
    if (anchor !== undefined) anchored.set(anchor, { node, weight: undefined })
    let weight = 1
    if (isMap(node)) { for (const pair of node.items) weight += weighPair(pair) }
    else if (isSeq(node)) { for (const item of node.items) weight += isPair(item) ? weighPair(item) : weigh(item) }
    if (anchor !== undefined) anchored.set(anchor, { node, weight })
    return weight
  }

  const total = weigh(contents)
  return trouble ?? (total > unfolded ? Trouble.AliasBomb() : undefined)
}

/** The values of a tree in which `inspect` found nothing wrong. */
export const parsed = (contents: unknown): Parsed => {
  const anchored = new Map<string, unknown>()
  const repeated: Array<RepeatedKey> = []

  /** Keys that a merge brings give way to those that stand there, and to those of earlier merges. */
  const merge = (fields: Growing, merged: Set<string>, source: unknown): void => {
    if (Array.isArray(source)) { for (const one of source) merge(fields, merged, one) }
    else if (typeof source === "object" && source !== null) {
      for (const [key, value] of Object.entries(source)) {
        if (Object.hasOwn(fields, key)) continue
        Parsing.set(fields, key, value)
        merged.add(key)
      }
    }
  }

  const keyOf = (key: unknown): string =>
    isScalar(key) ? textOf(key) : isAlias(key) ? String(anchored.get(key.source)) : ""

  const into = (fields: Growing, pairs: ReadonlyArray<Pair>): Growing => {
    const merged = new Set<string>()
    for (const { key, value } of pairs) {
      if (isMerge(key)) {
        merge(fields, merged, valueOf(value))
        continue
      }
      const name = keyOf(key)
      if (isScalar(key) && key.anchor !== undefined) anchored.set(key.anchor, name)
      if (Object.hasOwn(fields, name) && !merged.delete(name)) {
        repeated.push({ within: fields, key: name, value: fields[name], offset: offsetOf(key) })
      }
      Parsing.set(fields, name, valueOf(value))
    }
    return fields
  }

  const valueOf = (node: unknown): unknown => {
    if (isAlias(node)) return anchored.get(node.source)
    if (isScalar(node)) return kept(node.anchor, node.value === null ? null : textOf(node))
    if (isMap(node)) return kept(node.anchor, into({}, node.items))
    if (isSeq(node)) return kept(node.anchor, node.items.map((item) => isPair(item) ? into({}, [item]) : valueOf(item)))
    return null
  }

  const kept = (anchor: string | undefined, value: unknown): unknown => {
    if (anchor !== undefined) anchored.set(anchor, value)
    return value
  }

  return { root: valueOf(contents), repeated }
}
