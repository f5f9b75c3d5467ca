import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import { dirname, resolve as absolute } from "node:path"
import { ChatConfig } from "../domain/chat/ChatConfig.js"
import type { ChatKind } from "../domain/chat/ChatConfig.js"
import { EmbedderConfig } from "../domain/index/EmbedderConfig.js"
import { formatDuration } from "./settings/Kind.js"
import { Origin, problems, read, resolved, SettingsProblem, winner } from "./settings/resolve.js"
import type { Resolved, Source } from "./settings/resolve.js"
import * as Sources from "./settings/sources.js"
import { all, table } from "./settings/table.js"
import type { Key } from "./settings/table.js"

/** Every setting of this process, checked. Durations and secrets have their types; paths are absolute. */
export interface Values {
  readonly dataDir: string
  readonly databaseUrl: Option.Option<Redacted.Redacted>
  readonly databaseSchema: string
  readonly tenant: string
  readonly embedder: Context.Tag.Service<typeof EmbedderConfig>
  readonly chat: Omit<Context.Tag.Service<typeof ChatConfig>, "model"> & {
    readonly kind: ChatKind
    /** None where nobody has configured chat. */
    readonly model: Option.Option<string>
  }
  readonly workers: number
  readonly batchSize: number
  readonly leaseDuration: Duration.Duration
  readonly maxAttempts: number
  readonly pollInterval: Duration.Duration
  readonly sourceTimeout: Duration.Duration
  /** Each setting as it may be shown, and where it came from. */
  readonly resolved: ReadonlyArray<Resolved>
  /** Sentences about settings that work but are likely mistakes. */
  readonly warnings: ReadonlyArray<string>
}

export class Settings extends Context.Tag("holdfast/Settings")<Settings, Values>() {}

const values = (from: ReadonlyArray<Source>) =>
  Either.all({
    dataDir: Either.map(read(from, table.dataDir), (path) => absolute(baseOf(from), path)),
    databaseUrl: read(from, table.databaseUrl),
    databaseSchema: read(from, table.databaseSchema),
    tenant: read(from, table.tenant),
    embedder: Either.all({
      kind: read(from, table.embedderKind),
      url: read(from, table.embedderUrl),
      model: read(from, table.embedderModel),
      servedModel: read(from, table.embedderServedModel),
      dimension: read(from, table.embedderDimension),
      apiKey: read(from, table.embedderApiKey),
      timeout: read(from, table.embedderTimeout),
      probeTimeout: read(from, table.embedderProbeTimeout),
      concurrency: read(from, table.embedderConcurrency),
      chunkWords: read(from, table.embedderChunkWords)
    }),
    chat: Either.all({
      kind: read(from, table.chatKind),
      url: read(from, table.chatUrl),
      model: read(from, table.chatModel),
      apiKey: read(from, table.chatApiKey),
      concurrency: read(from, table.chatConcurrency),
      firstTokenTimeout: read(from, table.chatFirstTokenTimeout),
      tokenTimeout: read(from, table.chatTokenTimeout)
    }),
    workers: read(from, table.workers),
    batchSize: read(from, table.batchSize),
    leaseDuration: read(from, table.leaseDuration),
    maxAttempts: read(from, table.maxAttempts),
    pollInterval: read(from, table.pollInterval),
    sourceTimeout: read(from, table.sourceTimeout)
  })

/** A path written in a file is relative to that file, all others to the working directory. */
const baseOf = (from: ReadonlyArray<Source>): string =>
  Option.match(winner(from, table.dataDir.key), {
    onNone: () => ".",
    onSome: ({ origin }) => Origin.$is("File")(origin) ? dirname(origin.path) : "."
  })

type Checked = Omit<Values, "resolved" | "warnings">

/** What settings say together that none of them says alone. */
const conflicts = ({ embedder }: Checked): ReadonlyArray<string> => [
  ...(embedder.kind === "http" && Option.isNone(embedder.url)
    ? [
      `embedder.kind is "http", which needs embedder.url (${table.embedderUrl.env}), the address of the embedding service.`
    ]
    : []),
  ...(embedder.kind === "openai" && Option.isNone(embedder.url) && Option.isNone(embedder.apiKey)
    ? [
      `embedder.kind is "openai", which needs embedder.api_key (${table.embedderApiKey.env}), or embedder.url where another server speaks its protocol.`
    ]
    : [])
]

const doubts = ({ embedder, leaseDuration }: Checked): ReadonlyArray<string> => [
  ...(Duration.greaterThanOrEqualTo(embedder.timeout, leaseDuration)
    ? [
      `embedder.timeout (${formatDuration(embedder.timeout)}) is not shorter than lease_duration (${
        formatDuration(leaseDuration)
      }): a worker that dies in a slow call keeps its job for longer than a lease should last.`
    ]
    : []),
  ...(embedder.kind === "local" && Option.isSome(embedder.url)
    ? [`embedder.url is set but embedder.kind is "local", which calls nobody; set embedder.kind to use it.`]
    : []),
  ...(Option.exists(embedder.url, ({ password, username }) => username !== "" || password !== "")
      && Option.isSome(embedder.apiKey)
    ? [
      "The user and password in embedder.url are not sent, since embedder.api_key is set and a request carries only one of them: leave one out."
    ]
    : [])
]

/** The settings that these places give together, earlier places first. Pure. */
export const resolve = (from: ReadonlyArray<Source>): Either.Either<Values, SettingsProblem> => {
  const [first, ...others] = problems(from)
  if (first !== undefined) return Either.left(new SettingsProblem({ problems: [first, ...others] }))
  return values(from).pipe(
    Either.mapLeft((problem) => new SettingsProblem({ problems: [problem] })),
    Either.flatMap((checked) => {
      const [conflict, ...more] = conflicts(checked)
      return conflict === undefined
        ? Either.right({ ...checked, resolved: resolved(from), warnings: doubts(checked) })
        : Either.left(new SettingsProblem({ problems: [conflict, ...more] }))
    })
  )
}

/** Read all places: what is given first, then the environment, then holdfast.yaml (or the file named), then the defaults. */
const loadAfter = Effect.fn("Settings.load")(
  function*(
    first: Source,
    named: Option.Option<string>
  ): Effect.fn.Return<Values, SettingsProblem, FileSystem.FileSystem> {
    const config = Option.isSome(named) ? named : yield* Sources.variable("HOLDFAST_CONFIG")
    const file = yield* Option.match(config, {
      onNone: () => Sources.fileInPlace,
      onSome: (path) => Sources.file(absolute(path))
    })
    const found = yield* resolve([first, yield* Sources.environment, file])
    return { ...found, warnings: [...found.warnings, ...(yield* Sources.strayVariables)] }
  }
)

/** The environment with its names as they stand, so that one which nothing reads can be told. */
export const environment = ConfigProvider.fromEnv({ pathDelim: "/" })

/** The settings of a command: its flags come first. */
export const load = (given: { readonly flags: ReadonlyMap<Key, string>; readonly config: Option.Option<string> }) =>
  loadAfter(Sources.flags(given.flags), given.config)

/** Values under the keys of holdfast.yaml. */
export type Given = { readonly [K in Key]?: Sources.Override | undefined }

/** For programs that embed holdfast: values given in code, and the defaults; nothing else is read. */
export const layer = (given: Given = {}): Layer.Layer<Settings, SettingsProblem> =>
  Layer.effect(Settings, Effect.suspend(() => resolve([Sources.code(given)])))

/**
 * For programs that embed holdfast and are set up as its command is: what the code gives, then the environment, then
 * holdfast.yaml in the working directory (or the file that HOLDFAST_CONFIG names), then the defaults. Doubts are logged.
 */
export const fromEnvironment = (given: Given = {}): Layer.Layer<Settings, SettingsProblem> =>
  Layer.effect(
    Settings,
    Effect.suspend(() => loadAfter(Sources.code(given), Option.none())).pipe(
      Effect.withConfigProvider(environment),
      Effect.tap(({ warnings }) => Effect.forEach(warnings, (warning) => Effect.logWarning(warning), { discard: true }))
    )
  ).pipe(Layer.provide(NodeFileSystem.layer))

/** The part that embedders read. */
export const embedderConfig: Layer.Layer<EmbedderConfig, never, Settings> = Layer.effect(
  EmbedderConfig,
  Effect.map(Settings, ({ embedder }) => embedder)
)

const chatProblems = ({ apiKey, kind, model, url }: Values["chat"]): ReadonlyArray<string> => [
  ...(Option.isNone(model)
    ? [`chat.model (${table.chatModel.env}) is not set: chat needs the name of the model that is to answer.`]
    : []),
  ...(kind !== "ollama" && Option.isNone(url) && Option.isNone(apiKey)
    ? [
      `chat.kind is "${kind}", which needs chat.api_key (${table.chatApiKey.env}), or chat.url where another server speaks its protocol.`
    ]
    : [])
]

/** The part that chat providers read. Only whoever chats has to have it complete. */
export const chatConfig: Layer.Layer<ChatConfig, SettingsProblem, Settings> = Layer.effect(
  ChatConfig,
  Effect.flatMap(Settings, ({ chat }) => {
    const [first, ...others] = chatProblems(chat)
    return first === undefined
      ? Effect.succeed({ ...chat, model: Option.getOrElse(chat.model, () => "") })
      : Effect.fail(new SettingsProblem({ problems: [first, ...others] }))
  })
)

/** All settings as a Markdown table: what the README shows. */
export const settingsTable = (): string =>
  [
    "| holdfast.yaml | environment | flag | default | what it is | allowed |",
    "|---|---|---|---|---|---|",
    ...all.map(({ allowed, env, fallback, flag, help, key }) =>
      `| \`${key}\` | \`${env}\` | \`${flag}\` | ${fallback === null ? "" : `\`${fallback}\``} | ${help} | ${allowed} |`
    )
  ].join("\n")
