import { anyOf, codes } from "../Rule.js"
import type { Rule } from "../Rule.js"

/** Sentences about the answer's length, the batch's count or the file's: not about the input's length in tokens. */
const notTheInput = anyOf(
  String
    .raw`\bmaximum allowed number of output tokens\b|\bmax (?:completion |output )?tokens\b[^.;]{0,16}?(?:too large|must|should|cannot|may not|>|exceeds?|\()|\bat most \d+ completion tokens\b|\bmax tokens: \d+ >`,
  String
    .raw`\bbatch[ -]size\b|\barray too long\b|\barray length\b|\btoo many (?:inputs|texts|items|elements|images|tools|messages|files|pages|documents|instances)\b|\brequests can be in one batch\b`,
  String
    .raw`\btool name\b|\bfile size\b|\bimage (?:size|exceeds|dimensions)|\bname too long|\bschema\b.{0,40}too|\bstop sequences?\b|\bmetadata\b.{0,30}too`
)

const perTime =
  /context deadline|context cancel|\bper[ -](?:second|minute|min|hour|day)\b|\b(?:[io]?t|r)p[md]\b|\btime frame\b|\bfor this (?:minute|hour)\b|rate limit|每分钟|wait before trying|throttl/

/** Balances and plans are asked of with the same words as lengths. */
const payable = /\b(?:balance|wallet|credit|funds|billing)\b/

const tooLong = anyOf(
  String
    .raw`\bcontext[ -]?(?:length|window|size|limit)?s?\b.{0,120}\b(?:exceed|too (?:long|large|big)|larger|longer|overflow|greater|more than|over|at most|maximum is|beyond|reached|fit)|\b(?:exceed|exceeds|exceeded|exceeding|overflow(?:s|ed)?|larger than|longer than|greater than|beyond|over|surpass(?:es|ed)?)\b.{0,80}\b(?:context|model(?:'s)? (?:token )?limit|max(?:imum)? (?:model |sequence |input |prompt |token )?(?:len(?:gth)?|tokens)|n ctx|max model len)`,
  String
    .raw`\bmaximum (?:model |context |input |sequence |prompt )(?:length|tokens|size)\b|\bmax(?:imum)? (?:context|sequence) len|\bcontext[ -](?:length|window|limit) (?:of|is) (?:only )?\d|\bmaximum number of (?:input )?tokens\b|\bmax seq(?:uence)? len`,
  String
    .raw`\b(?:prompt|input|inputs?|text|content|message|conversation|query|document|sentence|request|chat|history|messages|sequence|this)(?: (?:is|was|are|has|length|text|tokens?|sequence|you (?:have )?(?:provided|submitted|sent)|or output)){0,3} too (?:long|large|many tokens)\b|\btoo (?:long|large) (?:for|of an?|input|prompt|a prompt)`,
  String
    .raw`\b(?:input|prompt|total|text)? ?tokens? (?:count|length|number|limit|size)?(?: of| is|:)? ?\(?\d*\)? ?(?:\w+ ){0,3}?(?:exceed(?:s|ed|ing)?|over|is greater than|is larger than|>)\b|\btoken limit(?: of|:)? ?\d|\bexceeded model token limit\b|\btoken limit (?:exceeded|reached)\b`,
  String
    .raw`\bexceed(?:s|ed|ing)?(?: the| its| your| model's| allowed)*(?: maximum| max| total| allowed| supported| model| input| permitted)*(?: number of)?(?: allowed| input| prompt)* tokens?\b|\bexceed(?:s|ed|ing)?(?: the| our)?(?: maximum| max| allowed)* (?:input|prompt|text|sequence|string)(?: \w+)? ?(?:length|size|limit)`,
  String
    .raw`\b(?:must have|should have|must be|should be|accepts?|supports?|allows?|up to|have) (?:less|fewer|no more|at most|up to|a maximum)(?: than)?(?: of)? ?\d[\d,]* (?:input )?(?:tokens|characters|chars)\b|\blimited to \d[\d,]* tokens\b|\bmax(?:imum)?(?: size| input| length)?:? \d[\d,]* (?:tokens|characters)\b`,
  String
    .raw`\breduce (?:the |your )?(?:length|size|number of tokens|prompt|input|context)\b|\bshorten (?:the |your )|\btruncate (?:the|your) (?:input|text|prompt)|\btoo many (?:input )?tokens\b|\btoo many (?:total )?text bytes\b|\btokens? in (?:the|your) (?:prompt|input).{0,30}(?:cannot|can not|must not|exceed)`,
  String
    .raw`\brange of input length should be\b|\binput length (?:should|must|of)\b|\binput tokens exceeded\b|\binput is larger than\b|\bis longer than the maximum\b|\blength of (?:the )?(?:prompt|input|messages).{0,30}(?:exceed|too|larger|greater)|\bstring too long\b|\bstring above max length\b|\bincrease the (?:physical batch|context) size\b`,
  String
    .raw`\bmax(?:imum)? allowed tokens\b|\bexceed(?:s|ed|ing)?(?: the)? max(?:imum)?(?: \w+){0,3} tokens\b|\bmax(?:imum)? (?:\d+ )?tokens per (?:request|submitted|text|input|doc)|\btokens? after truncation\b|\brequested:? ~?\d[\d,]* tokens, max|\btokens?\b.{0,40}\bmust be (?:<=?|less than|at most|smaller than|no more than) ?\d`,
  String
    .raw`\b(?:payload|request body|request entity|body|content) (?:is )?too large\b|\brequest (?:body )?exceeds\b.{0,30}(?:size|bytes|mb)|\bpayload size (?:exceeds|limit)`,
  String
    .raw`\b(?:prompt|input|messages?|request|text|query|conversation|document|content)\b.{0,40}\b(?:is|are|was) (?:longer|larger|bigger|greater) than\b|\b(?:largest|longest) allowed (?:size|length)\b`,
  String
    .raw`\b(?:length|size|tokens?|characters?)\b ?(?:of |is |are |was )?\(?\d[\d,]*\)?(?: tokens| characters)? (?:is |are )?(?:exceeds?|greater than|longer than|larger than|more than|over|>) (?:\w+ ){0,3}?\(?\d|\bmax allowed \(\d`,
  String
    .raw`\bshorter than \d[\d,]* (?:tokens|characters)\b|\bshorter (?:text|input|prompt|document)\b|\b\d[\d,]* tokens (?:at most|maximum)\b|\bsequence (?:\w+ )?longer than\b|\b(?:document|text|input|item|chunk|prompt|query)s?(?: (?:at index|number|no\.?|#))? ?\d+ (?:is|are) too (?:long|large)\b`,
  String
    .raw`\b\d[\d,]* (?:input |prompt )?tokens\b.{0,60}\b(?:exceeds?|more than|longer than|larger than|greater than|above|beyond|but the (?:\w+ )*(?:context|limit|maximum))\b|\btokens? in (?:the )?(?:request|prompt|input|batch) (?:is )?(?:more|greater|larger|longer) than\b`,
  String
    .raw`\bn (?:keep|prompt|tokens)\b[^a-z]{0,16}>=? ?n ctx\b|\bexceeds? n ctx|\bcannot truncate prompt\b|\bcontext (?:the )?overflows?\b|\b(?:configured |loaded )?context (?:size|length|window) (?:of|is) (?:only )?\d|\btokens to keep from the initial prompt\b`,
  String
    .raw`\bmax ?length: ?\d[\d,]*, actual: ?\d|\bmust (?:not (?:have|contain) more than|contain at most|have at most|be at most) \d[\d,]* (?:characters?|tokens?)\b`,
  "(?:输入|上下文|提示词?|文本|内容|消息|请求|prompt|token|tokens|长度|字数|对话).{0,14}(?:过长|超长|太长|超过|超出|超限|过大|过多).{0,20}|(?:最大|最长).{0,6}(?:上下文|输入|token|长度).{0,10}|超(?:过|出).{0,12}(?:上下文|最大长度|长度|token|字符)|(?:压缩|缩短|精简|减少).{0,6}(?:上下文|输入|文本|内容|提示|消息)|長度.{0,6}超|輸入.{0,8}過長",
  "(?:入力|プロンプト|テキスト|コンテキスト|トークン).{0,16}(?:長すぎ|超え|超過|上限|大きすぎ)|最大コンテキスト|(?:입력|프롬프트|컨텍스트|토큰|텍스트).{0,16}(?:너무 (?:깁|길|긴|많)|초과|한도)|최대 (?:컨텍스트|토큰|입력)",
  "(?:kontext|eingabe|prompt|text).{0,24}(?:zu lang|[uü]berschr|zu gro[sß])|maximale? (?:kontext|token)|(?:contexte|entr[eé]e|texte|invite).{0,24}(?:d[eé]pass|trop long|maxim)|longueur maximale|(?:contexto|entrada|texto|mensaje|solicitud).{0,24}(?:excede|supera|demasiado larg|muito long|m[aá]xim)|longitud m[aá]xima",
  "(?:контекст|ввод|запрос|текст|сообщени|токен).{0,24}(?:слишком (?:длин|велик|больш)|превыша)|превышен.{0,16}(?:контекст|длин|токен)|(?:input|contesto|testo).{0,20}(?:troppo lung|supera)|ba[gğ]lam.{0,16}(?:a[sş]|uzun)"
)

export const byCode: ReadonlyArray<Rule> = [
  {
    name: "size/code",
    because: "These codes name the input's length; the providers use them for nothing else, whatever the status.",
    tag: "ContextLengthExceeded",
    code: codes(
      "(?:model)?(?:max)?(?:context|contextlength|contextwindow|contextsize|contextlimit)(?:length|window|size|limit)?(?:exceed(?:ed|s)?|overflow|toolong|toolarge)(?:error|exception)?",
      "exceedcontextsizeerror|contextoverflow\\w*|maxcontextlength\\w*|(?:model)?max(?:prompt|input)?tokensexceeded|maxtokensperrequest",
      "(?:prompt|input|text|message|content|string)(?:tokens?)?(?:toolong|toolarge|lengthexceeded|lengthexceed|abovemaxlength|exceeded|overlong)(?:error)?|inputlengtherror|inputtoolong|stringabovemaxlength|tokenslimitreached|tokenlimitexceeded",
      "request(?:too|entitytoo|payloadtoo|bodytoo)large(?:error|exception)?|payloadtoolarge(?:error)?|contentlengthexceeded|inputtokensexceeded|toomanyinputtokens|promptlengtherror|finish:modelcontextwindowexceeded|336103|336007"
    ),
    unless: notTheInput
  }
]

export const byText: ReadonlyArray<Rule> = [
  {
    name: "size/not-the-input",
    because:
      "A batch with too many members, or an answer asked too long, is a wrong request: no text in it is too long.",
    tag: "InvalidRequest",
    status: (status) => status === undefined || (status >= 400 && status < 500 && status !== 429),
    text: notTheInput,
    unless:
      /context (?:length|window|limit|size)|input (?:length|tokens)|prompt (?:is|tokens)|tokens? per (?:submitted )?batch|prompt contains|messages?,? \d+ in the completion|per submitted batch/
  },
  {
    name: "size/words",
    because:
      "The text says that the input is longer than the model takes; servers send that with 400, 413, 422 and 500 alike.",
    tag: "ContextLengthExceeded",
    // A 429 is a limit per time and a 402 one of money, where either speaks of tokens.
    status: (status) => status !== 429 && status !== 402,
    text: tooLong,
    when: ({ status, text }) =>
      !perTime.test(text) && !(status === 503 && /\bservice unavailable\b: too many/.test(text)) &&
      !(payable.test(text) && !/\blonger than\b|\btoo long\b|\bcontext\b|\bshorten\b/.test(text))
  }
]
