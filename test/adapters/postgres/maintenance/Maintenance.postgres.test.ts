import { postgres } from "../../../support/Databases.js"
import { maintenance } from "../../suites/maintenance.js"

maintenance(postgres)
