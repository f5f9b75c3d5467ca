import * as Args from "@effect/cli/Args"
import * as CliConfig from "@effect/cli/CliConfig"
import * as Cli from "@effect/cli/Command"
import * as Descriptor from "@effect/cli/CommandDescriptor"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Command } from "./Command.js"
import { UsageProblem } from "./Fault.js"
import type { Part } from "./Part.js"

const config = CliConfig.make({ isCaseSensitive: true, showBuiltIns: false })

const wholeFrom1 = (most: number) => (text: string): Option.Option<number> =>
  /^\d{1,12}$/.test(text) && Number(text) >= 1 && Number(text) <= most ? Option.some(Number(text)) : Option.none()

const parser = (part: Part): Args.Args<unknown> | Options.Options<unknown> => {
  switch (part._tag) {
    case "Argument":
      return Args.text({ name: part.name })
    case "Words":
      return Args.map(Args.atLeast(Args.text({ name: part.name }), 1), (words) => words.join(" "))
    case "Rest":
      return Args.map(Args.repeated(Args.text({ name: part.name })), (words) => words.join(" "))
    case "Number":
      return Args.text({ name: part.name }).pipe(
        Args.mapEffect((text) =>
          Option.match(wholeFrom1(Number.MAX_SAFE_INTEGER)(text), {
            onNone: () => Effect.fail(HelpDoc.p(`<${part.name}> takes a number, not "${text.slice(0, 100)}"`)),
            onSome: Effect.succeed
          })
        )
      )
    case "Text":
      return Options.map(Options.optional(Options.text(part.flag)), Option.getOrUndefined)
    case "Whole":
      return Options.text(part.flag).pipe(
        Options.filterMap(wholeFrom1(part.most), `--${part.flag} takes a whole number from 1 to ${part.most}`),
        Options.withDefault(part.fallback)
      )
    case "Choice":
      return Options.text(part.flag).pipe(
        Options.filterMap(
          Option.liftPredicate((text: string) => part.choices.includes(text)),
          `--${part.flag} takes one of ${part.choices.join(", ")}`
        ),
        Options.withDefault(part.fallback)
      )
    case "Switch":
      return Options.boolean(part.flag)
  }
}

const sentence = (doc: HelpDoc.HelpDoc): string => {
  // ANSI codes are what toAnsiText is for; a message has none
  // oxlint-disable-next-line no-control-regex
  const plain = HelpDoc.toAnsiText(doc).replaceAll(/\u001b\[[\d;]*m/g, "").trim().replaceAll(/\s+/g, " ")
  return /[.?!]$/.test(plain) ? plain : `${plain}.`
}

/** The values of a command's parts, from its own arguments. */
export const parse = (command: Command, args: ReadonlyArray<string>) => {
  const name = command.path.join(" ")
  const problem = (message: string) => new UsageProblem({ path: command.path, message })
  const { descriptor } = Cli.make(
    name,
    Object.fromEntries(Object.entries(command.parts).map(([key, part]) => [key, parser(part)]))
  )
  return Descriptor.parse(descriptor, [name, ...args], config).pipe(
    Effect.mapError(({ error }) => problem(sentence(error))),
    Effect.flatMap((directive) =>
      directive._tag === "BuiltIn"
        ? Effect.fail(problem("That flag is not known."))
        : directive.leftover.length > 0
        ? Effect.fail(problem(`There is one argument too many: "${directive.leftover[0]?.slice(0, 100) ?? ""}".`))
        : Effect.succeed<Readonly<Record<string, unknown>>>(directive.value)
    )
  )
}
