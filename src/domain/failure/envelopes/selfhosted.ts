import { codes, statusIs } from "../Rule.js"
import type { Rule } from "../Rule.js"

/** Servers that people run themselves: Ollama, llama.cpp, LM Studio, vLLM, TEI; and Hugging Face's hosted ones. */
export const rules: ReadonlyArray<Rule> = [
  {
    name: "tei/permits",
    because:
      "TEI gives one permit an input and answers 429 overloaded to a batch beyond them: pace, which renews at once.",
    tag: "RateLimited",
    status: statusIs(429),
    field: /^(?:error_)?type=overloaded$/
  },
  {
    name: "ollama/not-a-number",
    because: "Ollama cannot write NaN as JSON: one text's vector is senseless, and the batch fails with a 500.",
    tag: "MalformedResponse",
    text: /unsupported value: (?:nan|[+-]?inf)|\bnan\b.{0,40}embedding|embedding.{0,40}\bnan\b/
  },
  {
    name: "ollama/memory",
    because: "The machine has less memory than the model needs; the next try finds the same machine.",
    tag: "ProviderUnavailable",
    permanent: true,
    text:
      /requires more system memory|more memory than is available|unknown model architecture|unsupported model architecture|unsupported architecture|error loading model architecture/
  },
  {
    name: "selfhosted/ability",
    because: "The model is there and cannot embed, chat, or use tools: the request has to change.",
    tag: "InvalidRequest",
    text:
      /(?:does not|doesn't) support (?:embeddings?|chat|generate|tools|thinking|insert|completion|images?|vision|this (?:operation|task|endpoint|api))|not support embeddings|is not an embedding model|no such function|does not support [^.]{0,40}\b(?:task|api)\b/
  },
  {
    name: "selfhosted/not-started-with",
    because:
      "The server was built or started without this ability, and names the flag that it needs; it stays so until then.",
    tag: "InvalidRequest",
    text: /\b(?:re)?(?:start|run|launch|build|compile)(?: it| the server)? with\W+--\w|\brequires? (?:the )?\W*--\w/,
    unless: /\bctx\b|\bcontext\b|\bbatch|\bmemory\b|\bcache\b|\bmax-model-len\b/
  },
  {
    name: "llama.cpp/not-supported",
    because: "not_supported_error means that the server was started without this ability.",
    tag: "InvalidRequest",
    code: codes("notsupportederror|notimplemented(?:error)?")
  },
  {
    name: "llama.cpp/batch",
    because: "An input beyond the physical batch is the text's length, though it arrives as a 500 server_error.",
    tag: "ContextLengthExceeded",
    text:
      /input (?:\(\d+ tokens\) )?is too large to process|larger than the max context size|context shift is disabled|exceeds the (?:available )?context size|\bkv (?:cache|size)\b.{0,40}\bincreas/
  },
  {
    name: "ollama/runner",
    because: "The process behind the server died or did not come up; it is started again at the next call.",
    tag: "ProviderUnavailable",
    text:
      /error was encountered while running the model|llama runner|runner process|model runner has unexpectedly stopped|llm server|model is loading|loading model|waiting for .{0,20}to start|model has crashed|model (?:is )?unloaded|no slot available|connection to the worker|post predict|do (?:embedding|completion|load) request/,
    unless: /model ['"]?\S+['"]? not found|context/
  },
  {
    name: "lmstudio/none-loaded",
    because: "LM Studio has nothing loaded to answer with, and loads nothing by itself.",
    tag: "ModelNotFound",
    text: /no models? (?:is |are )?(?:currently )?loaded|model not loaded/,
    unless: /\byet\b|loading/
  },
  {
    name: "cerebras/no-body",
    because: "Cerebras refuses an over-long prompt with a 400 or 413 and no body, and nothing else so.",
    tag: "ContextLengthExceeded",
    provider: /cerebras/,
    status: statusIs(400, 413),
    when: ({ form }) => form === "empty"
  },
  {
    name: "huggingface/loading",
    because: "The hosted model is being brought up; estimated_time names the seconds.",
    tag: "ProviderUnavailable",
    text: /is currently loading|is still loading/
  },
  {
    name: "huggingface/gated",
    because: "The model's licence must be accepted first; the token is fine.",
    tag: "PermissionDenied",
    text: /gated repo|is restricted and you are not in the authorized list|must have access to it and be authenticated/
  },
  {
    name: "huggingface/provider-model",
    because: "The chosen inference provider does not serve this model.",
    tag: "ModelNotFound",
    text:
      /not supported (?:by|for) (?:any )?provider|model .{0,80}is not supported for task|is not supported by (?:any )?provider/
  }
]
