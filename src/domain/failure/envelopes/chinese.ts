import type { FailureTag } from "../Failure.js"
import { codes, statusIs } from "../Rule.js"
import type { Rule } from "../Rule.js"

/** Numbers of one family by class; `at` names where they stand. */
const numbers = (
  family: string,
  because: string,
  at: string,
  table: ReadonlyArray<readonly [tag: FailureTag, numbers: string]>,
  provider?: RegExp
): ReadonlyArray<Rule> =>
  table.map(([tag, list]) => ({
    name: `${family}/${tag}`,
    because,
    tag,
    field: new RegExp(`^(?:${at})=(?:${list})$`),
    ...(provider === undefined ? {} : { provider })
  }))

const zhipu = numbers(
  "zhipu",
  "Zhipu's (Z.ai's) four digits in error.code are its documented causes; status and language of the text vary.",
  "error\\.code|code|error\\.error\\.code",
  [
    ["AuthenticationFailed", "100[0-4]|1110|1111"],
    ["PermissionDenied", "1112|1121|1220|1300|1313"],
    ["BudgetExhausted", "1113|1309|1311"],
    ["ModelNotFound", "1211|1221"],
    ["InvalidRequest", "1210|1212|1213|1214|1215|1222"],
    ["ProviderUnavailable", "1120|1230|1234|1312"],
    ["ContextLengthExceeded", "1261"],
    ["ContentFiltered", "1301"],
    ["RateLimited", "130[2-5]|1308|1310"]
  ],
  /zhipu|glm|bigmodel|z[.-]?ai\b|^(?!.*(?:mistral|minimax|siliconflow|baidu|qianfan|cloudflare|voyage|cohere|tencent|spark)).*$/
)
  .map((rule) => ({
    ...rule,
    unlessCode: /^ratelimited$|^invalidmodel$/,
    // Only Zhipu's errors are an object with a code of four digits and a message alone; a type beside it is another maker's.
    when: ({ fields, provider }: Parameters<NonNullable<Rule["when"]>>[0]) =>
      /zhipu|glm|bigmodel|z[.-]?ai\b/.test(provider) ||
      (fields.some(({ path }) => path === "error.code") && !fields.some(({ path }) => /(?:^|\.)type$/.test(path)))
  }))

const minimax = [
  ...numbers(
    "minimax",
    "MiniMax reports in base_resp.status_code, mostly under a 200; the numbers are its documented causes.",
    "(?:.*\\.)?(?:base_resp\\.)?status_code",
    [
      ["BudgetExhausted", "1008|2061"],
      ["RateLimited", "1002|1039|1041|2045|2056"],
      ["AuthenticationFailed", "1004|2049"],
      ["Timeout", "1001"],
      ["ContentFiltered", "1026|1027"],
      ["ProviderUnavailable", "1000|1013|1024|1033"],
      ["InvalidRequest", "1042|2013|2037|2038|2039|2042|2048"]
    ]
  ),
  {
    name: "minimax/trailing-money",
    because: "MiniMax's Anthropic-compatible route puts the number behind the words; 1008 is an empty balance.",
    tag: "BudgetExhausted" as const,
    text: /\((?:1008|2061)\)\s*$/
  },
  {
    name: "minimax/trailing-pace",
    because: "The same route: 1002, 1039, 1041 and 2056 are limits per minute or window.",
    tag: "RateLimited" as const,
    text: /\((?:1002|1039|1041|2045|2056)\)\s*$/
  },
  {
    name: "minimax/trailing-key",
    because: "The same route: 1004 and 2049 are a refused key.",
    tag: "AuthenticationFailed" as const,
    text: /\((?:1004|2049)\)\s*$/
  },
  {
    name: "minimax/trailing-filter",
    because: "The same route: 1026 and 1027 are the filter on input and output.",
    tag: "ContentFiltered" as const,
    text: /\((?:1026|1027)\)\s*$/
  },
  {
    name: "minimax/trailing-fault",
    because: "The same route: 1000, 1013, 1024 and 1033 are MiniMax's own trouble.",
    tag: "ProviderUnavailable" as const,
    text: /\((?:1000|1013|1024|1033)\)\s*$/
  }
]

const baidu = numbers(
  "baidu",
  "Baidu's error_code, mostly under a 200, is documented number by number.",
  "error_code",
  [
    ["AuthenticationFailed", "13|14|15|100|110|111"],
    ["PermissionDenied", "6|336002000"],
    ["RateLimited", "4|17|18|336501|336502|336503|336504|336505"],
    ["BudgetExhausted", "19|336505001"],
    ["ContextLengthExceeded", "336007|336103|336104"],
    ["ContentFiltered", "336104001|216100001|17000"],
    ["ProviderUnavailable", "1|2|336000|336100|336200|336303"],
    ["InvalidRequest", "3|336001|336002|336003|336004|336005|336006|336101|336102|336105"]
  ],
  /baidu|qianfan|ernie|wenxin/
)

const siliconflow = numbers(
  "siliconflow",
  "SiliconFlow's five digits in code are its own causes.",
  "code",
  [
    ["BudgetExhausted", "30001|30011"],
    ["ModelNotFound", "20012|30003"],
    ["RateLimited", "50501|50603"],
    ["ProviderUnavailable", "50505|50507|60000|50508"],
    ["ContextLengthExceeded", "20015001"]
  ],
  /silicon/
)

/** iFlytek Spark: header.code under a 200. */
const spark = numbers(
  "spark",
  "Spark reports in header.code under a 200; the numbers are documented.",
  "header\\.code|code",
  [
    ["ContentFiltered", "10013|10014|10019"],
    ["ContextLengthExceeded", "10907"],
    ["RateLimited", "10007|11201|11202|11203"],
    ["PermissionDenied", "11200"],
    ["ProviderUnavailable", "10008|10009|10010|10110|10012"]
  ],
  /spark|iflytek|xfyun|xunfei/
)

const cloudflare = numbers(
  "workers-ai",
  "Cloudflare's Workers AI names its causes by number in errors[].code.",
  "errors\\.code|internalcode|errors\\.internalcode",
  [
    ["AuthenticationFailed", "10000|10001|9109|6003"],
    ["ModelNotFound", "5007"],
    ["RateLimited", "3036|3039"],
    ["ProviderUnavailable", "3040|3043|3050"],
    ["Timeout", "3046"],
    ["InvalidRequest", "5004|5005|5006|7003|3003|5026"],
    ["PermissionDenied", "5016|5018|3023"]
  ],
  /cloudflare|workers/
)

const numbered: ReadonlyArray<Rule> = [...minimax, ...zhipu, ...baidu, ...siliconflow, ...spark, ...cloudflare]

/** "Bad parameters" covers several causes: the sentence beside the number is asked first. */
export const vague: ReadonlyArray<Rule> = numbered.filter(({ tag }) => tag === "InvalidRequest")

/** What Chinese providers and the one-api family mean by their codes and sentences. */
export const rules: ReadonlyArray<Rule> = [
  ...numbered.filter(({ tag }) => tag !== "InvalidRequest"),
  {
    name: "dashscope/free-tier",
    because: "Alibaba's free tier of a model is over and paid use is not switched on.",
    tag: "BudgetExhausted",
    code: codes("allocationquotafreetieronly")
  },
  {
    name: "dashscope/throttling",
    because: "Throttling.* and limit_requests are Alibaba's limits per minute; the text says quota.",
    tag: "RateLimited",
    code: codes("throttling(?:ratequota|allocationquota|burstrate|user|api|concurrency)?|limitrequests|limitburstrate"),
    unless: /arrear|balance|free tier/
  },
  {
    name: "one-api/no-channel",
    because:
      "The gateway has no channel for this model in the caller's group, whatever 5xx it answers with: the model must change.",
    tag: "ModelNotFound",
    text: /无可用渠道|無可用渠道|no available channels? for|没有可用(?:的)?渠道|no channel available/
  },
  {
    name: "one-api/saturated",
    because: "one-api prints this in place of an upstream's 429: the room behind the gateway is taken.",
    tag: "ProviderUnavailable",
    text: /上游负载已饱和|upstream load (?:is )?saturated/
  },
  {
    name: "volcengine/model-not-open",
    because: "The account has not switched this model on: a right.",
    tag: "PermissionDenied",
    code: codes("modelnotopen|servicenotopen|operationdeniedservicenotopen")
  },
  {
    name: "volcengine/set-limit",
    because:
      "Ark pauses a model at the number of tokens that its account has set for it (SetLimitExceeded); only a person raises it.",
    tag: "BudgetExhausted",
    text: /\breached the set inference limit\b/
  },
  {
    name: "volcengine/overload",
    because: "ServerOverloaded comes as a 429; it is the service's room, not the account's pace.",
    tag: "ProviderUnavailable",
    code: codes("serveroverload(?:ed)?|requestburstrejected"),
    status: statusIs(429, 503, 500)
  },
  {
    name: "moonshot/overload",
    because: "engine_overloaded_error is a 429 about the engine; the account is within its limits.",
    tag: "ProviderUnavailable",
    code: codes("engineoverloaded(?:error)?")
  }
]
