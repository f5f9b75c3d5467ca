import { ownDatabase } from "../../support/OwnDatabase.js"
import { moving } from "./moving.suite.js"

moving("Postgres", () => ownDatabase("moving"))
