import { pglite } from "../../../support/Databases.js"
import { ownWork } from "./ownWork.suite.js"

ownWork(pglite)
