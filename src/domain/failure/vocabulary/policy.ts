import { anyOf, codes } from "../Rule.js"
import type { Rule } from "../Rule.js"

const refusedContent = anyOf(
  String
    .raw`\bcontent[ -]?(?:management |usage |moderation )?(?:policy|policies|filter(?:s|ed|ing)?)\b|\bresponsible ?ai\b|\bcontent safety\b|\bsafety (?:system|filter|polic|setting|reason|check|guideline|guardrail|violation|concern)`,
  String
    .raw`\b(?:flagged|blocked|rejected|filtered|refused|declined|stopped)\b.{0,60}\b(?:policy|policies|moderation|safety|unsafe|harmful|content|guardrail|guidelines|high risk|sensitive)|\bmoderation\b.{0,60}\b(?:flagged|blocked|rejected|failed|refused|violat)|\brequires moderation\b`,
  String
    .raw`\b(?:violat(?:e|es|ed|ing|ion)|against|breach(?:es|ed)?)\b.{0,50}\b(?:usage|content|safety|acceptable use|responsible|community|prohibited|our) ?(?:polic|guideline|terms|rules|use polic)`,
  String
    .raw`\b(?:prohibited|inappropriate|unsafe|harmful|offensive|illegal|disallowed|restricted|objectionable|sensitive) (?:content|words?|information|material|input|text|topics?)\b|\bcontent exists? risk\b|\bconsidered high risk\b|\bguardrail (?:intervened|blocked|triggered|violation)|\busage guidelines\b|\bcontent (?:is|was|has been) (?:blocked|flagged|filtered|unsafe|sensitive|not allowed)|\bcontains? sensitive\b|\bpotentially unsafe\b|\bblocked by (?:the )?(?:safety|content|moderation|guardrail|model armor|policy|our)|\bprompt was blocked\b|\bcontent you provided\b.{0,40}\bblocked\b|\brecitation\b|\bcopyright(?:ed)? (?:content|material)`,
  "敏感(?:词|内容|信息)?|违规|违反.{0,12}(?:规定|政策|条例|法规|准则)|不(?:安全|合规|当)(?:的)?(?:内容|信息|输入)|内容(?:安全|审核|审查|检测|违规|风险)|(?:审核|审查)(?:未|不)通过|涉(?:黄|政|暴|恐)|高风险|風險|敏感詞|不適切|ポリシー.{0,10}違反|安全(?:性)?(?:フィルタ|ポリシー|上の理由)|부적절|유해한|정책.{0,8}위반|안전 (?:필터|정책)",
  "richtlinie.{0,24}(?:versto|verletz)|verst[oö][sß]t gegen|inhaltsfilter|inhaltsrichtlinie|enfreint|politique de contenu|contenu (?:inappropri|interdit|bloqu)|pol[ií]tica de (?:conte[nú]do|contenido|uso)|contenido (?:inapropiado|prohibido|bloqueado)|viola (?:nuestra|nossa|la|a) pol|наруша.{0,24}(?:политик|правил)|запрещ[её]нн?(?:ый|ого) (?:контент|содерж)|фильтр(?:ом)? контента"
)

export const byCode: ReadonlyArray<Rule> = [
  {
    name: "policy/code",
    because: "These codes and endings are given by the filter itself.",
    tag: "ContentFiltered",
    code: codes(
      "contentfilter(?:ed|error|result)?|contentpolicyviolation(?:error)?|contentpolicy|contentmoderation|contentviolation|contentblocked|contentsafety|responsibleaipolicyviolation|moderation(?:blocked|error|failed|flagged)?|safetyerror|censorship\\w*|safetyviolation|promptblocked|cyberpolicy\\w*|bio\\w*policy\\w*",
      "datainspectionfailed|data_inspection_failed|sensitivewordsdetected|(?:\\w*)sensitivecontent(?:detected)?\\w*|\\w*riskdetection|(?:input|output)(?:text|image)?sensitive\\w*|operationdeniedtextillegaldetected|textillegaldetected|unsafecontent|guardrail(?:intervened|violation|error)?|inappropriatecontent",
      "finish:(?:contentfilter(?:ed)?|safety|prohibitedcontent|blocklist|spii|recitation|refusal|sensitive|imagesafety|guardrailintervened|modelarmor|language|errortoxic|contentfiltered|imageprohibitedcontent)",
      "block:(?!(?:blockreasonunspecified)$).+"
    )
  }
]

export const byText: ReadonlyArray<Rule> = [
  {
    name: "policy/words",
    because: "The text says that a policy or a filter refused the content, whatever the status.",
    tag: "ContentFiltered",
    text: refusedContent,
    unless:
      /\b(?:account|organi[sz]ation|access|api key|user|project|workspace|resource|subscription)\b.{0,60}\b(?:suspend|deactivat|terminated|banned|disabled|blocked|restricted)|(?:suspend|deactivat|terminat|bann|disabl)\w*.{0,60}\b(?:account|organi[sz]ation|access)|data policy|密钥|令牌|(?:\bak|key|账[户号]|用户).{0,12}(?:封|禁|冻结|锁|停)|privacy settings|ip address/
  }
]
