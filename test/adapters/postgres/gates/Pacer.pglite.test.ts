import { pglite } from "../../../support/Databases.js"
import { pacer } from "../../suites/pacer.js"

pacer(pglite)
