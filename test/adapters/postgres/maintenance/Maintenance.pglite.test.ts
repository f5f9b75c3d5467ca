import { pglite } from "../../../support/Databases.js"
import { maintenance } from "../../suites/maintenance.js"

maintenance(pglite)
