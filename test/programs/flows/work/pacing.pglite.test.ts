import { pglite } from "../../../support/Databases.js"
import { pacing } from "./pacing.suite.js"

pacing(pglite)
