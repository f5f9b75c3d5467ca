import { pglite } from "../../../support/Databases.js"
import { jobKinds } from "../../suites/jobKinds.js"

jobKinds(pglite)
