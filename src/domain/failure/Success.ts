import * as LooseJson from "./LooseJson.js"

/** What of a successful answer is a failure all the same: how it ended, and the parts of it that are errors. */

const texts = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []

const present = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== "" && value !== false && value !== 0 &&
  !(Array.isArray(value) && value.length === 0)

/**
 * Whether the JSON of an answer may hold a fault, or tell how it ended: no where it lacks all words that would. Each event of a stream
 * is asked, and looking for a word costs a tenth of reading the document.
 */
export const mayTell = (json: string): boolean =>
  /err|code|status|success|detail|exception|__type|(?:finish|stop)_?reason"\s*:\s*"|"(?:reason|blockReason)"/i.test(
    json
  )

/** How an answer ended: whose word it is (`finish`, `block`), and the word as it stood. */
export type Ending = readonly [kind: "finish" | "block", word: unknown]

/** How a document of an answer says that it ended, in the places where the families of providers say it. */
export const endings = (document: unknown): ReadonlyArray<Ending> => {
  const get = (key: string) => LooseJson.member(document, key)
  const incomplete = LooseJson.member(get("response"), "incomplete_details") ?? get("incomplete_details")
  return [
    ...[...texts(get("choices")), ...texts(get("candidates"))].flatMap((choice) =>
      ["finish_reason", "finishReason", "native_finish_reason"].map((key): Ending => [
        "finish",
        LooseJson.member(choice, key)
      ])
    ),
    ...[document, get("delta"), get("message"), get("messageStop")].flatMap((owner) =>
      ["stop_reason", "stopReason", "finish_reason"].map((key): Ending => ["finish", LooseJson.member(owner, key)])
    ),
    ["block", LooseJson.member(get("promptFeedback"), "blockReason")],
    ["finish", LooseJson.member(incomplete, "reason")]
  ]
}

/** The parts of a successful answer that are errors. */
export const faults = (document: unknown): ReadonlyArray<unknown> => {
  if (Array.isArray(document)) return document.flatMap(faults)
  const get = (key: string) => LooseJson.member(document, key)
  const nested = [
    ...[...texts(get("choices")), ...texts(get("data")), ...texts(get("results"))].map((choice) =>
      LooseJson.member(choice, "error")
    ),
    LooseJson.member(get("response"), "error"),
    LooseJson.member(get("Response"), "Error"),
    LooseJson.member(get("result"), "error"),
    LooseJson.member(get("output"), "error")
  ].filter(present).map((error) => ({ error }))
  const base = get("base_resp")
  const code = get("code")
  const flat = typeof get("message") === "string" || typeof get("msg") === "string"
  const type = get("type")
  const header = get("header")
  const own = present(get("error")) || present(get("errors")) || present(get("error_code")) ||
    present(get("error_msg")) ||
    present(get("errorCode")) || present(get("errcode")) || type === "error" || get("object") === "error" ||
    get("success") === false || get("status") === "error" || get("status") === "failed" ||
    present(LooseJson.member(base, "status_code")) || present(LooseJson.member(header, "code")) ||
    present(get("detail")) && get("choices") === undefined ||
    flat && present(code) && String(code) !== "200" && String(code).toLowerCase() !== "success" ||
    LooseJson.entries(document).some(([key]) => /exception$/i.test(key) || key === "__type")
  return own ? [document, ...nested] : nested
}
