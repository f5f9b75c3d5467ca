import { postgres } from "../../../support/Databases.js"
import { jobHistories } from "../../suites/jobHistories.js"

// More of them with `npm run chaos:long`.
jobHistories(postgres, Number(process.env["HOLDFAST_HISTORIES"] ?? 500))
