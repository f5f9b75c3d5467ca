import type { Evidence } from "./Evidence.js"
import type { FailureTag, NetworkPhase } from "./Failure.js"

/**
 * One piece of knowledge about providers, as data. Every condition that is given must hold. `because` says why the rule is
 * true of the provider, so that it can be checked against the provider and not against a sample.
 */
export interface Rule {
  readonly name: string
  readonly because: string
  readonly tag: FailureTag
  /** Which provider or gateway family it is known of; absent where the envelope itself is proof enough. */
  readonly provider?: RegExp
  readonly status?: (status: number | undefined) => boolean
  /** Any of the squeezed codes. */
  readonly code?: RegExp
  /** Any `path=value` of the document's leaves, lower case. */
  readonly field?: RegExp
  readonly text?: RegExp
  /** Words that speak against it. */
  readonly unless?: RegExp
  /** Codes that speak against it. */
  readonly unlessCode?: RegExp
  readonly when?: (evidence: Evidence) => boolean
  readonly phase?: NetworkPhase
  readonly tooLarge?: true
  readonly permanent?: true
  /** Which setting of ours is to blame: the address, or the key. */
  readonly setting?: "url" | "api_key"
}

/** True when the status is one of these. */
export const statusIs = (...statuses: ReadonlyArray<number>) => (status: number | undefined): boolean =>
  statuses.some((one) => one === status)

/** True for the statuses with which a key or a right is refused, and where none is known. */
export const refusalOfAccess = (status: number | undefined): boolean =>
  status === undefined || status <= 401 || [403, 404, 407, 422].includes(status)

const holds = (evidence: Evidence, { code, field, unlessCode, ...rule }: Rule): boolean =>
  (rule.status === undefined || rule.status(evidence.status)) &&
  (rule.provider === undefined || rule.provider.test(evidence.provider)) &&
  (code === undefined || evidence.codes.some((said) => code.test(said))) &&
  (field === undefined || evidence.pairs.some((pair) => field.test(pair))) &&
  (rule.text === undefined || rule.text.test(evidence.text)) &&
  (rule.unless === undefined || !rule.unless.test(evidence.text)) &&
  (unlessCode === undefined || !evidence.codes.some((said) => unlessCode.test(said))) &&
  (rule.when === undefined || rule.when(evidence))

/** The first rule of the tables that holds. */
export const firstOf = (tables: ReadonlyArray<ReadonlyArray<Rule>>, evidence: Evidence): Rule | undefined => {
  for (const table of tables) {
    for (const rule of table) if (holds(evidence, rule)) return rule
  }
  return undefined
}

/** Matches any of the given patterns anywhere in a text. */
export const anyOf = (...patterns: ReadonlyArray<string>): RegExp => new RegExp(patterns.join("|"))

/** Matches a squeezed code that equals any of the given ones; each may be a pattern. */
export const codes = (...patterns: ReadonlyArray<string>): RegExp => new RegExp(`^(?:${patterns.join("|")})$`)
