import { anyOf, codes, statusIs } from "../Rule.js"
import type { Rule } from "../Rule.js"

const subject = String.raw`\b(?:models?|engine|deployment|checkpoint)\b`
const gone = String
  .raw`(?:does not exist|doesn't exist|do not exist|not exist|not found|was not found|is not found|could not be found|cannot be found|not be found|is unknown|is not available|isn't available|no longer (?:available|supported|exists|served)|has been (?:deprecated|retired|archived|withdrawn|removed|decommissioned|discontinued|shut down|sunset)|is (?:deprecated and|retired|decommissioned|discontinued|not a valid|invalid|not recognized|not a recognized|not deployed|not loaded|not installed|not supported(?! (?:for|with|in|when|yet))|unavailable for|not served|unsupported)|was (?:deprecated|retired|archived|removed|decommissioned|not recognized)|not (?:recognized|hosted|offered|served|configured)|reached (?:the|its) end|end of (?:its )?life|not installed|not deployed|is disabled)`

const unknown = anyOf(
  String
    .raw`${subject}(?:,|:)? ?(?:(?:id|name|identifier|version|code|ref|with the (?:name|id))\b ?)?:?[^.;!?]{0,120}? ${gone}`,
  String.raw`\bmodels?\/[\w.:-]+ (?:is )?not found\b`,
  String
    .raw`\b(?:unknown|invalid|unsupported|nonexistent|no such|non-existent|unrecognized|unrecognised|wrong|incorrect) (?:model|engine|deployment)(?: (?:name|id|identifier|code|version|specified|requested))?\b`,
  String
    .raw`\bnot a valid model\b|\bmodel identifier is invalid\b|\b(?:could not|couldn't|cannot|can't|unable to|failed to) (?:find|locate|resolve|recognize|access) (?:[\w-]+ ){0,4}?(?:model|deployment|engine)|\bno (?:models? loaded|model (?:is )?loaded|available (?:channel|provider|model)s? for|endpoints? found for|such model|model found|available model|healthy deployments? for|deployments? available|channel available)|\btry pulling it\b|\bpull the model\b|\bpull model manifest\b|\bmodel (?:id|name)?:? ?[\w./:-]+ (?:not found|not exist)|\bnot found (?:the )?model\b`,
  String
    .raw`\bavailable models\b.{0,40}\bare\b|\bno access to model\b|\brouter .{0,40}not found\b|\bnot supported by (?:provider|any provider)|\bsee the list of available models\b|\bpossible model names\b|\bsupported api model names\b`,
  "模型.{0,60}(?:不存在|未找到|找不到|已下线|下线|不可用|未上线|不支持(?!.{0,6}(?:参数|功能|工具))|无效|已停用|未部署|没有找到|已弃用)|(?:不存在|不支持|未知|无效|找不到|没有).{0,4}的?模型|无可用渠道|無可用渠道|没有可用(?:的)?渠道|渠道不存在|模型名称?(?:错误|不正确|有误)",
  "モデル.{0,60}(?:見つかり|存在しま|利用でき|無効|サポートされて)|모델.{0,60}(?:찾을 수 없|존재하지|사용할 수 없|지원되지)|modell?.{0,60}(?:nicht gefunden|existiert nicht|nicht verf[uü]gbar|unbekannt)|mod[eè]le.{0,60}(?:introuvable|n'existe pas|inconnu|non trouv)|modelo.{0,60}(?:no existe|no encontrad|n[aã]o (?:existe|encontrad)|desconocid)|модель.{0,60}(?:не найден|не существ|недоступн|неизвестн)|modello.{0,60}(?:non trovat|non esist|inesist)"
)

/** Says that a known model cannot do what was asked, or is coming up: the model itself is there. */
const present = anyOf(
  String
    .raw`\b(?:does not|doesn't|do not) support\b|\bis not supported (?:via|by|on|through) (?:the )?[\w/-]+ (?:api|endpoint)\b|\bnot support(?:ed)? (?:with|for|by) this model|\bwith this model\b|\bcurrently loading\b|\bis loading\b|\byet\b|\bnot ready\b|\btemporar|\bon-demand throughput\b|\bwhich supports\b|\bsupported values\b|\bbusy\b|\boverload|\bcapacity\b|\bhigh demand\b|\bparameter\b.{0,40}\bnot supported|\bthat support\b|\btool (?:use|choice)\b|\btry again (?:later|in)\b|\b(?:region|country|territory|location)\b|\bprevious response\b|\bfile\b.{0,20}not found`
)

export const byCode: ReadonlyArray<Rule> = [
  {
    name: "model/no-access",
    because: "A 403 that says the project or key has no access to a model is about the right, not the model's name.",
    tag: "PermissionDenied",
    status: statusIs(403),
    text:
      /(?:does not|doesn't|do not) have (?:permission to )?access to|no access to model|not (?:allowed|authorized|permitted) to (?:use|access|sample)|无权(?:使用|访问)/
  },
  {
    name: "model/not-for-this-key",
    because: "Who lacks the model is named: the model is there, and others may use it.",
    tag: "PermissionDenied",
    status: statusIs(400, 401, 403, 404),
    text:
      /\bmodels?\b.{0,120}\b(?:is|are) not (?:available|enabled|allowed|accessible) (?:for|to|with|on) (?:this|your|the) (?:api[ -]?key|key|account|team|project|organi[sz]ation|workspace|user)\b/
  },
  {
    name: "model/code",
    because: "These codes name the model itself as unknown, retired or not deployed.",
    tag: "ModelNotFound",
    code: codes(
      "(?:invalidendpointor)?model(?:id|name)?(?:not(?:found|exist|exists|available|supported|deployed|loaded)|decommissioned|deprecated|retired|unavailablepermanently|discontinued|unknown|missing)(?:error|exception)?",
      "(?:unknown|invalid|unsupported|unavailable|nosuch)(?:the)?model(?:error|name|id|notfound)?|deploymentnotfound|invalidendpointormodel\\w*|enginenotfound|notfoundmodel|invalidmodel\\w*|no(?:available)?channel|noavailablechannel|modeloffline|finish:modelnotfound|model_not_found"
    ),
    unless: present
  }
]

export const byText: ReadonlyArray<Rule> = [
  {
    name: "model/words",
    because:
      "The text says that a model is unknown, retired or not there; status and code differ from server to server.",
    tag: "ModelNotFound",
    text: unknown,
    unless: present
  },
  {
    name: "model/retired",
    because: "A 410 on a model's address means that it was there once and is no longer served.",
    tag: "ModelNotFound",
    status: statusIs(410),
    text: /model|deprecat|no longer|retired|sunset/
  }
]
