import { postgres } from "../../../support/Databases.js"
import { jobKinds } from "../../suites/jobKinds.js"

jobKinds(postgres)
