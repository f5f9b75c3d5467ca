import { pglite } from "../../../support/Databases.js"
import { indexCompletion } from "../../suites/indexCompletion.js"
import { indexStore } from "../../suites/indexStore.js"

indexStore(pglite)
indexCompletion(pglite)
