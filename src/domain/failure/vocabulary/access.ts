import { anyOf, codes, refusalOfAccess } from "../Rule.js"
import type { Rule } from "../Rule.js"

const holder =
  "(?:access|auth(?:entication|orization)?|bearer|id|oauth|oauth2|user|session|security|hf|personal access)"

/** Sentences that name the credential itself. */
const badKey = anyOf(
  String
    .raw`\b(?:invalid|incorrect|wrong|missing|malformed|bad|expired|revoked|unknown|unrecognized|empty|no|without|leaked|disabled|deactivated|inactive|unauthorized|valid|provide an?|provided? (?:your|an|a valid)) (?:[\w-]+ ){0,2}?(?:x-)?api[ -]?(?:key|token)s?\b|\bapi[ -]?(?:key|token)s?\b.{0,60}\b(?:invalid|incorrect|not valid|missing|expired|revoked|required|leaked|disabled|not found|not exist|does not exist|deactivated|deleted|malformed|not supported|wrong|not provided|blocked|not set|must be|unauthorized|inactive|(?:could not|cannot|can't) be (?:found|verified|validated))`,
  String
    .raw`\b(?:invalid|incorrect|missing|expired|revoked|malformed|bad|wrong|no|unable to verify|failed to verify|could not validate|couldn't validate|not valid) (?:[\w'-]+ ){0,2}?(?:credentials?|${holder} ?tokens?(?! (?:count|limit|ids?))|authentication|authorization(?: header)?|bearer|subscription key|x-api-key)\b`,
  String
    .raw`\b(?:${holder} ?token|credentials?|oauth)\b.{0,40}\b(?:is invalid|are invalid|invalid|expired|revoked|has expired|not valid|is missing|not found|does not match|failed|required|rejected|malformed|could not be (?:verified|validated))`,
  String
    .raw`\bauthenticat(?:ion|e) (?:fails?|failed|failure|error|required|unsuccessful|is required|credentials)|\bauthenticate\b.{0,20}\bfail|\bunauthorized\b|\bunauthenticated\b|\bnot authenticated\b|\bnot logged in\b|\bplease (?:log ?in|sign ?in|authenticate)\b|\bmust be authenticated\b|\bunregistered callers\b|\bestablished identity\b|\bno auth credentials\b|\buser not found\b|\bauthorization (?:header )?(?:is )?(?:required|missing|failed)|\bjwt\b.{0,60}\b(?:invalid|validate|exactly|expired|malformed)|\bvalidate\b.{0,20}\bjwt\b|\bsecurity token included in the request\b|\bunable to locate credentials\b|\bcould not load credentials\b|\bdidn't provide an api key\b|\bno cookie auth`,
  String
    .raw`\b(?:could not|couldn't|cannot|can't|unable to|failed to) (?:authenticate|verify|validate) (?:[\w'-]+ ){0,3}?(?:api key|key|credentials?|identity)\b|\bkey (?:has been|was) (?:revoked|disabled|deleted|deactivated|blocked)\b|\b(?:log|sign) ?in again\b|\b(?:failed|unable) to (?:extract|read|decode|parse) (?:[\w-]+ ){0,4}from (?:the |your )?(?:access |id |oauth )?token\b`,
  "(?:令牌|密钥|秘钥|口令|凭证|身份|鉴权|认证|验证|签名|token|api ?key|apikey|key).{0,12}(?:无效|错误|过期|失效|不正确|不存在|失败|未通过|不合法|缺失|为空|非法|有误|已禁用|未提供|不可用|已被)|无效的?(?:令牌|密钥|token|api|key|身份|签名|凭证)|未提供(?:令牌|密钥|token|api|身份|鉴权)|未授权|未登录|登录(?:失败|过期)|鉴权失败|认证失败|(?:憑證|金鑰|權杖).{0,8}(?:無效|過期|錯誤)",
  "api ?キー.{0,14}(?:無効|正しく|間違|期限|必要|ありません)|認証.{0,10}(?:失敗|エラー|必要|できません)|トークン.{0,8}(?:無効|期限切れ)|api ?키.{0,14}(?:유효하지|잘못|올바르지|만료|없습)|인증.{0,10}(?:실패|오류|필요|되지)|토큰.{0,8}(?:유효하지|만료)",
  "(?:ung[uü]ltiger?|fehlender?|falscher?|abgelaufener?) (?:api[- ]?)?(?:schl[uü]ssel|key|token)|authentifizierung (?:fehlgeschlagen|erforderlich)|nicht (?:authentifiziert|autorisiert)|cl[eé] (?:d')?api (?:\\w+ )?(?:invalide|incorrecte|manquante|expir)|authentification (?:[eé]chou|requise)|non autoris[eé]|clave (?:de )?(?:la )?api (?:\\w+ )?(?:inv[aá]lida|incorrecta|no v[aá]lida)|chave (?:de |da )?api (?:\\w+ )?(?:inv[aá]lida|incorreta)|no autorizado|n[aã]o autorizado|autenticaci[oó]n|неверный (?:api[- ]?)?(?:ключ|токен)|недействительн(?:ый|ого) (?:api[- ]?)?(?:ключ|токен)|ошибка (?:авторизации|аутентификации)|не авторизован|chiave api non valida|non autorizzato|ge[cç]ersiz api"
)

/** Words that are a credential's and an input's alike: they count under a status of refusal, or where nothing else is known. */
const maybeKey = anyOf(
  String
    .raw`\b(?:invalid|incorrect|missing|expired|revoked|malformed|bad|wrong|no|unable to verify|failed to verify|could not validate|couldn't validate|not valid) (?:[\w'-]+ ){0,2}?(?:tokens?(?! (?:count|limit|ids?))|jwt|signature|username|password|secret)\b`,
  String
    .raw`\b(?:token|jwt|signature|secret|login)\b.{0,40}\b(?:is invalid|are invalid|invalid|expired|revoked|has expired|not valid|is missing|not found|does not match|failed|required|rejected|malformed|could not be (?:verified|validated))`
)

/** The token alone is the whole sentence, and nothing of a request is spoken of. */
const tokenAlone =
  /^(?:\W|the |your |an? )*(?:invalid|expired|missing|revoked|unknown) (?:\w+ )?(?:token|jwt)\W*$|^(?:\W|the |your )*(?:token|jwt) (?:is |has |was )?(?:invalid|expired|revoked|missing)\W*$/

/** Parts of a request, by their places and names. */
const input = anyOf(
  String
    .raw`\b(?:messages?|contents?|parts|input|inputs|tools|choices)\b ?[.[] ?\d|\bthinking\b|\bthought\b|\breasoning\b|\bencrypted content\b|\bcontent block`,
  String
    .raw`\blogit bias\b|\bvocabular|\btokeni[sz]|\bstop (?:tokens?|sequences?)\b|\bspecial tokens?\b|\btoken ids?\b|\bunexpected token\b|\bmax tokens\b|\bimage token`,
  String
    .raw`\btool ?(?:use|call|result|choice)|\bfunction (?:call|name|response)|\bjson\b(?! web)|\bschema\b|\bbase64\b|\bidempoten|\bparameters?\b|\bproperty\b|\bresponse format\b|\bitem (?:id|with id)\b|\bmetadata\b`
)

/** Signed and encrypted parts of a conversation that somebody else gave, or that were cut: the request is at fault. */
const replayed = anyOf(
  String
    .raw`\bthought signature|\bsignature\b.{0,24}\bthinking\b|\bthinking\b.{0,40}\bsignature\b|\bthinking blocks?\b.{0,60}\b(?:cannot be modified|must|expected)`,
  String.raw`\bencrypted content\b.{0,100}\b(?:verif|decrypt|pars|match|missing|required)|\binvalidencryptedcontent\b`,
  String.raw`\binput item\b|\bitem (?:with )?id\b.{0,80}\b(?:not found|does not (?:exist|belong))`,
  String
    .raw`\btool (?:use|call) ?ids?\b.{0,60}\b(?:without|not found|did not have)|\btool (?:calls?|use)\b.{0,40}\bmust be followed by\b`
)

export const ofInput: ReadonlyArray<Rule> = [
  {
    name: "access/replayed-parts",
    because:
      "Thoughts, reasoning and items of an earlier answer are signed for one account and model; another refuses them, and no key is wrong.",
    tag: "InvalidRequest",
    text: replayed
  },
  {
    name: "access/replayed-parts-code",
    because: "OpenAI's codes for parts of another account's conversation.",
    tag: "InvalidRequest",
    code: codes("invalidencryptedcontent|invalidsignatureinthinking|previousresponsenotfound|thinkingsignatureinvalid")
  }
]

const noRight = anyOf(
  String
    .raw`\bpermission(?:s)? (?:\S+ )?(?:denied|to|required|error|for)|\b(?:insufficient|missing|lacks?|not have|doesn't have|no|without|required|necessary|require)(?: the| any| sufficient| enough| required| proper| a| an)* (?:\w+ )?(?:permissions?|scopes?|privileges?|role|entitlements?|rights?|access|data action|authorization)\b|\bscope requirement\b|\bmissing scopes?\b`,
  String
    .raw`\b(?:country|region|territory|location|jurisdiction|geograph\w+|your area)\b.{0,50}\b(?:not (?:supported|available|allowed|permitted)|unsupported|restricted|blocked|unavailable|prohibited)|\b(?:unsupported|restricted|unavailable in your|not available in your|not supported in your|blocked) (?:country|region|location|territory)`,
  String
    .raw`\bnot (?:authorized|authorised|allowed|permitted|eligible|entitled|enabled|whitelisted|allowlisted|granted)\b|\bis not authorized\b|\baccess (?:is |was |to (?:this|the|model) [^.]{0,60}(?:is )?)?(?:denied|forbidden|restricted|disabled|blocked|terminated|revoked|not granted)|\bforbidden\b|\bgated (?:repo|model)|\bauthorized list\b|\bmust (?:accept|agree|be verified|be granted|request access|complete)|\baccept the (?:terms|license)|\bterms (?:acceptance|of (?:service|use)) (?:is )?required|\brequires? (?:terms|acceptance|verification|approval|organi[sz]ation)|\bneeds? to be verified\b|\bidentity verification\b|\buse case details\b`,
  String
    .raw`\b(?:account|organi[sz]ation|user|project|workspace|api key|team|tenant|resource|subscription)\b.{0,40}\b(?:suspended|deactivated|disabled|banned|restricted|locked|terminated|blocked|frozen|not active|not verified|closed)|\bhas been (?:suspended|banned|deactivated|blocked|terminated)\b|\bhas not been used in project\b|\bapi (?:is |has )?(?:not been )?(?:disabled|not enabled)|\bonly available (?:for|to|in)\b|\bip (?:address )?(?:is )?(?:not|blocked|denied|restricted)|\bfirewall\b|\bvirtual network\b|\byou have been blocked\b|\bdata policy\b|\bno allowed providers\b|\bno access\b|\bnot activated the model\b|\boperation not allowed\b|\bsorry, you have been blocked\b|\battention required\b`,
  "无权|没有权限|权限(?:不足|不够|受限)|無權限|禁止(?:访问|使用)|拒绝访问|访问被拒绝|(?:地区|区域|国家|ip).{0,10}(?:不支持|受限|限制|禁止|不在)|账[户号].{0,8}(?:封禁|被禁|冻结|锁定|停用|已禁用|注销)|用户.{0,12}(?:封禁|禁用)|实名|未开通|未激活|白名单|権限(?:が|は).{0,6}(?:ありません|ない|不足)|アクセスが拒否|許可されて(?:い)?ません|お住まいの|권한이 (?:없|부족)|접근이? (?:거부|금지)|허용되지|지원되지 않는 (?:국가|지역)",
  "keine berechtigung|zugriff (?:verweigert|nicht)|nicht (?:berechtigt|erlaubt)|acc[eè]s (?:refus|interdit)|permission refus|pas autoris|acceso (?:denegado|prohibido)|sin permiso|no tiene permiso|acesso negado|sem permiss|доступ (?:запрещ|ограничен|закрыт)|нет (?:прав|доступа)|недостаточно прав|accesso negato|eri[sş]im engellendi"
)

/** Where a connection broke, the system's own "not permitted" is nobody's right at a provider: whose it is must be said. */
const owned =
  /\b(?:account|organi[sz]ation|api key|key|region|country|territory|terms|model|plan|subscription|project|workspace|resource|permission denied error)\b|无权|权限|账|実名|权/

/** Under a status that mostly finds fault with the request, the account or the place has to be named. */
const refuses = (status: number | undefined, text: string): boolean =>
  status !== 400 && status !== 422 && status !== 404 ||
  /country|region|location|territory|permission|verified|access|suspend|disabled|terms|data policy|providers|blocked|operation not allowed|banned|deactivated|使用|权限|无权|开通|激活|账|实名/
    .test(text)

/** What the clients of clouds say when they find no credentials, or cannot renew them. */
const unobtained = anyOf(
  String
    .raw`\b(?:unable to|could not|couldn't|cannot|failed to) (?:load|locate|find|get|obtain|retrieve|refresh|resolve) (?:[\w-]+ ){0,3}(?:credentials?|access token|sso token)\b|\bdefault credentials were not found\b|\bpartial credentials found\b`,
  String
    .raw`\bre-?authenticat(?:e|ion) is (?:needed|required)\b|\bapplication-default login\b|\baws sso login\b|\baz login\b|\berror (?:loading|when retrieving) (?:\w+ )?(?:sso )?token\b|\bsso session\b.{0,60}\bexpired\b`,
  String
    .raw`\binvalid grant\b|\brefresh token\b.{0,24}\b(?:expired|revoked|invalid)\b|\bdefaultazurecredential failed\b`,
  String
    .raw`\b(?:set|setting|specify|export|configure|define)\b.{0,80}\bapi key\b.{0,24}\benvironment variables?\b|\b(?:specify|set) one of the following environment variables\b.{0,80}\bapi key\b|\bapi key client option must be set\b|\bset an auth method\b`
)

export const byCode: ReadonlyArray<Rule> = [
  {
    name: "access/unobtained",
    because:
      "The client found no credentials to send, or could not renew them: a person has to sign in, under whatever class or number it is told.",
    tag: "AuthenticationFailed",
    text: unobtained
  },
  {
    name: "access/scope",
    because: "A key that lacks a scope or a role is a good key without the right, whatever the status.",
    tag: "PermissionDenied",
    text:
      /\bmissing scopes?\b|\bscope requirement\b|insufficient (?:permissions?|authentication scopes|scopes?)|\blacks the required\b/
  },
  {
    name: "access/key-within-permission",
    because:
      "Some providers wrap a dead key as a permission error; the sentence says that the key itself is leaked, revoked or missing.",
    tag: "AuthenticationFailed",
    status: refusalOfAccess,
    when: ({ codes: said, status }) => status === 403 || said.some((code) => /permission|forbidden|access/.test(code)),
    text:
      /(?:api key|token|credentials?|bearer)\b.{0,40}\b(?:leaked|revoked|has expired|is expired|is invalid|not valid)|unregistered callers|make sure your api key is valid|(?:invalid|incorrect) (?:[\w-]+ )?api key/,
    unless: /not (?:allowed|enabled|authorized) (?:for|to)/
  },
  {
    name: "access/key-code",
    because: "These codes say that the key or signature was not accepted.",
    tag: "AuthenticationFailed",
    code: codes(
      "(?:invalid|incorrect|missing|expired|revoked|wrong|bad|no|malformed|unknown|disabled|leaked)(?:the)?(?:x)?(?:(?:api|access|auth|authentication|authorization|bearer|iam|id|oauth|security|subscription|secret|session|user)+(?:key|token|header|signature)|credentials?|authentication|authorization|username|auth)(?:id)?(?:error|exception|missing|provided|format)?",
      "authentication(?:error|failed|failure|required|exception|errorexception)?|autherror|authfailed|authfailure\\w*|authenticationerrorexception|unauthenticated|unauthorized(?:error|exception|user)?|notauthenticated|notauthorizedinvalidkey|apikey(?:invalid|expired|missing|notfound|disabled|required|notvalid)|invalidapikey\\w*|authorizationheadermissing|loginfail(?:ed)?",
      "accesstoken(?:expired|invalid|typeunsupported|missing)|credentialsmissing|credentials(?:provider)?error|nocredentials(?:error)?|unrecognizedclient(?:exception)?|invalidsignature(?:exception)?|signaturedoesnotmatch|expiredtoken(?:exception)?|incompletesignature(?:exception)?|missingauthenticationtoken(?:exception)?|invalidclienttokenid|invalidaccesskeyid\\w*|accountdeactivated|incorrectapikeyerror|invalidauthenticationerror|mismatchedorganization|invalidorganization"
    ),
    status: refusalOfAccess
  },
  {
    name: "access/key-code-alone",
    because:
      "Codes that name a token, key or signature and not whose: OAuth's own under a 401, an input's under others.",
    tag: "AuthenticationFailed",
    code: codes(
      "(?:invalid|incorrect|missing|expired|revoked|wrong|bad|no|malformed|unknown|disabled)(?:key|token|header|signature|jwt)(?:error|exception|missing|provided|format)?|token(?:invalid|expired)(?:error)?"
    ),
    unless: input,
    status: (status) => status === undefined || [200, 401, 403, 407].includes(status)
  },
  {
    name: "access/right-code",
    because: "These codes refuse the action, the region or the account, not the key.",
    tag: "PermissionDenied",
    code: codes(
      "permission(?:denied|error|deniederror|deniedexception|sdenied)|permissiondeniederror|accessdenied(?:exception|error)?|access(?:terminated)?error|accessterminated(?:error)?|iampermissiondenied|requestforbidden|forbidden(?:error|exception)?|insufficientpermissions?|insufficientscope|missingscope|notauthorized(?:exception)?|operationdenied\\w*|modelaccessdenied|noaccess|nopermission|notallowed|authorizationerror|authorizationfailed",
      "unsupportedcountryregionterritory|unsupportedcountry|regionnotsupported|userlocation\\w*|locationnotsupported|geoblocked|ipnotauthorized|ipblocked|accessblocked|modeltermsrequired|termsrequired|servicedisabled|apikeyserviceblocked|apikeyhttpreferrerblocked|apikeyipaddressblocked|consumersuspended|consumerinvalid|userprojectdenied|securitypolicyviolated|organization(?:restricted|disabled|suspended|mustbeverified)|account(?:suspended|disabled|banned|locked|blocked|frozen)|usersuspended|modelnotopen|notopen|accesstokenscopeinsufficient|gatedrepo|blockedapiaccess|orgnotverified|serviceunactivated|failedoperationservicenotactivated|policyviolationaccount"
    ),
    status: (status) => status === undefined || status < 500 && status !== 429
  }
]

export const byText: ReadonlyArray<Rule> = [
  {
    name: "access/key-words",
    because:
      "The text says that key, token or signature is wrong, missing or expired; a third party's login never signs anybody out.",
    tag: "AuthenticationFailed",
    status: refusalOfAccess,
    text: badKey,
    unless:
      /\bnot (?:authorized|allowed) to (?:perform|access|use)|max tokens|user location|country, region|tool ?call|response format|image token|function|model .{0,60}(?:does not exist|not found)|unsupported value|stop token|special token|\bunauthorized (?:parameter|field|argument|property|value)/
  },
  {
    name: "access/token-words",
    because:
      "A token or signature is wrong under a status of refusal, or as the whole of what is said; of input the same words are said with other statuses.",
    tag: "AuthenticationFailed",
    status: (status) => status === undefined || status < 400 || [401, 403, 407].includes(status),
    text: maybeKey,
    unless: input,
    when: ({ status, text, transport }) =>
      // Tokens of a quota are counted, not shown.
      !/\bquota\b/.test(text) &&
      (status === 401 || status === 403 || status === 407 || tokenAlone.test(text) ||
        (status === undefined && !transport))
  },
  {
    name: "access/right-words",
    because: "The text says that this key may not do this, from here, or on these terms.",
    tag: "PermissionDenied",
    status: refusalOfAccess,
    text: noRight,
    unless:
      /parameter|unsupported value|not allowed here|additional ?properties|extra inputs?|extra fields?|role|tool ?call|\bmethod not allowed\b|\bmust be verified by the tool|schema|property|array|field|argument|header/,
    when: ({ status, text, transport }) => status === undefined && transport ? owned.test(text) : refuses(status, text)
  }
]
