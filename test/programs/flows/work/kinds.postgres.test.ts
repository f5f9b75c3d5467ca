import { postgres } from "../../../support/Databases.js"
import { kinds } from "./kinds.suite.js"

kinds(postgres)
