import { codes } from "../Rule.js"
import type { Rule } from "../Rule.js"

/** Bedrock and SageMaker: the code stands in `x-amzn-errortype`, `__type`, or the name of the event's member. */
export const rules: ReadonlyArray<Rule> = [
  {
    name: "aws/throttling",
    because:
      "ThrottlingException covers requests and tokens alike, per minute and per day; `Too many tokens` is no context length.",
    tag: "RateLimited",
    code: codes(
      "throttlingexception|toomanyrequestsexception|servicequotaexceededexception|requestlimitexceeded|provisionedthroughputexceededexception"
    )
  },
  {
    name: "aws/payment",
    because:
      "Bedrock refuses models from its marketplace as AccessDenied while the account has no valid means of payment.",
    tag: "BudgetExhausted",
    code: codes("accessdenied(?:exception)?|invalidpaymentinstrument"),
    text: /payment instrument|payment method|invalid payment/
  },
  {
    name: "aws/credentials",
    because: "AWS signs requests: these names, most with a 403, say that key or signature is not accepted.",
    tag: "AuthenticationFailed",
    code: codes(
      "unrecognizedclient(?:exception)?|expiredtoken(?:exception)?|invalidsignature(?:exception)?|signaturedoesnotmatch|incompletesignature(?:exception)?|missingauthenticationtoken(?:exception)?|invalidclienttokenid|invalidaccesskeyid|nocredentials(?:error)?|credentialsprovidererror|requestexpired(?:exception)?|optinrequired"
    )
  },
  {
    name: "aws/bearer-key",
    because: "Bedrock's API keys are refused as AccessDenied with a sentence about the key.",
    tag: "AuthenticationFailed",
    code: codes("accessdenied(?:exception)?"),
    text: /api key is valid|authentication failed|bearer token|security token|token has expired/
  },
  {
    name: "aws/use-case",
    because: "The account has not asked for this model: a right, though it comes as ResourceNotFound.",
    tag: "PermissionDenied",
    text: /use case details|don't have access to the model|not authorized to perform|is not authorized to invoke/
  },
  {
    name: "aws/inference-profile",
    because: "The model exists and must be asked through a profile: the request has to change.",
    tag: "InvalidRequest",
    text: /on-demand throughput isn.t supported|inference profile/,
    unless: /not found|does not exist/
  },
  {
    name: "aws/model-gone",
    because: "ResourceNotFound on Bedrock is a model or its version.",
    tag: "ModelNotFound",
    code: codes("resourcenotfound(?:exception)?"),
    text: /model|foundation|end of (?:its )?life/
  },
  {
    name: "aws/not-allowed",
    because: "Bedrock answers `Operation not allowed` to accounts that may not call it at all.",
    tag: "PermissionDenied",
    text: /^operation not allowed$/
  },
  {
    name: "aws/model-timeout",
    because: "ModelTimeoutException is Bedrock's own time limit.",
    tag: "Timeout",
    code: codes("modeltimeoutexception")
  },
  {
    name: "aws/unavailable",
    because: "These exceptions are the service's or the model's own trouble, whatever the status.",
    tag: "ProviderUnavailable",
    code: codes(
      "modelnotreadyexception|modelerrorexception|modelstreamerrorexception|internalserverexception|serviceunavailableexception|internalfailure"
    )
  }
]
