import { postgres } from "../../support/Databases.js"
import { indexCompletion } from "../suites/indexCompletion.js"
import { indexStore } from "../suites/indexStore.js"

indexStore(postgres)
indexCompletion(postgres)
