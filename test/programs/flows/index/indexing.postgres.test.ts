import { postgres } from "../../../support/Databases.js"
import { indexing } from "./indexing.suite.js"

indexing(postgres)
