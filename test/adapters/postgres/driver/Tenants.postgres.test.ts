import { postgres } from "../../../support/Databases.js"
import { tenants } from "../../suites/tenants.js"

tenants(postgres)
