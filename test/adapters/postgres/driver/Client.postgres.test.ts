import { postgres } from "../../../support/Databases.js"
import { suite } from "./Client.suite.js"

suite(postgres)
