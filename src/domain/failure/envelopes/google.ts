import { codes, statusIs } from "../Rule.js"
import type { Rule } from "../Rule.js"

/** Gemini, Vertex, Code Assist: `{error:{code,message,status,details[]}}`, also as an array or as JSON within a string. */
export const rules: ReadonlyArray<Rule> = [
  {
    name: "google/key",
    because: "ErrorInfo.reason is Google's own cause; the status around it is INVALID_ARGUMENT or PERMISSION_DENIED.",
    tag: "AuthenticationFailed",
    code: codes("apikey(?:invalid|expired|notfound)|accesstoken(?:expired|invalid|typeunsupported)|credentialsmissing")
  },
  {
    name: "google/capacity",
    because: "MODEL_CAPACITY_EXHAUSTED is Google's own shortage on a model; the caller is within the quota.",
    tag: "ProviderUnavailable",
    code: codes("modelcapacityexhausted")
  },
  {
    name: "google/money",
    because: "These reasons, and words on credits or spending caps, mean money even under RESOURCE_EXHAUSTED.",
    tag: "BudgetExhausted",
    code: codes("insufficientg1creditsbalance|billingdisabled|resourceexhausted|failedprecondition|permissiondenied"),
    text:
      /credits? (?:are|is|have been|balance)? ?(?:depleted|exhausted|insufficient|used up)|spend(?:ing)? (?:cap|limit)|insufficient g1 credits|billing to be enabled|enable billing|billing (?:account )?(?:is |has been )?(?:disabled|closed|not)|prepay/
  },
  {
    name: "google/no-free-tier",
    because: "A limit of zero says that the plan holds none of this model: no window ever opens.",
    tag: "BudgetExhausted",
    code: codes("resourceexhausted"),
    text: /\blimit: 0\b(?![.\d])/
  },
  {
    name: "google/quota",
    because:
      "RESOURCE_EXHAUSTED is Google's word for every quota per minute or day; its text always mentions plan and billing.",
    tag: "RateLimited",
    code: codes("resourceexhausted|userratelimitexceeded|dailylimitexceeded|quotaexhausted"),
    unlessCode: codes("insufficientquota|billingdisabled"),
    when: ({ codes: said, text }) => !/\bmonth/.test(text) && !said.some((code) => /contextlength|toolarge/.test(code)),
    unless: /\brequest too large\b|insufficient balance|余额|input token count/
  },
  {
    name: "google/region",
    because: "FAILED_PRECONDITION about the user's location is a region block.",
    tag: "PermissionDenied",
    code: codes("failedprecondition"),
    text: /location|country|region/
  },
  {
    name: "google/disabled-service",
    because: "The project lacks the API, the role or the referrer; the key itself is known.",
    tag: "PermissionDenied",
    code: codes(
      "servicedisabled|apikeyserviceblocked|apikeyhttpreferrerblocked|apikeyipaddressblocked|consumersuspended|consumerinvalid|userprojectdenied|iampermissiondenied|accesstokenscopeinsufficient|securitypolicyviolated"
    )
  },
  {
    name: "google/deadline",
    because: "DEADLINE_EXCEEDED is Google's status for its own time limit.",
    tag: "Timeout",
    code: codes("deadlineexceeded")
  },
  {
    name: "google/cancelled",
    because: "CANCELLED with 499 says that the caller hung up; a gateway's 499 may carry why it waited so long.",
    tag: "Cancelled",
    status: statusIs(499),
    unlessCode: /overloaded|unavailable/
  },
  {
    name: "google/model",
    because: "NOT_FOUND on a models/ or publishers/ resource names a model that is not there.",
    tag: "ModelNotFound",
    status: statusIs(404, 200),
    code: codes("notfound"),
    text: /\bmodels?\b/
  }
]
