import { postgres } from "../../../support/Databases.js"
import { upkeep } from "../../suites/upkeep.js"

upkeep(postgres)
