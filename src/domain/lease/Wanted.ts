import type * as Option from "effect/Option"

/** A kind of job that a worker can run: all of its jobs, or those behind one provider alone. */
export interface Claimable {
  readonly kind: string
  readonly provider: Option.Option<string>
}

/** What a worker looks for: jobs of these kinds, of these tenants. */
export interface Wanted {
  readonly tenants: ReadonlyArray<string>
  readonly kinds: ReadonlyArray<Claimable>
}
