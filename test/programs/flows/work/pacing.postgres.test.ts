import { postgres } from "../../../support/Databases.js"
import { pacing } from "./pacing.suite.js"

pacing(postgres)
