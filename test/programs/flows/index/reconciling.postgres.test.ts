import { postgres } from "../../../support/Databases.js"
import { reconciling } from "./reconciling.suite.js"

reconciling(postgres)
