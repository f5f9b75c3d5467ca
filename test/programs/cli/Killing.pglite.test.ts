import { join } from "node:path"
import { killing } from "./killing.suite.js"

killing("PGlite", async (folder) => ({ HOLDFAST_DATA_DIR: join(folder, "data") }))
