/**
 * The last look at what goes to a terminal. Texts of providers, descriptions and settings are cleaned where they enter and where
 * they are shown; what slipped through ends here. Only line breaks, tabs and the colours that `Style.paint` uses may pass.
 */

const steering =
  // oxlint-disable-next-line no-control-regex
  /\u001b\[(?:[012]|3[1-6])m|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** The text without what steers a terminal; our own colours stay where there is colour. */
export const harmless = (text: string, colour: boolean): string =>
  text.replaceAll(steering, (found) => colour && found.length > 1 ? found : "")

/** JSON with every such character in its escaped form: it reads the same, and may be looked at on a terminal. */
export const harmlessJson = (json: string): string =>
  json.replaceAll(
    steering,
    (found) => [...found].map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`).join("")
  )
