import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Part } from "../../../domain/chat/ChatProvider.js"
import type { FinishReason } from "../../../domain/chat/ChatProvider.js"
import { Arguments, ToolCall, ToolCallId } from "../../../domain/chat/Message.js"

/** A tool call as its pieces arrive. `key` tells whose piece one is; `json` is as much of its arguments as has come. */
export interface Begun {
  readonly key: string
  readonly id: string
  readonly name: string
  readonly json: string
}

const decode = Schema.decodeUnknownOption(Schema.parseJson(Arguments))

/** A tool without parameters is called with nothing at all by some models. */
const argumentsOf = ({ json }: Begun): Option.Option<Arguments> => json.trim() === "" ? Option.some({}) : decode(json)

/** The calls with a piece more: of a call that has begun, else of a new one. */
export const add = (calls: ReadonlyArray<Begun>, piece: Begun): ReadonlyArray<Begun> => {
  const at = calls.findIndex(({ key }) => key === piece.key)
  const before = calls[at]
  if (before === undefined) return [...calls, piece]
  return calls.with(at, {
    key: piece.key,
    id: before.id === "" ? piece.id : before.id,
    name: before.name === "" ? piece.name : before.name,
    json: before.json + piece.json
  })
}

/**
 * The parts of an answer's calls. Where the answer ended for want of room its last call may be half a call, and is left out; in any
 * other answer arguments that cannot be read break the contract. Providers that name no ids are given some made of `seed`.
 */
export const parts = (
  calls: ReadonlyArray<Begun>,
  finish: FinishReason,
  seed: string
): Either.Either<ReadonlyArray<Part>, string> =>
  Either.all(calls.map((call, index) => {
    if (call.name === "") {
      return finish === "length" ? Either.right([]) : Either.left("a tool call has no name")
    }
    return Option.match(argumentsOf(call), {
      onSome: (given) =>
        Either.right([
          Part.ToolCall({
            call: ToolCall.make({
              id: ToolCallId.make(call.id === "" ? `call_${seed}_${index}` : call.id),
              name: call.name,
              arguments: given
            })
          })
        ]),
      onNone: () =>
        finish === "length"
          ? Either.right([])
          : Either.left(`the arguments of the tool call ${call.name.slice(0, 60)} are not a JSON object`)
    })
  })).pipe(Either.map((all) => all.flat()))

/** Several providers say `stop` where the model stopped to have its tools called. */
export const finishOf = (told: FinishReason, calls: ReadonlyArray<Begun>): FinishReason =>
  told === "stop" && calls.length > 0 ? "tool-calls" : told
