import { all } from "../settings/table.js"
import { find, next } from "./Command.js"
import type { Command, Table } from "./Command.js"
import { globals, logLevels } from "./Globals.js"
import * as Parameter from "./Parameter.js"

export const shells = ["bash", "zsh", "fish"] as const

/** A flag to offer: whether a value follows, and which values there are to choose from. */
interface Offer {
  readonly flag: string
  readonly help: string
  readonly takesValue: boolean
  readonly choices: ReadonlyArray<string>
}

const choicesOf = (allowed: string): ReadonlyArray<string> =>
  allowed.startsWith("one of ") ? allowed.slice("one of ".length).split(", ") : []

const everywhere: ReadonlyArray<Offer> = [
  ...globals.map(({ flag, help, hint }) => ({
    flag: `--${flag}`,
    help,
    takesValue: hint !== null,
    choices: flag === "log-level" ? logLevels : []
  })),
  ...all.map(({ allowed, flag, help }) => ({ flag, help, takesValue: true, choices: choicesOf(allowed) }))
]

const own = (command: Command | undefined): ReadonlyArray<Offer> =>
  Object.values(command?.parameters ?? {}).filter(Parameter.isFlag).map((part) => ({
    flag: `--${part.flag}`,
    help: part.help,
    takesValue: Parameter.takesValue(part),
    choices: part._tag === "Choice" ? part.choices : []
  }))

const groupsOf = (table: Table): ReadonlyArray<string> =>
  next(table, []).filter((word) => find(table, [word]) === undefined)

const summary = (table: Table, path: ReadonlyArray<string>): string =>
  find(table, path)?.summary ?? table.groups[path.join(" ")] ?? ""

/** Fixed words that an operand may be. */
const operandWords = (command: Command): ReadonlyArray<string> => command.path[0] === "completions" ? shells : []

const takesFile = (command: Command): boolean =>
  Object.values(command.parameters).some((part) => part._tag === "Argument" && part.name.startsWith("file"))

const valueCases = (offers: ReadonlyArray<Offer>): ReadonlyArray<string> =>
  offers.filter(({ takesValue }) => takesValue).map(({ choices, flag }) =>
    choices.length > 0
      ? `    ${flag}) COMPREPLY=($(compgen -W "${choices.join(" ")}" -- "$cur")); return ;;`
      : `    ${flag}) COMPREPLY=($(compgen -f -- "$cur")); return ;;`
  )

const flagList = (offers: ReadonlyArray<Offer>): string => offers.map(({ flag }) => flag).join(" ")

const bash = (table: Table): string =>
  [
    "# holdfast completions for bash: source <(holdfast completions bash)",
    "_holdfast() {",
    "  local cur=\"${COMP_WORDS[COMP_CWORD]}\" prev=\"${COMP_WORDS[COMP_CWORD-1]}\" words=\"\" word",
    "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do [[ $word == -* ]] || words+=\"$word \"; done",
    "  case \"$prev\" in",
    ...valueCases([...everywhere, ...table.commands.flatMap(own)].filter(({ flag }, at, offers) =>
      offers.findIndex((other) => other.flag === flag) === at
    )),
    "  esac",
    "  local flags=\"" + flagList(everywhere) + "\"",
    "  case \"$words\" in",
    ...table.commands.map((command) =>
      `    "${command.path.join(" ")} "*) if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "$flags ${
        flagList(own(command))
      }" -- "$cur")); ${
        takesFile(command)
          ? "else COMPREPLY=($(compgen -f -- \"$cur\")); "
          : operandWords(command).length > 0
          ? `else COMPREPLY=($(compgen -W "${operandWords(command).join(" ")}" -- "$cur")); `
          : ""
      }fi ;;`
    ),
    ...groupsOf(table).map((group) =>
      `    "${group} "*) COMPREPLY=($(compgen -W "${next(table, [group]).join(" ")} $flags" -- "$cur")) ;;`
    ),
    `    *) COMPREPLY=($(compgen -W "${next(table, []).join(" ")} $flags" -- "$cur")) ;;`,
    "  esac",
    "}",
    "complete -o filenames -F _holdfast holdfast",
    ""
  ].join("\n")

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

const zshFlag = ({ choices, flag, help, takesValue }: Offer): string =>
  quoted(
    `${flag}[${help.replaceAll(/[[\]:]/g, "\\$&")}]${
      takesValue ? `:value:${choices.length > 0 ? `(${choices.join(" ")})` : "_files"}` : ""
    }`
  )

const zshWords = (table: Table, path: ReadonlyArray<string>): string =>
  next(table, path).map((word) => quoted(`${word}:${summary(table, [...path, word]).replaceAll(":", "\\:")}`)).join(" ")

const zshCommand = (command: Command): string =>
  `_arguments $shared ${own(command).map(zshFlag).join(" ")} ${
    takesFile(command)
      ? "'*:file:_files'"
      : operandWords(command).length > 0
      ? `'1:(${operandWords(command).join(" ")})'`
      : ""
  }`.trimEnd()

const zsh = (table: Table): string =>
  [
    "#compdef holdfast",
    "# holdfast completions for zsh: holdfast completions zsh > \"${fpath[1]}/_holdfast\"",
    "_holdfast() {",
    `  local -a shared; shared=(${everywhere.map(zshFlag).join(" ")})`,
    "  local curcontext=\"$curcontext\" state line; local -a commands",
    "  _arguments -C $shared '1: :->command' '*:: :->rest'",
    "  case $state in",
    `    command) commands=(${zshWords(table, [])}); _describe command commands ;;`,
    "    rest) case $line[1] in",
    ...table.commands.filter(({ path }) => path.length === 1).map((command) =>
      `      ${command.path[0]}) ${zshCommand(command)} ;;`
    ),
    ...groupsOf(table).flatMap((group) => [
      `      ${group}) if (( CURRENT == 1 )); then commands=(${zshWords(table, [group])}); _describe command commands`,
      "        else case $words[1] in",
      ...next(table, [group]).map((word) => {
        const command = find(table, [group, word])
        return `          ${word}) ${command === undefined ? ":" : zshCommand(command)} ;;`
      }),
      "        esac; fi ;;"
    ]),
    "    esac ;;",
    "  esac",
    "}",
    "if [ \"$funcstack[1]\" = _holdfast ]; then _holdfast \"$@\"; else compdef _holdfast holdfast; fi",
    ""
  ].join("\n")

const fishFlag = (condition: string) => ({ choices, flag, help, takesValue }: Offer): string =>
  `complete -c holdfast${condition} -l ${flag.slice(2)} -d ${quoted(help)}${takesValue ? " -r" : ""}${
    choices.length > 0 ? ` -f -a ${quoted(choices.join(" "))}` : ""
  }`

const fishSeen = (path: ReadonlyArray<string>): string =>
  path.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and ")

const fish = (table: Table): string =>
  [
    "# holdfast completions for fish: holdfast completions fish > ~/.config/fish/completions/holdfast.fish",
    "complete -c holdfast -f",
    ...everywhere.map(fishFlag("")),
    ...next(table, []).map((word) =>
      `complete -c holdfast -n __fish_use_subcommand -a ${word} -d ${quoted(summary(table, [word]))}`
    ),
    ...groupsOf(table).flatMap((group) =>
      next(table, [group]).map((word) =>
        `complete -c holdfast -n ${
          quoted(`${fishSeen([group])}; and not __fish_seen_subcommand_from ${next(table, [group]).join(" ")}`)
        } -a ${word} -d ${quoted(summary(table, [group, word]))}`
      )
    ),
    ...table.commands.flatMap((command) => [
      ...own(command).map(fishFlag(` -n ${quoted(fishSeen(command.path))}`)),
      ...(takesFile(command) ? [`complete -c holdfast -n ${quoted(fishSeen(command.path))} -F`] : []),
      ...(operandWords(command).length > 0
        ? [`complete -c holdfast -n ${quoted(fishSeen(command.path))} -a ${quoted(operandWords(command).join(" "))}`]
        : [])
    ]),
    ""
  ].join("\n")

/** The completion script of a shell; undefined where there is none. */
export const script = (table: Table, shell: string): string | undefined =>
  shell === "bash" ? bash(table) : shell === "zsh" ? zsh(table) : shell === "fish" ? fish(table) : undefined
