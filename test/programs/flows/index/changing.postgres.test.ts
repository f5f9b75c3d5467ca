import { postgres } from "../../../support/Databases.js"
import { changing } from "./changing.suite.js"

changing(postgres)
