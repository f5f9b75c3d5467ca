import { ownDatabase } from "../../support/OwnDatabase.js"
import { killing } from "./killing.suite.js"

killing("Postgres", () => ownDatabase("killing"))
