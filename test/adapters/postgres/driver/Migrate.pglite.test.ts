import { pglite } from "../../../support/Databases.js"
import { suite } from "./Migrate.suite.js"

suite(pglite)
