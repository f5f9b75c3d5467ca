import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { qualified } from "../../../domain/index/EmbedderProfile.js"
import type { EmbedderProfile } from "../../../domain/index/EmbedderProfile.js"
import type { ExitCode } from "../../../domain/failure/Consequence.js"
import { count } from "../../../domain/text/count.js"
import * as ChangeEmbedder from "../../flows/index/ChangeEmbedder.js"
import * as CallWatch from "../../flows/work/CallWatch.js"
import { Settings } from "../../Settings.js"
import { confirm } from "../Confirm.js"
import * as EmbedderView from "../EmbedderView.js"
import { UsageProblem } from "../Fault.js"
import { Output } from "../Output.js"
import * as Phase from "../Phase.js"
import * as Progress from "../Progress.js"
import { commandResult } from "../CommandResult.js"
import { paint, rough } from "../Style.js"
import type { Style } from "../Style.js"
import { callWait } from "../Waits.js"
import { withFoundApp } from "../provideLayers.js"

interface Asked {
  readonly yes: boolean
  readonly detach: boolean
}

const catalogs = (n: number): string => `${count(n)} ${n === 1 ? "catalog" : "catalogs"}`

/** What the store moves away from: several, where it was asked to move again on the way. */
const leftBy = ({ before, step }: ChangeEmbedder.Plan): ReadonlyArray<EmbedderProfile> =>
  Option.match(before, { onNone: () => [], onSome: ({ leaving, uses }) => step === "resume" ? leaving : [uses] })

/** What it takes, in one sentence. Of the same model the chunks that stay as they are need no call: how many, a run shows. */
const takes = (plan: ChangeEmbedder.Plan): string => {
  const { estimate: { sources, stored, texts }, to } = plan
  const left = leftBy(plan)
  const from = left.length === 0 ? "" : ` from ${left.map(EmbedderView.words).join(" and ")}`
  const most = left.some((one) => qualified(one) === qualified(to)) ? "up to " : ""
  return `${catalogs(sources)} with ${count(texts)} texts move${sources === 1 ? "s" : ""}${from} to ${
    EmbedderView.words(to)
  }: ${most}${count(texts - stored)} are to be embedded, ${count(stored)} have their vectors already.`
}

/** Begin only what somebody has agreed to. Going on with what was begun needs no word. */
const agreed = Effect.fnUntraced(function*(plan: ChangeEmbedder.Plan, yes: boolean) {
  const output = yield* Output
  if (yes || plan.step === "resume" || plan.estimate.sources === 0) {
    if (plan.estimate.sources > 0) yield* output.note(takes(plan))
    return true
  }
  const answer = yield* confirm(`${takes(plan)} Begin?`)
  return yield* Option.match(answer, {
    onSome: (said) => Effect.succeed(said),
    onNone: () => new UsageProblem({ path: ["embedder", "set"], message: `${takes(plan)} Give --yes to begin.` })
  })
})

/** Carry it out, and show how far it is and what it waits for, as for an index. */
const shown = Effect.fnUntraced(function*({ to: { provider } }: ChangeEmbedder.Plan) {
  const { embedder: { timeout: limit } } = yield* Settings
  const output = yield* Output
  const book = yield* CallWatch.make
  const look = yield* Progress.display
  const waited = (_quiet: number, now: number) =>
    Effect.sync(() => callWait({ provider, calls: CallWatch.seen(book), now, limit }))
  return yield* ChangeEmbedder.carryOut((headway) =>
    look(`catalog ${count(Math.min(headway.moved + 1, headway.sources))} of ${count(headway.sources)}`, headway, waited)
  ).pipe(
    Effect.provideService(CallWatch.CallWatch, Option.some(book)),
    Effect.ensuring(output.show(Option.none()))
  )
})

const exitCodeOf = ({ failed, isOver, refused }: ChangeEmbedder.Moved): ExitCode =>
  isOver ? refused > 0 ? 5 : 0 : failed > 0 ? 1 : 6

const ended = (moved: ChangeEmbedder.Moved, took: Duration.Duration) => (style: Style): ReadonlyArray<string> =>
  moved.isOver
    ? [
      `${paint(style, "good", "✓ moved")}  ${catalogs(moved.sources)}, ${count(moved.items)} texts, ${
        count(moved.refused)
      } refused, in ${rough(took)}; the old vectors are removed.`
    ]
    : [
      `${paint(style, "attention", "! not done")}  ${EmbedderView.far(moved)}; the old vectors serve the rest.`,
      paint(
        style,
        "faint",
        moved.failed > 0
          ? "  Why: holdfast jobs list --status failed; then go on: holdfast embedder set"
          : "  What the rest waits for: holdfast status; then go on: holdfast embedder set"
      )
    ]

const detached = (plan: ChangeEmbedder.Plan) =>
  commandResult({ step: plan.step, to: EmbedderView.json(plan.to), ...plan.estimate, detached: true }, (style) => [
    `${paint(style, "idle", "… queued")}  ${takes(plan)}`,
    paint(style, "faint", "  It goes on where a worker runs with these settings: holdfast worker")
  ])

const unchanged = (plan: ChangeEmbedder.Plan, words: string) =>
  commandResult({ step: "none", to: EmbedderView.json(plan.to), ...plan.estimate }, () => [words])

const set = Effect.fnUntraced(function*(asked: Asked, phase: Phase.Phase) {
  const { embedder: { kind, timeout } } = yield* Settings
  const started = yield* Clock.currentTimeMillis
  yield* phase.begin(`asking ${kind} for one vector, ${Duration.format(timeout)} a call at most`)
  const plan = yield* ChangeEmbedder.plan()
  yield* phase.end
  if (plan.step === "none") return unchanged(plan, `The store uses ${EmbedderView.words(plan.to)} already.`)
  if (!(yield* agreed(plan, asked.yes))) return unchanged(plan, "Nothing was changed.")
  yield* ChangeEmbedder.begin(plan.to)
  if (plan.estimate.sources === 0) {
    return commandResult({ step: plan.step, to: EmbedderView.json(plan.to), ...plan.estimate }, () => [
      `The store uses ${EmbedderView.words(plan.to)} from now on.`
    ])
  }
  if (asked.detach) return detached(plan)
  const moved = yield* shown(plan)
  const took = Duration.millis((yield* Clock.currentTimeMillis) - started)
  return commandResult(
    { step: plan.step, to: EmbedderView.json(plan.to), ...moved },
    ended(moved, took),
    exitCodeOf(moved)
  )
})

export const run = (asked: Asked) =>
  Effect.scoped(Effect.gen(function*() {
    const phase = yield* Phase.make
    yield* phase.begin(yield* Phase.opening)
    return yield* withFoundApp(set(asked, phase))
  }))
