import { pglite } from "../../../support/Databases.js"
import { changing } from "./changing.suite.js"

changing(pglite)
