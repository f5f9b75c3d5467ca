import { postgres } from "../../../support/Databases.js"
import { suite } from "./transact.suite.js"

suite(postgres)
