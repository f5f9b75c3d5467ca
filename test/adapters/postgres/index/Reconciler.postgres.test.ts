import { postgres } from "../../../support/Databases.js"
import { reconciler } from "../../suites/reconciler.js"

reconciler(postgres)
