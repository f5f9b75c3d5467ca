import { anyOf, codes, statusIs } from "../Rule.js"
import type { Rule } from "../Rule.js"

const overloaded = anyOf(
  String
    .raw`\boverload|\bover capacity\b|\b(?:at|out of|no|insufficient|not enough|limited|lack of|exceeded?|temporarily|service tier|engine) (?:\w+ )?capacity\b|\bcapacity (?:\w+ )?(?:exceeded|constraints?|limit|unavailable|exhausted|reached|issues?)\b|\bhigh (?:demand|traffic|load|volume|usage)\b|\bheavy (?:load|traffic)\b|\bunder (?:heavy|high) load\b|\bpeak load\b|\bserver (?:is )?(?:busy|overloaded|at capacity)\b|\b(?:system|service|engine|model|gpu|queue) (?:is )?(?:currently )?(?:busy|full|saturated)\b|\btoo busy\b`,
  String
    .raw`\bcurrently loading\b|\bis (?:still )?(?:loading|warming|starting|initializing|booting)|\bloading model\b|\bstill loading\b|\bwarm(?:ing)?[ -]?up\b|\bcold start\b|\bmodel (?:is )?not (?:yet )?ready\b|\bnot (?:yet )?loaded yet\b|\bscal(?:ed|ing) (?:to zero|up)\b|\bstarting up\b`,
  String
    .raw`\b(?:temporarily|currently|momentarily) (?:unavailable|not available|unable|down|out of)|\bservice (?:is )?(?:temporarily )?unavailable\b|\bunavailable\b.{0,30}\b(?:try|later|moment)|\binternal (?:server )?error\b|\bserver had an error\b|\bserver error\b|\bno healthy upstream\b|\bupstream (?:connect|error|request|server|service|unavailable|timeout|reset)|\bunexpected error\b|\bunder maintenance\b|\bmaintenance\b|\bout of memory\b|\bsomething went wrong\b|\bbackend (?:error|unavailable)|\bcrashed\b|\bmodel unloaded\b|\bterminated unexpectedly\b|\brunner process\b|\bplease (?:try again|retry) (?:later|shortly|in a (?:moment|few))`,
  "过载|過載|负载(?:已)?(?:饱和|过高|较高)|繁忙|忙碌|访问量过大|服务(?:器)?(?:暂时)?(?:不可用|异常|错误|出错|内部)|内部(?:服务器?)?错误|系统(?:异常|错误|繁忙|内部)|上游.{0,8}(?:错误|异常|饱和|超时|不可用)|资源(?:不足|紧张)|网络(?:错误|异常)|正在(?:加载|启动|维护)|請稍後再試|暂时无法",
  "混雑|混み合って|過負荷|一時的に利用でき|サーバー(?:内部)?エラー|しばらく(?:して|経って)から|メンテナンス|読み込み中|과부하|혼잡|일시적으로|서버 (?:내부 )?오류|잠시 후|점검 중|[uü]berlastet|vor[uü]bergehend|nicht verf[uü]gbar.{0,20}sp[aä]ter|surcharg|temporairement|indisponible|sobrecargad|temporalmente|temporariamente|indispon[ií]vel|перегружен|временно недоступ|внутренняя ошибка|sovraccaric|temporaneamente|a[sş]ırı y[uü]kl"
)

const comesUp = anyOf(
  String
    .raw`\b(?:model|deployment|endpoint|engine|instance|replica|server|container|worker)s?\b(?: [\w./:'"-]+){0,4}? (?:is|are)(?: currently| still| now| not)*(?: being)? ?(?:deploying|being deployed|provisioning|being provisioned|starting(?: up)?|spinning up|warming(?: up)?|initiali[sz]ing|being (?:loaded|initiali[sz]ed|created|updated|prepared|started)|loading|booting|scal(?:ing up|ed to zero)|ready)\b(?<!(?:is|are)(?: currently| now)? ready)`,
  String
    .raw`\b(?:deployment|provisioning|loading|scaling|start-?up) (?:is )?(?:still )?in progress\b|\bscaled to zero\b|\bin state:? ?(?:creating|pending|starting|updating|deploying|initiali[sz]ing)\b|\b(?:endpoint|deployment)\b.{0,60}\bnot in ?service\b|\bcold[- ]start(?:ing)?\b`,
  String.raw`\b(?:is|are) (?:still |currently )?being (?:provisioned|deployed)\b`,
  "模型.{0,12}(?:正在|尚未).{0,6}(?:部署|加载|启动|就绪)|モデル.{0,12}(?:起動|読み込み|デプロイ)中"
)

export const byCode: ReadonlyArray<Rule> = [
  {
    name: "capacity/timeout-code",
    because: "These codes say that the server's own time ran out on the request.",
    tag: "Timeout",
    code: codes(
      "timeout(?:error)?|deadlineexceeded(?:error|exception)?|requesttimeout(?:error)?|modeltimeout(?:exception|error)?|responsetimeout|gatewaytimeout(?:error)?|upstreamtimeout|requesttimedout|timedout"
    ),
    status: (status) => status !== 429
  },
  {
    name: "capacity/code",
    because:
      "These codes say that the provider itself is short of room or broken; the caller's account is within its limits.",
    tag: "ProviderUnavailable",
    code: codes(
      "(?:engine|server|model|service|system)?(?:is)?overloaded(?:error|exception)?|serveroverload(?:ed)?|(?:model)?capacity(?:exceeded|exhausted|error|limited)?|nocapacity|outofcapacity|insufficientcapacity|modelcapacityexhausted|enginebusy|serverbusy|systembusy|servicebusy|modelbusy",
      "service(?:temporarily)?unavailable(?:error|exception)?|unavailable(?:error)?|(?:internal|server)(?:server)?(?:error|failure)(?:exception)?|internalserver(?:error|exception)|internal|internalfailure|modelnotready(?:exception)?|model(?:is)?loading|modelerror(?:exception)?|modelstreamerror(?:exception)?|modelservingerror|modelunavailable|badgateway|unhealthy|backend|processingerror|enginedead(?:error)?|servererror|nohealthyupstream|upstreamunavailable|serviceerror|internalerroralgo\\w*|finish:networkerror|apierroroverloaded"
    ),
    status: (status) => status === undefined || status < 400 || status >= 424 && status !== 451 || status === 409
  }
]

export const words: ReadonlyArray<Rule> = [
  {
    name: "capacity/words",
    because:
      "The text says that the provider is busy, loading or broken; its 429 or 400 around that does not make it the caller's pace.",
    tag: "ProviderUnavailable",
    status: (status) =>
      status === undefined || status < 400 || [408, 409, 424, 425, 429].includes(status) || status >= 500,
    // A gateway's 5xx around an upstream's 429 is the upstream's pace.
    when: ({ inner, status }) => !((status ?? 0) >= 500 && inner.includes(429)),
    text: overloaded
  }
]

/** Asked before codes of pace and the model's words: `the engine is overloaded` within a 429 or 400. */
export const refusals: ReadonlyArray<Rule> = [
  {
    name: "capacity/busy-refusal",
    unless: /\breduce (?:the|your) (?:request|call) (?:frequency|rate)|降低请求频率/,
    because:
      "Some gateways send their own overload as a 400, 403 or 429, under codes of pace too; the words are about the server alone.",
    tag: "ProviderUnavailable",
    status: statusIs(400, 403, 429),
    text:
      /\b(?:model|server|engine|service|system) (?:is|are|may be|might be|seems)(?: currently| temporarily)? overloaded\b|\bserver (?:is )?busy\b|\bcurrently loading\b|\bhas crashed\b|\bcurrently experiencing high (?:demand|traffic|load)|\bno healthy upstream\b|负载.{0,3}饱和|服务器?(?:繁忙|过载)/
  }
]

/** Sentences about the server behind the one that answers. */
const behind = anyOf(
  String
    .raw`\bcannot connect to (?:the )?(?:host|server|backend|upstream)\b|\bconnect call failed\b|\b(?:system|server|service|backend) (?:has )?encountered an? (?:unexpected|internal|unknown) error\b`,
  String.raw`\bbackend error\b|\binternal server ?(?:error|exception)\b|\binternalserver(?:error|exception)\b`
)

/** A gateway in front says 400 to whatever it could not get from behind. */
export const behindRefusals: ReadonlyArray<Rule> = [
  {
    name: "capacity/behind-refusal",
    because:
      "A bare 400 around the words of a server's own fault is a gateway's: it had no answer to give, and the request is not blamed.",
    tag: "ProviderUnavailable",
    status: statusIs(400),
    text: behind
  }
]

/** A model that comes up serves soon, whatever status it refuses with meanwhile. */
export const comingUp: ReadonlyArray<Rule> = [
  {
    name: "capacity/paused",
    because: "Hugging Face's endpoints stay paused until a person resumes them; a request does not wake them.",
    tag: "ProviderUnavailable",
    permanent: true,
    text:
      /\b(?:endpoint|deployment|model|space|service) is (?:currently )?(?:paused|suspended by|stopped)\b.{0,40}\b(?:restart|resume|start|maintainer|owner)\b/
  },
  {
    name: "capacity/coming-up-code",
    because: "Fireworks, Bedrock and others name a model that is being brought up.",
    tag: "ProviderUnavailable",
    code: codes(
      "(?:deployment|model|endpoint|instance|replica)s?(?:is)?(?:scalingup|notready|starting|loading|initializing|provisioning|warmingup|deploying|pending|updating)(?:error|exception)?"
    )
  },
  {
    name: "capacity/coming-up",
    because: "The model is there and is being brought up: it is unavailable, and the request is not at fault.",
    tag: "ProviderUnavailable",
    text: comesUp,
    unless: /\bif you (?:just )?created\b|\bis not deployed\b/
  }
]

/** Asked last of all words. */
export const timeouts: ReadonlyArray<Rule> = [
  {
    name: "capacity/timeout-words",
    because: "The text says that a time limit passed on the provider's side.",
    tag: "Timeout",
    status: (status) => status === undefined || status < 400 || status >= 408 && status !== 429,
    text:
      /\b(?:request|operation|gateway|upstream|generation|inference|processing|connection|model)?\s?timed?[ -]?out\b|\bdeadline (?:has been )?exceeded\b|超时|タイムアウト|시간 초과|zeit[uü]berschreitung|d[eé]lai (?:d[eé]pass|d'attente)|tiempo de espera|tempo limite|истекло время|тайм-?аут/
  }
]
