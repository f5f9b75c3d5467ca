import { postgres } from "../../../support/Databases.js"
import { catalogStore } from "../../suites/catalogStore.js"

catalogStore(postgres)
