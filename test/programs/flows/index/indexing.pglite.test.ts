import { pglite } from "../../../support/Databases.js"
import { indexing } from "./indexing.suite.js"

indexing(pglite)
