import type { Answer } from "../http/WireFailure.js"
import * as Wire from "../http/WireFailure.js"

/**
 * What a request asks for beyond its texts and model, and which of it an answer blames. Servers that speak this protocol refuse
 * what they do not know in words of their own. All of these have been seen, and each names the parameter or its value:
 * vLLM (400, "base64 encoding is not currently supported", vllm-project/vllm#6174; "does not support matryoshka representation",
 * QwenLM/Qwen3-Embedding#85), Jina (400, "extra fields not permitted: ['encoding_format']", 1Panel-dev/MaxKB#2639), LiteLLM (400 and
 * 500, "does not support parameters: {'encoding_format': ...}", BerriAI/litellm#14685; "Setting user/encoding format is not
 * supported", #5444), Infinity (400, "matryoshka_dim=512 is not in a valid range", michaelfeil/infinity#519), OpenAI itself ("This
 * model does not support specifying dimensions"). A proxy that cannot read base64 names nothing (400, CherryHQ/cherry-studio#14111).
 */
export type Parameter = "encoding_format" | "dimensions"

const named: Readonly<Record<Parameter, RegExp>> = {
  encoding_format: /encoding[\s_-]*format|base64/iu,
  dimensions: /dimension|matryoshka/iu
}

/** Key, money, model, size and pace have statuses of their own, and a gateway's trouble has too. */
const finding = (status: number): boolean => [400, 415, 422, 500, 501].includes(status)

/** Some gateways put a refusal into a success. */
const isRefusal = (answer: Answer): boolean =>
  Wire.isSuccess(answer) ? /"error"/u.test(answer.body) && !/"embedding"/u.test(answer.body) : finding(answer.status)

/** Which of the parameters sent the answer speaks of. It may be wrong: only the same request without them can tell. */
export const blamed = (answer: Answer, sent: ReadonlyArray<Parameter>): ReadonlyArray<Parameter> =>
  isRefusal(answer) ? sent.filter((parameter) => named[parameter].test(answer.body)) : []
