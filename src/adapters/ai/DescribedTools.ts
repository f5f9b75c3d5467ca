import * as Tool from "@effect/ai/Tool"
import * as Toolkit from "@effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Tool as ChatTool } from "../../domain/chat/ChatProvider.js"

/**
 * Tools that a LanguageModel is told of and never runs: who asked runs them. What a tool takes is any object, and its JSON Schema goes to
 * the model as it stands.
 */

const described = ({ description, name, parameters }: ChatTool) =>
  Tool.make(name, { description }).setParameters(
    Schema.Struct({}, Schema.Record({ key: Schema.String, value: Schema.Unknown })).annotations({
      jsonSchema: { ...parameters }
    })
  )

/** The toolkit of these tools, to be given with `disableToolCallResolution`. */
export const toolkit = (tools: ReadonlyArray<ChatTool>) => ({
  tools: Toolkit.make(...tools.map(described)).tools,
  handle: () => Effect.dieMessage("a tool that is only described was run")
})

/** These tools by their names. */
export type Tools = ReturnType<typeof toolkit>["tools"]
