import * as Option from "effect/Option"
import { ChatKind } from "../../domain/chat/ChatConfig.js"
import { EmbedderKind } from "../../domain/index/EmbedderConfig.js"
import * as MaxAttempts from "../../domain/job/MaxAttempts.js"
import * as Kind from "./Kind.js"

/**
 * One setting: its key in holdfast.yaml, and the names that follow from the key. `read` makes the value of the text that was
 * given, or of the default; none where the text is not allowed.
 */
export interface Setting<A, K extends string = string> {
  readonly key: K
  readonly env: string
  readonly flag: string
  /** The default as one would write it; null where there is none. */
  readonly fallback: string | null
  readonly allowed: string
  readonly help: string
  readonly read: (text: Option.Option<string>) => Option.Option<A>
  readonly show: (text: string) => string
  /** What is wrong with a text that was given, where more can be said than what is allowed. */
  readonly problem: (text: string) => Option.Option<string>
}

const named = <const K extends string>(key: K) => ({
  key,
  env: `HOLDFAST_${key.toUpperCase().replaceAll(".", "_")}`,
  flag: `--${key.replaceAll(/[._]/g, "-")}`
})

const setting = <const K extends string, A>(
  key: K,
  kind: Kind.Kind<A>,
  fallback: string,
  help: string
): Setting<A, K> => ({
  ...named(key),
  fallback,
  help,
  allowed: kind.allowed,
  show: kind.show,
  problem: kind.problem,
  read: (text) => kind.parse(Option.getOrElse(text, () => fallback))
})

const optional = <const K extends string, A>(
  key: K,
  kind: Kind.Kind<A>,
  help: string
): Setting<Option.Option<A>, K> => ({
  ...named(key),
  fallback: null,
  help,
  allowed: kind.allowed,
  show: kind.show,
  problem: kind.problem,
  read: Option.match({
    onNone: () => Option.some(Option.none<A>()),
    onSome: (given) => Option.map(kind.parse(given), Option.some)
  })
})

const modelName = Kind.matching("a model's name, at most 200 characters", /^\S.{0,199}$/)

/** Every setting there is, in the order in which people read them. */
export const table = {
  dataDir: setting(
    "data_dir",
    Kind.text("a directory"),
    ".holdfast",
    "Where the embedded database lives, when no database.url is set"
  ),
  databaseUrl: optional("database.url", Kind.postgresUrl, "A Postgres server (15 or newer) to use instead"),
  databaseSchema: setting(
    "database.schema",
    Kind.matching(
      "small letters, digits and underscores, at most 58, no digit first, neither pg_... nor information_schema",
      /^(?!pg_|information_schema$)[a-z_][a-z0-9_]{0,57}$/
    ),
    "holdfast",
    "The schema of the database in which all tables stand; beside an application's own"
  ),
  tenant: setting(
    "tenant",
    Kind.matching("a name of at most 200 characters on one line", /^(?!\s*$)[^\p{Cc}\p{Cs}]{1,200}$/u),
    "default",
    "Whose rows this process reads and writes"
  ),
  embedderKind: setting("embedder.kind", Kind.oneOf(EmbedderKind), "local", "What turns text into vectors"),
  embedderUrl: optional("embedder.url", Kind.httpUrl, "The embedder's base address"),
  embedderModel: optional(
    "embedder.model",
    modelName,
    "The model to ask for; each kind but http has a default"
  ),
  embedderServedModel: optional(
    "embedder.served_model",
    modelName,
    "How its answers call that model, where the server has another name for it"
  ),
  embedderDimension: optional(
    "embedder.dimension",
    Kind.integer(1, 16_000),
    "How long its vectors are, where an answer of another length is to be refused"
  ),
  embedderTimeout: setting(
    "embedder.timeout",
    Kind.duration("1 millis", "24 hours"),
    "5m",
    "Limit of one embed call"
  ),
  embedderProbeTimeout: setting(
    "embedder.probe_timeout",
    Kind.duration("1 millis", "5 minutes"),
    "3s",
    "Limit of one look whether the embedder is there"
  ),
  embedderApiKey: optional("embedder.api_key", Kind.apiKey, "The key for embedder.kind openai or http"),
  embedderConcurrency: optional(
    "embedder.concurrency",
    Kind.integer(1, 256),
    "Embed calls at once in one process; each kind has a default"
  ),
  embedderChunkWords: optional(
    "embedder.chunk_words",
    Kind.integer(10, 100_000),
    "Longest chunk in words; each kind has a default"
  ),
  chatKind: setting("chat.kind", Kind.oneOf(ChatKind), "openai", "The protocol of the chat provider"),
  chatUrl: optional("chat.url", Kind.httpUrl, "The chat provider's base address; each kind has a default"),
  chatModel: optional(
    "chat.model",
    modelName,
    "The model that answers, where a request names none; chat needs it"
  ),
  chatApiKey: optional("chat.api_key", Kind.apiKey, "The chat provider's key"),
  chatConcurrency: optional(
    "chat.concurrency",
    Kind.integer(1, 1024),
    "Answers under way at once in one process; each kind has a default"
  ),
  chatFirstTokenTimeout: setting(
    "chat.first_token_timeout",
    Kind.duration("1 millis", "24 hours"),
    "2m",
    "From a request to the first piece of its answer"
  ),
  chatTokenTimeout: setting(
    "chat.token_timeout",
    Kind.duration("1 millis", "24 hours"),
    "1m",
    "From one piece of an answer to the next"
  ),
  workers: setting("workers", Kind.integer(1, 512), "1", "Jobs that one worker process runs at once"),
  batchSize: setting("batch_size", Kind.integer(1, 2048), "32", "Texts in one embed call"),
  leaseDuration: setting(
    "lease_duration",
    Kind.duration("100 millis", "24 hours"),
    "10m",
    "How long a claimed job stays its worker's without a sign of life"
  ),
  maxAttempts: setting("max_attempts", Kind.integer(1, MaxAttempts.most), "5", "Tries before a job fails for good"),
  pollInterval: setting(
    "poll_interval",
    Kind.duration("50 millis", "1 hour"),
    "5s",
    "How often a worker looks for work when nobody wakes it"
  ),
  sourceTimeout: setting(
    "source.timeout",
    Kind.duration("1 millis", "1 hour"),
    "60s",
    "Limit of reading an API description from a URL"
  )
} as const

/** A setting's key as written in holdfast.yaml. */
export type Key = (typeof table)[keyof typeof table]["key"]

export const all: ReadonlyArray<Setting<unknown, Key>> = Object.values(table)
