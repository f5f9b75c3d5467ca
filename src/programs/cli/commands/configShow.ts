import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Settings } from "../../Settings.js"
import { describe } from "../../settings/resolve.js"
import type { Origin } from "../../settings/resolve.js"
import { commandResult } from "../CommandResult.js"
import * as Style from "../Style.js"

/** Where a value came from, in the name that one looks for there. */
const place = (origin: Origin): string =>
  origin._tag === "Flag" || origin._tag === "Environment"
    ? origin.name
    : origin._tag === "File"
    ? origin.path
    : describe(origin)

export const run = () =>
  Effect.map(Settings, ({ resolved, warnings }) =>
    commandResult(
      {
        settings: Object.fromEntries(
          resolved.map(({ key, origin, shown }) => [key, { value: Option.getOrNull(shown), from: describe(origin) }])
        ),
        warnings
      },
      (style) =>
        Style.table(
          style,
          ["setting", "value", "from"],
          resolved.map(({ key, origin, shown }) => [
            key,
            Style.clean(Option.getOrElse(shown, () => "-")),
            origin._tag === "Default"
              ? Style.paint(style, "faint", describe(origin))
              : Style.paint(style, "busy", Style.clean(place(origin)))
          ]),
          [1]
        )
    ))
