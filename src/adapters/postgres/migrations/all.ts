import * as Foundation from "./0001_foundation.js"

/** Every migration in order; ids run 1..n without a gap. */
export const all = [{ id: 1, name: "foundation", run: Foundation.run }]
