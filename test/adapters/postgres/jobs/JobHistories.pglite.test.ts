import { pglite } from "../../../support/Databases.js"
import { jobHistories } from "../../suites/jobHistories.js"

jobHistories(pglite, 25)
