import { pglite } from "../../../support/Databases.js"
import { storeEmbedder } from "../../suites/storeEmbedder.js"

storeEmbedder(pglite)
