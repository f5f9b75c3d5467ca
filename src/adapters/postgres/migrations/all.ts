import * as Jobs from "./0001_jobs.js"
import * as Index from "./0002_index.js"

/** Every migration in order; ids run 1..n without a gap. */
export const all = [{ id: 1, name: "jobs", run: Jobs.run }, { id: 2, name: "index", run: Index.run }]
