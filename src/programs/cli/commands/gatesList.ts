import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { written } from "../../../domain/job/WaitReason.js"
import type { ClosedGate } from "../../../domain/session/Gate.js"
import { around } from "../surroundings.js"
import { commandResult } from "../CommandResult.js"
import * as Style from "../Style.js"
import { withStores } from "../provideLayers.js"

/** Under a gate: why it was closed, and what opens it, whole, to be copied. */
const below = (style: Style.Style, { detail, ref }: ClosedGate): ReadonlyArray<string> => [
  ...(detail === "" ? [] : Style.prose(style, [["", Style.clean(detail)]])),
  Style.paint(style, "faint", `  Open it: holdfast gates open ${ref.name}`)
]

export const run = () =>
  withStores(Effect.map(around, ({ cooldowns, gates, now }) =>
    commandResult(
      {
        gates: gates.map(({ detail, reason, ref, since, until }) => ({
          kind: ref.kind,
          name: ref.name,
          reason,
          since: written(since),
          until: Option.getOrNull(Option.map(until, written)),
          detail
        })),
        cooldowns: cooldowns.map(({ provider, until }) => ({ provider, until: written(until) }))
      },
      (style) => [
        ...(gates.length === 0 ? ["All gates are open."] : Style.table(
          style,
          ["gate", "closed for", "since", "until"],
          gates.map(({ reason, ref, since, until }) => [
            `${ref.kind} ${ref.name}`,
            Style.paint(style, "attention", `⏸ ${reason}`),
            Style.ago(since, now),
            Option.match(until, { onNone: () => "it is opened", onSome: Style.time })
          ]),
          [0]
        ).flatMap((line, at) => [
          line,
          ...Option.match(Option.fromNullable(gates[at - 1]), {
            onNone: () => [],
            onSome: (gate) => below(style, gate)
          })
        ])),
        ...cooldowns.map(({ provider, until }) =>
          `${provider} cools down until ${Style.time(until)}. End it: holdfast gates open ${provider}`
        )
      ]
    ))).pipe(
      Effect.catchTag("StoreMissing", ({ message }) =>
        Effect.succeed(commandResult({ gates: [], cooldowns: [] }, () => [`Nothing is parked. ${message}`])))
    )
