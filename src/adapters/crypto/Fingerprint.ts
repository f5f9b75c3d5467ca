import * as Layer from "effect/Layer"
import { createHash } from "node:crypto"
import { Fingerprint } from "../../domain/index/Fingerprint.js"

/** SHA-256 by the platform's own library. */
export const layer = Layer.succeed(
  Fingerprint,
  (text: string) => createHash("sha256").update(text, "utf8").digest("hex")
)
