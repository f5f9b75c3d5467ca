import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import { qualified } from "../../../domain/embedding/EmbedderProfile.js"
import type { EmbedderProfile } from "../../../domain/embedding/EmbedderProfile.js"
import type { Headway } from "../../../domain/embedding/StoreEmbedder.js"
import type { ExitCode } from "../../../domain/failure/Consequence.js"
import * as ChangeEmbedder from "../../flows/ChangeEmbedder.js"
import { confirm } from "../Confirm.js"
import * as EmbedderView from "../EmbedderView.js"
import { UsageProblem } from "../Fault.js"
import { Output } from "../Output.js"
import * as Progress from "../Progress.js"
import { report } from "../Report.js"
import { count, paint, rough } from "../Style.js"
import type { Style } from "../Style.js"
import { withFoundApp } from "../wired.js"

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

/** A bar on a terminal, sparse lines elsewhere, as for an index. */
const showing = Effect.gen(function*() {
  const output = yield* Output
  const start = yield* Clock.currentTimeMillis
  const from = yield* Ref.make(Option.none<number>())
  const last = yield* Ref.make<Progress.Headway>({ done: 0, items: 0, from: 0, since: 0 })
  return Effect.fnUntraced(function*({ done, items, moved, sources }: Headway) {
    const first = Option.getOrElse(yield* Ref.updateAndGet(from, Option.orElseSome(() => done)), () => done)
    const now = { done, items, from: first, since: (yield* Clock.currentTimeMillis) - start }
    const name = `catalog ${count(Math.min(moved + 1, sources))} of ${count(sources)}`
    if (output.isWatched) yield* output.show(Option.some(Progress.bar(output.stderr, name, now)))
    else if (Progress.isWorthALine(yield* Ref.get(last), now)) {
      yield* Ref.set(last, now)
      yield* output.note(Progress.words(name, now))
    }
  })
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
  report({ step: plan.step, to: EmbedderView.json(plan.to), ...plan.estimate, detached: true }, (style) => [
    `${paint(style, "idle", "… queued")}  ${takes(plan)}`,
    paint(style, "faint", "  It goes on where a worker runs with these settings: holdfast worker")
  ])

const unchanged = (plan: ChangeEmbedder.Plan, words: string) =>
  report({ step: "none", to: EmbedderView.json(plan.to), ...plan.estimate }, () => [words])

export const run = (asked: Asked) =>
  withFoundApp(Effect.gen(function*() {
    const started = yield* Clock.currentTimeMillis
    const plan = yield* ChangeEmbedder.plan()
    if (plan.step === "none") return unchanged(plan, `The store uses ${EmbedderView.words(plan.to)} already.`)
    if (!(yield* agreed(plan, asked.yes))) return unchanged(plan, "Nothing was changed.")
    yield* ChangeEmbedder.begin(plan.to)
    if (plan.estimate.sources === 0) {
      return report({ step: plan.step, to: EmbedderView.json(plan.to), ...plan.estimate }, () => [
        `The store uses ${EmbedderView.words(plan.to)} from now on.`
      ])
    }
    if (asked.detach) return detached(plan)
    const output = yield* Output
    const moved = yield* Effect.ensuring(ChangeEmbedder.carryOut(yield* showing), output.show(Option.none()))
    const took = Duration.millis((yield* Clock.currentTimeMillis) - started)
    return report({ step: plan.step, to: EmbedderView.json(plan.to), ...moved }, ended(moved, took), exitCodeOf(moved))
  }))
