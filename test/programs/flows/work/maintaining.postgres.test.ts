import { postgres } from "../../../support/Databases.js"
import { maintaining } from "./maintaining.suite.js"

maintaining(postgres)
