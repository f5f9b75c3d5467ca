import { command } from "./Command.js"
import type { Command, Table } from "./Command.js"
import * as Parameter from "./Parameter.js"

const limit = (fallback: number, what: string) => Parameter.whole("limit", 1000, fallback, `At most so many ${what}`)

const jobHelp = "A job's number, as \"holdfast jobs list\" shows it"

const job = Parameter.number("job", jobHelp)

const oneOrMany = {
  job: Parameter.maybeNumber("job", jobHelp),
  kind: Parameter.text("kind", "KIND", "All jobs of this kind, such as index"),
  all: Parameter.toggle("all", "All jobs, whatever their kind"),
  yes: Parameter.toggle("yes", "Begin without asking")
}

const catalog = Parameter.text("catalog", "NAME", "Only this catalog")

const commands: ReadonlyArray<Command> = [
  command({
    path: ["index"],
    summary: "Index an API description: embed its operations so that they can be found",
    details: [
      "Reads OpenAPI 3.x or Swagger 2.0, JSON or YAML, from a file or an http(s) address. What was embedded is stored batch " +
      "by batch: stopped or failed, the same command goes on where it stopped, and texts that did not change are not " +
      "embedded again.",
      "Ends with 5 where single operations were refused, 7 where the embedder or the database is down."
    ],
    examples: ["holdfast index openapi.json", "holdfast index https://api.example.com/openapi.yaml --name example"],
    parameters: {
      location: Parameter.argument("file|url", "Where the API description is"),
      name: Parameter.text("name", "NAME", "The catalog's name; made from the document's title if not given"),
      force: Parameter.toggle("force", "Embed everything anew, also what is stored"),
      retryRefused: Parameter.toggle("retry-refused", "Ask again for refused items, and for nothing that is stored"),
      detach: Parameter.toggle("detach", "Leave the embedding to \"holdfast worker\" and return at once")
    }
  }, () => import("./commands/index.js")),
  command({
    path: ["search"],
    summary: "Find the operations that answer a question in plain words",
    details: [
      "hybrid asks the full text and the meaning and fuses both; when the embedder is down, the full text answers alone and " +
      "says so."
    ],
    examples: [
      "holdfast search how do I copy a folder to another drive",
      "holdfast search \"delete a file\" --limit 3"
    ],
    parameters: {
      question: Parameter.words("question", "What you want to do"),
      catalog,
      mode: Parameter.choice("mode", ["hybrid", "lexical", "semantic"], "hybrid", "How to look"),
      limit: limit(10, "hits")
    }
  }, () => import("./commands/search.js")),
  command({
    path: ["status"],
    summary: "How every catalog stands: one line each, with what keeps it from being done",
    parameters: {}
  }, () => import("./commands/status.js")),
  command({
    path: ["jobs", "list"],
    summary: "The newest jobs",
    parameters: {
      kind: Parameter.text("kind", "KIND", "Only jobs of this kind, such as index"),
      state: Parameter.choice(
        "state",
        ["all", "open", "pending", "running", "succeeded", "partial", "failed", "cancelled"],
        "all",
        "Only jobs in this state"
      ),
      catalog: Parameter.text("catalog", "NAME", "Only index jobs of this catalog"),
      limit: limit(20, "jobs")
    }
  }, () => import("./commands/jobsList.js")),
  command({
    path: ["jobs", "show"],
    summary: "Everything about one job: its steps, its output, and why it waits",
    parameters: { job }
  }, () => import("./commands/jobsShow.js")),
  command({
    path: ["jobs", "retry"],
    summary: "Try jobs again at once; their attempts start anew, and refused items are asked for again",
    details: [
      "Takes one job, or all that failed: of a kind, or all. What failed goes on from its finished steps, what was done whole is " +
      "done anew. Says how many first, and asks."
    ],
    examples: [
      "holdfast jobs retry 12",
      "holdfast jobs retry --kind index",
      "holdfast jobs retry --all --state cancelled"
    ],
    parameters: {
      ...oneOrMany,
      state: Parameter.maybeChoice(
        "state",
        ["failed", "partial", "cancelled", "succeeded", "pending"],
        "Those in this state, in place of those that failed"
      )
    }
  }, () => import("./commands/jobsRetry.js")),
  command({
    path: ["jobs", "cancel"],
    summary: "Stop open jobs; what they have stored stays",
    details: ["Takes one job, or all open ones: of a kind, or all. Says how many first, and asks."],
    examples: ["holdfast jobs cancel 12", "holdfast jobs cancel --kind digest --state pending"],
    parameters: {
      ...oneOrMany,
      state: Parameter.maybeChoice("state", ["pending", "running"], "Only those in this state")
    }
  }, () => import("./commands/jobsCancel.js")),
  command(
    { path: ["catalogs", "list"], summary: "All catalogs", parameters: {} },
    () => import("./commands/catalogsList.js")
  ),
  command({
    path: ["catalogs", "show"],
    summary: "Everything about one catalog",
    parameters: { name: Parameter.argument("catalog", "The catalog's name") }
  }, () => import("./commands/catalogsShow.js")),
  command({
    path: ["catalogs", "remove"],
    summary: "Remove a catalog, its vectors and its open job",
    parameters: { name: Parameter.argument("catalog", "The catalog's name") }
  }, () => import("./commands/catalogsRemove.js")),
  command({
    path: ["gates", "list"],
    summary: "Closed gates and cooldowns: providers and sessions that all their work waits for",
    parameters: {}
  }, () => import("./commands/gatesList.js")),
  command({
    path: ["gates", "open"],
    summary: "Open a gate, once its cause is mended, or end a cooldown, and wake the work behind it",
    parameters: { name: Parameter.argument("name", "The provider or session, as \"holdfast gates list\" shows it") }
  }, () => import("./commands/gatesOpen.js")),
  command({
    path: ["embedder", "show"],
    summary: "Which embedder the store uses, and how far a change to another one is",
    parameters: {}
  }, () => import("./commands/embedderShow.js")),
  command({
    path: ["embedder", "set"],
    summary: "Move the store to the embedder that the settings name",
    details: [
      "The first index decides which embedder a store uses; who comes with another one is refused. This makes the vectors of " +
      "the new one beside the old ones, which serve each catalog until its own are complete, and then removes the old. Killed " +
      "or stopped, the same command goes on where it was; vectors that exist already are used again, also on the way back.",
      "Ends with 1 where catalogs failed, 5 where single operations were refused, 6 where the rest waits."
    ],
    examples: ["holdfast embedder set --embedder-kind ollama --embedder-model bge-m3"],
    parameters: {
      yes: Parameter.toggle("yes", "Begin without asking"),
      detach: Parameter.toggle("detach", "Leave the embedding to \"holdfast worker\" and return at once")
    }
  }, () => import("./commands/embedderSet.js")),
  command({
    path: ["worker"],
    summary: "Claim and run jobs until told to stop",
    details: [
      "SIGTERM or Ctrl-C stops it well: it claims nothing more, stores the batches under way (at most 10 s), gives its jobs " +
      "back and ends with 0. Any number may run against one Postgres; the embedded database serves one process."
    ],
    parameters: {},
    logs: "info",
    endsBySignal: true
  }, () => import("./commands/worker.js")),
  command({
    path: ["migrate"],
    summary: "Bring the database's schema up to date",
    parameters: {}
  }, () => import("./commands/migrate.js")),
  command({
    path: ["config", "show"],
    summary: "Every setting with its value and where it came from; secrets hidden",
    parameters: {}
  }, () => import("./commands/configShow.js")),
  command({
    path: ["doctor"],
    summary: "Find what is wrong, and name the command that mends it",
    details: [
      "Ends with 0 when nothing fails, 7 when a dependency is down, 1 for everything else. It changes nothing."
    ],
    parameters: {}
  }, () => import("./commands/doctor.js")),
  command({
    path: ["explain"],
    summary: "Say what an error is, why, and what follows from it",
    details: [
      "Takes what a provider answered, as an argument or on stdin: a raw body, \"HTTP 429 ...\", a client's wrapped text, or " +
      "lines of JSON with id, provider, surface, status, headers, body and transport. With --json, lines of JSON get one line " +
      "each, in order; one that cannot be read gets {id, error}."
    ],
    examples: [
      "holdfast explain 'HTTP 429 Too Many Requests: rate limit exceeded'",
      "holdfast explain --provider example --surface embed < answer.txt",
      "holdfast explain --json < failures.jsonl"
    ],
    parameters: {
      error: Parameter.rest("error", "The error; read from stdin if not given"),
      provider: Parameter.text("provider", "NAME", "Who said it; guessed if not given"),
      surface: Parameter.choice("surface", ["chat", "embed"], "chat", "What was called"),
      auth: Parameter.choice("auth", ["guess", "session", "key", "none"], "guess", "How it authenticates")
    }
  }, () => import("./commands/explain.js")),
  command({
    path: ["completions"],
    summary: "Print the completion script of a shell",
    examples: [
      "source <(holdfast completions bash)",
      "holdfast completions zsh > \"${fpath[1]}/_holdfast\"",
      "holdfast completions fish > ~/.config/fish/completions/holdfast.fish"
    ],
    parameters: { shell: Parameter.argument("bash|zsh|fish", "The shell") }
  }, () => import("./commands/completions.js"))
]

const groups: Readonly<Record<string, string>> = {
  jobs: "List, inspect, retry and cancel jobs",
  catalogs: "List, inspect and remove catalogs",
  gates: "See what is parked, and resume it",
  embedder: "See and change the embedder that the store uses",
  config: "Inspect the settings"
}

export const table: Table = { commands, groups }
