import { postgres } from "../../../support/Databases.js"
import { storeEmbedder } from "../../suites/storeEmbedder.js"

storeEmbedder(postgres)
