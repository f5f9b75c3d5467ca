import * as Context from "effect/Context"

/** SHA-256 of a text's UTF-8, in hex: what decides whether a stored vector still belongs to a text. */
export class Fingerprint extends Context.Tag("holdfast/Fingerprint")<Fingerprint, (text: string) => string>() {}
