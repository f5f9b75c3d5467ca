import { join } from "node:path"
import { moving } from "./moving.suite.js"

moving("PGlite", async (folder) => ({ HOLDFAST_DATA_DIR: join(folder, "data") }))
