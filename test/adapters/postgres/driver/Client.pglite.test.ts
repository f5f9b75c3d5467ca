import { pglite } from "../../../support/Databases.js"
import { suite } from "./Client.suite.js"

suite(pglite)
