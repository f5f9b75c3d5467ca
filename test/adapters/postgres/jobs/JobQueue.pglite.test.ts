import { pglite } from "../../../support/Databases.js"
import { gates } from "../../suites/gates.js"
import { jobQueue } from "../../suites/jobQueue.js"

jobQueue(pglite)
gates(pglite)
