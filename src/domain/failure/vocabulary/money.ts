import { anyOf, codes } from "../Rule.js"
import type { Rule } from "../Rule.js"
import type { Evidence } from "../Evidence.js"
import { waitIn } from "../Wait.js"

/** A window that opens again by itself within days: what is limited per window is pace, not money. */
export const window = anyOf(
  String.raw`\bper[ -](?:second|sec|minute|min|hour|day|week|model per day)\b`,
  String.raw`\/ ?(?:s|sec|second|min|minute|h|hr|hour|day|d)\b`,
  String.raw`\b(?:(?:[io]?t|r)p[smhd]|qps|qpm)\b`,
  String.raw`\b(?:minute|hourly|daily|weekly|today|tomorrow|5[- ]?h(?:our)?s?|\d+[- ](?:hours?|days?))\b`,
  String.raw`\b(?:re)?try (?:again )?(?:in|after) (?:about )?\d`,
  String
    .raw`\breset(?:s)? (?:in|at|after|on|when|mon|tue|wed|thu|fri|sat|sun|\d)\b|\bresets \d|\bwill reset\b|\baccess resets\b`,
  String
    .raw`\brepleni|\brefill|\brolling\b.{0,24}\bwindow\b|\bwindow (?:ends|resets|is over)\b|\bcurrent .{0,16}window\b`,
  "每秒|每分钟|每小时|每天|每日|当日|今日|分钟|小时|分あたり|1分|1日|분당|일일|por minuto|pro minute|par minute|в минуту|в день"
)

/** A plan's own period: waiting days does not bring it back, paying does. */
export const month =
  /\b(?<!\bweekly ?(?:\/|or) ?)month(?:ly)?\b|\bbilling (?:cycle|period)\b|\bnext cycle\b|每月|当月|本月/

const wallet = "(?:balance|credits?|funds?|budget|tokens? balance|money|points?)"

/** Statements that the money is gone, in the languages that gateways use. Advice to pay is none: every free limit prints it. */
const gone = anyOf(
  String
    .raw`\b(?:insufficient|not enough|no remaining|no more|low|lack of|exceeded available|negative|zero|inadequate) (?:[\w$-]+ ){0,3}?${wallet}\b`,
  String
    .raw`\b${wallet} (?:\w+ ){0,4}?(?:is|are|was|has been|have been|being)?(?: currently| now)? ?(?:too low|running low|not enough|insufficient|not sufficient|exhausted|depleted|used up|run out|ran out|negative|expired|overdue|below zero|exceeded|empty)\b`,
  String.raw`\b(?:run|ran|running) out of (?:[\w-]+ ){0,3}?(?:${wallet}|quota)\b|\bout of (?:credits?|funds)\b`,
  String.raw`\b(?:has|have|with|you have) (?:no|0|zero|\$0(?:\.0+)?) (?:[\w-]+ ){0,2}(?:credits?|balance|funds)\b`,
  String
    .raw`\b(?:used|consumed|spent|exhausted|depleted|exceeded)(?: up)? (?:all |all of )?(?:your |the |its )?(?:available |monthly |included |monthly included |free |trial |prepaid |remaining )*(?:credits?|balance|budget|grant)\b`,
  String
    .raw`\brequires? (?:more|additional|at least \S+|a minimum|positive) (?:[\w-]+ ){0,2}(?:credits?|balance|funds)\b|\bcan only afford\b`,
  String
    .raw`\bin arrears\b|\barrearage\b|\boverdue\b|\bpast[ -]due\b|\bbilling limit\b|\bunpaid (?:invoice|bill|balance)|\boutstanding (?:invoice|balance)|\bpay past invoices\b|\baccount\b.{0,40}\bgood standing\b`,
  String
    .raw`\bpayment (?:required|failed|declined|method (?:is )?(?:invalid|required|declined))\b|\binvalid payment\b|\bcredit card on file\b|\badd (?:a|your) (?:credit |payment )?card\b|\bvalid payment (?:instrument|method)\b`,
  String
    .raw`\bbilling (?:is |account )?(?:not (?:active|enabled)|disabled|inactive|hard limit|closed|cycle limit)|\b(?:enable|requires?) billing\b|\bbilling to be enabled\b`,
  String
    .raw`\b(?:spend(?:ing)?|cost|expense|dollar|usd) (?:limit|cap|quota|budget|threshold)\b|\bbudget (?:has been |was |limit )?(?:exceeded|reached|exhausted)\b|\bexceed(?:ed|s)?(?: your| the| its)?(?: \w+){0,2} budget\b|\bover budget\b`,
  String
    .raw`\bspecified (?:\w+ )?api usage limits?\b|\bregain access on\b|\bkey limit exceeded\b|\b(?:extra usage|usage credits?) (?:is|are) required\b`,
  String
    .raw`\b(?:subscription|plan|trial|license|package|membership)(?: \w+){0,2} (?:has |have )?(?:been )?(?:expired|ended|lapsed|inactive|cancelled|canceled|exhausted|used up|run out)\b|\b(?:inactive|expired|no active) (?:subscription|plan)\b`,
  String
    .raw`\b(?:requires?|need|needs|must have|without) (?:a |an |to be |active )?(?:[\w-]+ ){0,3}(?:subscription|paid plan|pro plan|paid account|pro account|paid tier|upgraded plan)\b`,
  String
    .raw`\b(?:plan|tier|subscription)(?: \w+){0,2} (?:does not|doesn't|do not|not) (?:yet )?(?:include|have access|support|allow|cover|permit)`,
  String
    .raw`\bnot (?:yet )?(?:available|included|supported|allowed|work) (?:\w+ )?(?:on|in|under|for|with|by) (?:your|the|this|free|current)(?: \w+){0,2} (?:plan|tier|subscription|package)\b|\bonly available (?:to|for|on) (?:paid|paying|pro|premium)`,
  String
    .raw`\bfree (?:tier|trial|quota|allocation|usage|credits?)(?: of the model)? (?:has been |is |have been |are |was )?(?:exhausted|used up|exceeded|expired|ended|over)\b|\bexhausted your free\b`,
  String
    .raw`\b(?:top up|recharge|please (?:add|purchase|buy) (?:more )?(?:credits?|funds|balance)) .{0,40}\b(?:continue|and try again|to (?:use|proceed))\b`,
  "余额(?:已)?(?:不足|不够|耗尽|用完|为0|已用尽|过低)|余额.{0,6}(?:不足|不够)|欠费|请(?:先|及时|尽快)?充值|充值后|额度.{0,6}(?:不足|不够|用尽|用完|耗尽|已用尽|用光|超限|超出)|剩余额度",
  "(?:资源包|套餐|流量包|订阅|会员).{0,8}(?:用尽|用完|耗尽|到期|过期|不足|已失效|不包含|不支持|余量)|无可用资源包|账(?:户|号).{0,6}(?:透支|停机|欠)|未开通付费|未购买|配额(?:已)?(?:不足|用尽|耗尽)|點數不足|餘額不足|额度限制已达",
  "残高(?:が|は)?.{0,6}(?:不足|足り)|クレジット.{0,8}(?:不足|足り|使い切|使い果|なくな)|支払い(?:方法|が).{0,10}(?:必要|失敗)|予算.{0,6}超過|無料枠.{0,8}(?:使い|終了|超)",
  "잔액.{0,6}(?:부족|없)|크레딧.{0,8}(?:부족|소진|없)|결제.{0,8}(?:필요|실패)|예산.{0,6}초과|요금제.{0,10}(?:만료|필요)",
  "недостаточно (?:средств|баланса|кредитов|денег)|(?:баланс|кредиты).{0,12}(?:исчерпан|недостаточ|закончил|отрицат)|закончились (?:кредиты|средства)|требуется оплата|пополните",
  "saldo (?:\\w+ )?insuficiente|(?:cr[eé]ditos?|fondos) (?:\\w+ )?(?:insuficientes?|agotados?|esgotados?)|sin (?:cr[eé]ditos?|saldo)|(?:saldo|cr[eé]ditos?).{0,12}(?:agotad|esgotad)|no (?:tiene|hay) (?:saldo|cr[eé]dito)|sem (?:saldo|cr[eé]ditos)",
  "solde (?:\\w+ )?insuffisant|cr[eé]dits? (?:\\w+ )?(?:insuffisants?|[eé]puis[eé]s?)|(?:solde|cr[eé]dit|budget).{0,12}[eé]puis[eé]|paiement requis",
  "guthaben.{0,20}(?:aufgebraucht|nicht (?:aus|mehr)|ersch[oö]pft|reicht nicht|zu niedrig|leer)|nicht gen[uü]gend guthaben|kein guthaben|zahlung (?:erforderlich|fehlgeschlagen)|kontingent.{0,10}aufgebraucht",
  "(?:credito|saldo|fondi) insufficient[ei]|credito esaurito|bakiye.{0,12}(?:yetersiz|bitti|t[uü]kendi)|yetersiz (?:bakiye|kredi)|s[oố] d[uư].{0,16}kh[oô]ng đủ|niewystarczaj[aą]ce [sś]rodki|رصيد.{0,12}(?:كاف|نفد)|saldo tidak (?:cukup|mencukupi)|onvoldoende saldo"
)

/** Quota words that mean money only where no window is named beside them. */
const usedUp = anyOf(
  String
    .raw`\bexceed(?:s|ed|ing)?(?: your| the| its)?(?: \w+){0,3} quota\b|\binsufficient (?:\w+ ){0,2}quota\b|\bquota (?:\w+ ){0,3}?(?:exceeded|exhausted|insufficient|not enough|used up|reached|ran out|over)\b|\bno (?:remaining )?quota\b|\bquota limit\b`,
  String.raw`\bplan and billing details\b|\bused up (?:your|all|the)\b|\bquota is not enough\b`,
  String.raw`\bexceeded (?:your|the)(?: \w+){0,3} (?:allowance|allotment|allocation)\b|\bfree quota\b`,
  "配额(?:已)?(?:超|不足|用)|額度|限额已用|クォータ.{0,6}(?:超過|不足)|할당량.{0,8}(?:초과|부족|소진)|quota (?:d[eé]pass[eé]|superad|excedid)|cuota (?:excedida|superada|agotada)|квота (?:исчерпана|превышена)|kontingent (?:\\w+ )?(?:ersch[oö]pft|[uü]berschritten)"
)

/** Who names a wait will serve after it. */
const namesNoWait = (evidence: Evidence): boolean => waitIn(evidence) === undefined

/** No status of another cause, and no code of pace beside the words. */
const ownCause = ({ codes: said, status }: Evidence): boolean =>
  status !== 404 && status !== 422 && status !== 413 &&
  !said.some((code) => /ratelimit|toomanyrequests|throttl|toomanytokens|^(?:rpm|tpm|tpd|rpd|qps)/.test(code))

/** Google's boilerplate names plan and billing on every limit; its own table reads the details instead. */
const googleStatus = /^(?:resourceexhausted|ratelimitexceeded)$/

/** A pace that is spelled out: the code "insufficient quota" is given to it too. */
const pace =
  /\b(?:requests?|tokens?|calls?) per (?:second|sec|minute|min|hour|day)\b|\b(?:(?:[io]?t|r)p[smhd])\b|\b(?:re)?try again in (?:about )?\d/

export const rules: ReadonlyArray<Rule> = [
  {
    name: "money/code-quota",
    because:
      "OpenAI's code for an empty account; makers that copied it give it to a limit per time too, and then say so.",
    tag: "BudgetExhausted",
    code: codes("insufficient(?:user|account|token|api|wallet|key)?quota(?:error|exception)?"),
    unless: pace
  },
  {
    name: "money/code",
    because:
      "These codes exist for one cause only: balance, credit, billing or a paid plan; no provider uses them for pace.",
    tag: "BudgetExhausted",
    code: codes(
      "insufficient(?:user|account|token|api|wallet|key)?(?:balance|credits?|funds?|budget)(?:error|exception)?",
      "user(?:quota|balance)(?:notenough|insufficient)",
      "userinsufficientcredits?",
      "(?:billing|payment|paymentrequired|creditlimit|balance|budget|spendlimit|spendinglimit|outofcredits?|nocredits?)(?:error|exceeded|reached|exhausted)?",
      "billing(?:hardlimitreached|notactive|disabled|notenabled|limitreached|limituserexceeded|accountinactive|cyclelimitreached)",
      "budgetexceeded(?:error)?|maxbudgetexceeded|credit(?:s|balance)?(?:exhausted|toolow|exceeded|insufficient|expired)|creditsrequired",
      "arrearage|arrears?|accountarrears?|(?:account|service|postpaidbill|prepaidbill|bill)?overdue(?:error|balance|payment)?|operationdeniedserviceoverdue|accountoverdueerror",
      "exceededcurrentquota(?:error)?|freequotaexceeded|freetierexhausted|allocationquotafreetieronly|(?:accessdenied)?unpurchased|commoditynotpurchased",
      "insufficientg1creditsbalance|preconsumetokenquotafailed|quotanotenough|tokenquota(?:exhausted|notenough|reached)|setlimitexceeded",
      "(?:failedoperation)?(?:free)?resourcepackexhausted|(?:resourceinsufficient)?chargeresourceexhaust(?:ed)?|resourceunavailable(?:inarrears|lowbalance|notsufficientbalance)",
      "subscription(?:required|expired|inactive|invalid|notfound)|(?:invalid|expired|inactive|no)subscription|plan(?:expired|required|upgraderequired|notsupported)|upgraderequired|paidplanrequired|invalidpaymentinstrument|paymentmethodrequired",
      "premiumrequestallowanceexceeded|usagenotincluded|monthly\\w+|memberships?expired|creditserror|notenoughcredits?"
    )
  },
  {
    name: "money/gone",
    because:
      "The provider states that balance, credit or plan is used up; such a sentence outranks whatever status and code carry it.",
    tag: "BudgetExhausted",
    text: gone,
    unless:
      /rate limits? (?:of|is reduced|to|are)\b.{0,60}\b(?:payment|credit|while)|reduced rate limits|your rate limit for|\b(?:context|thinking|reasoning|prompt) budget\b/
  },
  {
    name: "money/month",
    because: "A month's allowance is part of a plan: waiting hours does not bring it back, paying does.",
    tag: "BudgetExhausted",
    text: month,
    unless: /\bper (?:second|minute|min|hour)\b|weekly|\b(?:minute|hour|day|week|rate) limit\b/,
    when: ({ codes: said, status, text }) =>
      (status === 429 || status === 403 || status === 402 || status === undefined) &&
      (/limit|quota|exceed|refresh|allowance|cap\b|上限|限额|配额|额度/.test(text) ||
        said.some((code) => /quota|limit/.test(code)))
  },
  {
    name: "money/quota",
    because: "Where a quota is used up and no window is named, nothing says that time alone will bring it back.",
    tag: "BudgetExhausted",
    text: usedUp,
    unless: window,
    unlessCode: googleStatus,
    when: (evidence) => namesNoWait(evidence) && ownCause(evidence)
  }
]
