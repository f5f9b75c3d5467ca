import { pglite } from "../../../support/Databases.js"
import { wakeUps } from "../../suites/wakeUps.js"
import { workerLock } from "../../suites/workerLock.js"

workerLock(pglite)
wakeUps(pglite)
