/** What a command takes, as data: parsing, help and completions are all made from it. */
export type Parameter =
  | { readonly _tag: "Argument"; readonly name: string; readonly help: string }
  /** One or more words, joined by spaces: a question needs no quotes. */
  | { readonly _tag: "Words"; readonly name: string; readonly help: string }
  /** Any number of words, none included, joined by spaces. */
  | { readonly _tag: "Rest"; readonly name: string; readonly help: string }
  | { readonly _tag: "Number"; readonly name: string; readonly help: string }
  | { readonly _tag: "MaybeNumber"; readonly name: string; readonly help: string }
  | { readonly _tag: "Text"; readonly flag: string; readonly hint: string; readonly help: string }
  | {
    readonly _tag: "Whole"
    readonly flag: string
    readonly most: number
    readonly fallback: number
    readonly help: string
  }
  | {
    readonly _tag: "Choice"
    readonly flag: string
    readonly choices: ReadonlyArray<string>
    readonly fallback: string | undefined
    readonly help: string
  }
  | { readonly _tag: "Switch"; readonly flag: string; readonly help: string }

export type Flag = Extract<Parameter, { readonly flag: string }>
export type Operand = Exclude<Parameter, Flag>

/** What a part becomes; what was not given and has no fallback is undefined. */
export type Value<P extends Parameter> = P extends { readonly _tag: "Argument" | "Words" | "Rest" } ? string
  : P extends { readonly _tag: "Number" | "Whole" } ? number
  : P extends { readonly _tag: "MaybeNumber" } ? number | undefined
  : P extends { readonly _tag: "Text" } ? string | undefined
  : P extends { readonly _tag: "Choice"; readonly choices: ReadonlyArray<infer A>; readonly fallback: undefined }
    ? A | undefined
  : P extends { readonly _tag: "Choice"; readonly choices: ReadonlyArray<infer A> } ? A
  : boolean

export const argument = (name: string, help: string) => ({ _tag: "Argument", name, help }) as const

export const words = (name: string, help: string) => ({ _tag: "Words", name, help }) as const

export const rest = (name: string, help: string) => ({ _tag: "Rest", name, help }) as const

export const number = (name: string, help: string) => ({ _tag: "Number", name, help }) as const

/** A number that may be left out. */
export const maybeNumber = (name: string, help: string) => ({ _tag: "MaybeNumber", name, help }) as const

export const text = (flag: string, hint: string, help: string) => ({ _tag: "Text", flag, hint, help }) as const

/** A whole number from 1. */
export const whole = (flag: string, most: number, fallback: number, help: string) =>
  ({ _tag: "Whole", flag, most, fallback, help }) as const

export const choice = <const A extends string>(
  flag: string,
  choices: ReadonlyArray<A>,
  fallback: NoInfer<A>,
  help: string
) => ({ _tag: "Choice", flag, choices, fallback, help }) as const

/** A choice that may be left out. */
export const maybeChoice = <const A extends string>(flag: string, choices: ReadonlyArray<A>, help: string) =>
  ({ _tag: "Choice", flag, choices, fallback: undefined, help }) as const

export const toggle = (flag: string, help: string) => ({ _tag: "Switch", flag, help }) as const

export const isFlag = (part: Parameter): part is Flag => "flag" in part

/** Whether a flag is followed by a value. */
export const takesValue = (flag: Flag): boolean => flag._tag !== "Switch"

/** How an operand stands in a usage line. */
export const operandUsage = (part: Operand): string =>
  part._tag === "Words" ? `<${part.name}...>` : part._tag === "Rest"
    ? `[${part.name}...]`
    : part._tag === "MaybeNumber"
    ? `[${part.name}]`
    : `<${part.name}>`

/** How a flag stands in a usage line. */
export const flagUsage = (part: Flag): string => {
  switch (part._tag) {
    case "Switch":
      return `--${part.flag}`
    case "Choice":
      return `--${part.flag} ${part.choices.join("|")}`
    case "Whole":
      return `--${part.flag} N`
    case "Text":
      return `--${part.flag} ${part.hint}`
  }
}
