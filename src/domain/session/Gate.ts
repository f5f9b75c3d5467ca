import * as Schema from "effect/Schema"

/** What a gate guards: all work that needs one session, or all work that needs one provider. */
export const GateKind = Schema.Literal("session", "provider")
export type GateKind = typeof GateKind.Type

/** Names one gate. `name` is a session's or a provider's name. */
export class GateRef extends Schema.Class<GateRef>("GateRef")({ kind: GateKind, name: Schema.NonEmptyString }) {}

/** Why a gate is closed, in the words that an operator reads. */
export const GateReason = Schema.Literal("sign-in", "budget", "key")
export type GateReason = typeof GateReason.Type

/** A closed gate: while it stands no call that needs it leaves the machine. `until` opens it by itself. */
export class ClosedGate extends Schema.Class<ClosedGate>("ClosedGate")({
  ref: GateRef,
  reason: GateReason,
  since: Schema.DateTimeUtc,
  until: Schema.OptionFromNullOr(Schema.DateTimeUtc),
  detail: Schema.String
}) {}

/** Whether a job stands behind the gate: by its provider, or by its session. */
export const holds = (
  { ref }: ClosedGate,
  { provider, session }: { readonly provider: string | null; readonly session: string | null }
): boolean => ref.name === (ref.kind === "provider" ? provider : session)

/** A call was not made because its gate is closed. */
export class GateShut extends Schema.TaggedError<GateShut>()("GateShut", {
  kind: GateKind,
  name: Schema.String,
  reason: GateReason
}) {
  override get message(): string {
    return `Calls to ${this.name} wait (${this.reason}). "holdfast gates list" tells since when, "holdfast gates open ${this.name}" resumes them.`
  }
}
