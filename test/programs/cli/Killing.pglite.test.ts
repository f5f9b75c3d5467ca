import * as Effect from "effect/Effect"
import { join } from "node:path"
import { prepare } from "../../support/Databases.js"
import { killing } from "./killing.suite.js"

killing("PGlite", async (folder) => {
  await Effect.runPromise(prepare(join(folder, "data")))
  return { HOLDFAST_DATA_DIR: join(folder, "data") }
})
