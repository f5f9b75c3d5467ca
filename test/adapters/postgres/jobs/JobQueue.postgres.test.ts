import { postgres } from "../../../support/Databases.js"
import { gates } from "../../suites/gates.js"
import { jobQueue } from "../../suites/jobQueue.js"

jobQueue(postgres)
gates(postgres)
