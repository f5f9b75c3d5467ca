import { pglite } from "../../../support/Databases.js"
import { enqueuing } from "../../suites/enqueueInTransaction.js"

enqueuing(pglite)
