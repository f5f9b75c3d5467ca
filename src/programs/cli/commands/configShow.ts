import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Settings } from "../../Settings.js"
import { describe } from "../../settings/resolve.js"
import { all } from "../../settings/table.js"
import { report } from "../Report.js"
import * as Style from "../Style.js"

export const run = () =>
  Effect.map(Settings, ({ resolved, warnings }) =>
    report(
      {
        settings: Object.fromEntries(
          resolved.map(({ key, origin, shown }) => [key, { value: Option.getOrNull(shown), from: describe(origin) }])
        ),
        warnings
      },
      (style) =>
        Style.table(
          style,
          ["setting", "value", "from", "environment", "flag"],
          resolved.map(({ key, origin, shown }, at) => [
            key,
            Option.getOrElse(shown, () => "-"),
            origin._tag === "Default"
              ? Style.paint(style, "faint", describe(origin))
              : Style.paint(style, "busy", describe(origin)),
            Style.paint(style, "faint", all[at]?.env ?? ""),
            Style.paint(style, "faint", all[at]?.flag ?? "")
          ])
        )
    ))
