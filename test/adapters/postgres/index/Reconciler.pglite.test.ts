import { pglite } from "../../../support/Databases.js"
import { reconciler } from "../../suites/reconciler.js"

reconciler(pglite)
