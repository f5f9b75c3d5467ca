import { InvalidRequest } from "./Failure.js"
import type { Failure } from "./Failure.js"
import type { Recognised, WireFailure } from "./WireFailure.js"

/** Judge what the wire showed, with the rule that decided. Pure and total. */
export const recognise = (wire: WireFailure): Recognised<Failure> => ({
  failure: new InvalidRequest({ provider: wire.provider, detail: "" }),
  rule: "none",
  because: "placeholder"
})

/** Judge what the wire showed. Pure and total. */
export const classify = (wire: WireFailure): Failure => recognise(wire).failure
