import { postgres } from "../../../support/Databases.js"
import { pacer } from "../../suites/pacer.js"

pacer(postgres)
