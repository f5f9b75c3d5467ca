import { pglite } from "../../../support/Databases.js"
import { upkeep } from "../../suites/upkeep.js"

upkeep(pglite)
