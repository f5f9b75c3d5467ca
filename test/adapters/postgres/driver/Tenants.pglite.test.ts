import { pglite } from "../../../support/Databases.js"
import { tenants } from "../../suites/tenants.js"

tenants(pglite)
