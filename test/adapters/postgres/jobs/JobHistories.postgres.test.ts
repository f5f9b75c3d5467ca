import { postgres } from "../../../support/Databases.js"
import { jobHistories } from "../../suites/jobHistories.js"

jobHistories(postgres, 100)
