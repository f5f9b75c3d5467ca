import { pglite } from "../../../support/Databases.js"
import { searchIndex } from "../../suites/searchIndex.js"

searchIndex(pglite)
