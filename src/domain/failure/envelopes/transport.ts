import { isTunnel } from "../StatusInText.js"
import { codes } from "../Rule.js"
import type { Rule } from "../Rule.js"
import type { Evidence } from "../Evidence.js"

const chained = ({ transport }: Evidence): boolean => transport

/** What the runtime's codes say: they are exact, and stand before any words. */
export const byCode: ReadonlyArray<Rule> = [
  {
    name: "transport/proxy",
    because:
      "A proxy on our way refused the tunnel: its number is no answer of the provider, and no code around it says more.",
    tag: "Network",
    phase: "connect",
    when: ({ wire }) => [wire.body, ...(wire.transport ?? []).map(({ message }) => message)].some(isTunnel)
  },
  {
    name: "transport/certificate",
    because:
      "OpenSSL and Node name each way in which a peer's certificate cannot be trusted; it is the same at the next try.",
    tag: "Network",
    phase: "certificate",
    when: chained,
    code: codes(
      "(?:err)?cert\\w*|unableto(?:verify|get|decrypt|decode)\\w*|depthzeroselfsignedcert|selfsignedcertinchain|errtlscertaltnameinvalid|hostnamemismatch|invalidca|invalidpurpose|pathlengthexceeded|errtlscert\\w*|errssl\\w*(?:unknownca|certificateverifyfailed|badcertificate|certificateexpired|certificaterevoked|certificateunknown|unsupportedcertificate)|sslcertverificationerror|crl\\w+|errorinissuer\\w*"
    )
  },
  {
    name: "transport/dns",
    because: "The resolver's codes: the name led to no address, for now.",
    tag: "Network",
    phase: "dns",
    when: chained,
    code: codes(
      "enotfound|eai\\w+|edestaddr|enodata|eservfail|dnserror|errnamenotresolved|nameresolutionerror|gaierror"
    )
  },
  {
    name: "transport/connect",
    because: "The connection never stood: refused, no route, or no answer to the first packet.",
    tag: "Network",
    phase: "connect",
    when: chained,
    code: codes(
      "econnrefused|ehostunreach|enetunreach|ehostdown|enetdown|eaddrnotavail|unde?rrconnecttimeout|connecttimeout(?:error)?|connectionrefused(?:error)?|failedtoopensocket|newconnectionerror|errconnectionrefused|errinternetdisconnected|enoent"
    )
  },
  {
    name: "transport/unreadable",
    because: "An answer came, and it does not decode: cut off JSON, HTML where JSON was due, too much of it.",
    tag: "MalformedResponse",
    when: chained,
    code: codes(
      "syntaxerror|jsondecodeerror|aijsonparseerror|jsonparseerror|aitypevalidationerror|typevalidationerror|aiinvalidresponsedataerror|invalidresponsedataerror|aiemptyresponsebodyerror|ainooutputgeneratederror|nooutputgeneratederror|emptyresponsebodyerror|parseerror|zerror|zoderror|underrresexceededmaxsize|contentdecodingerror|zbuferror|zdataerror|errencodinginvalidencodeddata|apiresponsevalidationerror|decodeerror|validationerror"
    ),
    unlessCode: /^(?:econn\w+|underrsocket|etimedout|httpparsererror)$/
  },
  {
    name: "transport/timeout",
    because: "A clock on our side ran out while the server was silent.",
    tag: "Timeout",
    when: ({ text, transport }) =>
      transport &&
      !/\bconnect etimedout\b|\bconnect timeout\b|\bdial tcp\b|connecting to|connection to \S+ timed out/.test(text),
    code: codes(
      "timeouterror|23|timeout(?:exception)?|readtimeout(?:error)?|writetimeout|pooltimeout|connectionpooltimeout|esockettimedout|etimedout|etime|underrheaderstimeout|underrbodytimeout|headerstimeouterror|bodytimeouterror|apitimeouterror|apiconnectiontimeouterror|asynciotimeouterror|deadlineexceeded|serverTimeouterror|servertimeouterror|errsocketconnectiontimeout|requesttimeout|aitimeouterror"
    )
  },
  {
    name: "transport/connect-timeout",
    because: "The clock ran out before a connection stood: nothing was sent, so a smaller batch would not help.",
    tag: "Network",
    phase: "connect",
    when: chained,
    code: codes("etimedout")
  },
  {
    name: "transport/reset",
    because: "The peer or something between hung up on a connection that stood.",
    tag: "Network",
    phase: "receive",
    when: chained,
    code: codes(
      "econnreset|econnaborted|underrsocket|socketerror|epipe|errstreamprematureclose|errhttp2\\w+|errsocketclosed|hpe\\w+|httpparsererror|ehttpparse|underrclosed|underrdestroyed|remoteprotocolerror|remotedisconnected|connectionreset(?:error)?|incompleteread|chunkedencodingerror|brokenpipeerror|serverdisconnectederror|clientpayloaderror|clientoserror|protocolerror|errstreamdestroyed|errnetwork|errconnectionreset|errnetworkchanged|errconnectionclosed|errhttp2protocolerror|erremptyresponse|econnclosed|enotconn|errincompletechunkedencoding|connectionclosed"
    ),
    unlessCode: /^(?:errcanceled)$/,
    unless: /\btimeout of \d+ ?ms exceeded\b/
  },
  {
    name: "transport/axios-timeout",
    because: "Axios reports its own time limit as ECONNABORTED; only its sentence tells it from a hang-up.",
    tag: "Timeout",
    when: chained,
    text: /\btimeout of \d+ ?ms exceeded\b/
  },
  {
    name: "transport/tls",
    because: "The handshake failed without a verdict on the certificate: cut off, or the peer speaks something else.",
    tag: "Network",
    phase: "tls",
    when: ({ text, transport }) =>
      transport && !/certificate (?:verify|has expired|is not)|self[- ]signed|unknown ca/.test(text),
    code: codes("eproto|errssl\\w*|errtls\\w*|sslerror|sslzeroreturnerror|ssleoferror|tlserror")
  },
  {
    name: "transport/cancelled",
    because: "Somebody on our side called it off.",
    tag: "Cancelled",
    when: ({ text, transport }) =>
      transport && !/\btime(?:d)?[ -]?out\b|deadline|socket|network|reset by|closed/.test(text),
    code: codes(
      "aborterror|20|apiuseraborterror|errcanceled|cancelederror|cancellederror|cancelled|canceled|cancelledexception|operationcanceled(?:exception)?|taskcanceled(?:exception)?|underraborted|interruptedexception|requestabortederror|responseaborted|keyboardinterrupt|asynciocancellederror"
    )
  }
]

/**
 * What clients print where no code is at hand: Rust, Go, Python, browsers, and the phrases of proxies. Read in the chain's
 * messages, or in a body where only text was handed in.
 */
export const byEarlyText: ReadonlyArray<Rule> = [
  {
    name: "transport/http2-words",
    because:
      "HTTP/2 names its own stream errors, INTERNAL_ERROR among them: the connection's words and not the provider's.",
    tag: "Network",
    phase: "receive",
    text:
      /\bstream error: stream id|\bstream error received\b|\bh2 protocol error\b|received from peer|\bhttp2:|\bgoaway\b|\brst stream\b/
  },
  {
    name: "transport/certificate-words",
    because: "TLS libraries word a rejected certificate in their own ways; it is the same at the next try.",
    tag: "Network",
    phase: "certificate",
    text:
      /certificate verify failed|certificate verification|invalid peer certificate|unknownissuer|unknown issuer|x509:|self[- ]signed certificate|certificate (?:has expired|is not (?:yet )?valid|is not trusted|signed by unknown|expired|revoked|unknown|required|chain)|unable to (?:verify the first|get (?:local )?issuer) certificate|not match certificate|cert's altnames|notvalidforname|hostname mismatch|bad certificate|sec e untrusted root|issuer is not trusted|untrusted certificate|unknown ca\b|the certificate/
  },
  {
    name: "transport/dns-words",
    because: "Resolvers of Rust, Go, Python, curl and the system word a name without an address so.",
    tag: "Network",
    phase: "dns",
    text:
      /\bdns\b|getaddrinfo|failed to lookup address|nodename nor servname|name or service not known|temporary failure in name resolution|name resolution|no such host|could(?:n't| not) resolve|enotfound|eai again|nxdomain|server misbehaving|unknown host|no address associated|err name not resolved|不知道这样的主机|域名解析/
  },
  {
    name: "transport/decode-words",
    because:
      "JSON readers say this of an answer that is not what it should be, and quote what they met: the quote is no verdict.",
    tag: "MalformedResponse",
    text:
      /unexpected (?:token|end of json|end of input|identifier|character|non-whitespace)|is not valid json|json[ -]?(?:parse|decode|decoding|parsing)(?: error|error| fail)|\binvalid json\b|unterminated string|expecting value: line|expected value at line|eof while parsing|error decoding response body: (?:expected|invalid|missing|unknown|trailing|eof while|data did not)|failed to (?:parse|decode|deserialize) (?:the )?(?:json|response|body)|missing field|invalid character '.' (?:looking for|after)|unexpected end of json|could not (?:parse|decode) (?:the )?(?:json|response)|malformed (?:json|response)|extra data: line|invalid type: (?:null|string|integer|map|sequence)|cannot unmarshal|unexpected content[- ]type|json解析|解析失败/
  },
  {
    name: "transport/connect-words",
    because: "The connection was never made.",
    tag: "Network",
    phase: "connect",
    text:
      /\bconnect:? (?:operation not permitted|permission denied|eperm|eacces)\b|\baccess a socket in a way forbidden|connection refused|actively refused|econnrefused|no route to host|(?:network|host) is (?:unreachable|down)|all connection attempts failed|failed to (?:connect|establish a (?:new )?connection)|(?:could not|couldn't|cannot|can't|unable to) (?:connect|establish)|tcp connect error|connect error|\bconnect e(?:hostdown|netdown|addrnotavail|connreset)\b|error trying to connect|client error \(connect\)|connect: connection|dial (?:tcp|udp)|connecttimeout|connect timeout|connection timed out|connect etimedout|(?:tls|ssl) handshake time(?:d )?out|max retries exceeded|proxy (?:connection|error|connect)|cannot assign requested address|ehostunreach|enetunreach|is the computer able to access|err connection refused|err internet disconnected|no internet|积极拒绝|连接(?:被拒绝|失败|超时)|接続(?:できません|に失敗|が拒否)|连接不上|verbindung (?:abgelehnt|verweigert)|connexion refus|conexi[oó]n (?:rechazada|rehusada)/
  }
]

/** Words that providers also use of themselves: asked only after all that is known of providers. */
export const byLateText: ReadonlyArray<Rule> = [
  {
    name: "transport/cancelled-words",
    because: "Go, Python and the browsers say so when the caller gave up.",
    tag: "Cancelled",
    text:
      /context cancell?ed|\b(?:request|operation|call|stream|this operation|task|turn|generation)(?: (?:was|is|has been))? (?:aborted|cancell?ed)\b|^aborted\.?$|^cancell?ed\.?$|aborterror|cancell?ed by (?:the )?(?:user|client|caller)|user (?:aborted|cancell?ed|interrupt)|signal is aborted|client (?:disconnected|closed request)|interrupted by (?:the )?user|keyboardinterrupt|用户(?:取消|中止|终止)|(?:已|被|请求)取消|提前取消|キャンセル|취소/,
    unless: /time(?:d)?[ -]?out|deadline|connection closed|reset by/
  },
  {
    name: "transport/timeout-words",
    because: "A time limit of the caller's own passed.",
    tag: "Timeout",
    text:
      /\btimed?[ -]?out\b|timeout|deadline (?:has )?(?:been )?(?:elapsed|exceeded)|deadline exceeded|超时|タイムアウト|시간 초과|zeit[uü]berschreitung|d[eé]lai d'attente|tiempo de espera|истекло время|тайм-?аут/
  },
  {
    name: "transport/reset-words",
    because: "A connection that stood was cut, by the peer or on the way.",
    tag: "Network",
    phase: "receive",
    text:
      /\b(?:read|write|send|recv) e(?:pipe|connreset|connaborted|netreset|notconn|io)\b|\bund err (?:socket|closed|destroyed)\b|connection (?:was )?(?:reset|closed|aborted|terminated|lost|dropped|interrupted|error)|reset by peer|forcibly closed|broken pipe|socket (?:hang up|closed|disconnected|connection was closed|error|is not connected)|hang up|other side closed|^terminated$|premature close|unexpected eof|eof occurred|unexpected end of file|incomplete (?:chunked read|message|read)|peer closed|server (?:disconnected|closed)|remote end closed|body stream|stream (?:was |has )?(?:read )?(?:reset|closed|error|ended|terminated)|\b(?:request|response|stream) ended (?:without|before)\b|error reading a body|goaway|rst stream|refused stream|http2|connection error|network (?:connection lost|error|changed|failure|request failed)|networkerror|load failed|fetch failed|failed to fetch|error sending request|request or response body error|\beof\b|transport error|transport endpoint|connexion (?:interrompue|perdue)|连接(?:被|已)?(?:重置|断开|中断|关闭|错误|异常)|接続が(?:切|リセット)|disconnected before|payload is not completed|not enough data to satisfy|upstream prematurely|error decoding response body|response ended prematurely|ran out of input/
  },
  {
    name: "transport/tls-words",
    because: "The handshake failed without a verdict on the certificate.",
    tag: "Network",
    phase: "tls",
    text: /\bssl\b|\btls\b|handshake|wrong version number/
  }
]

/** An error chain without known words: still no answer arrived. */
export const unknown: ReadonlyArray<Rule> = [
  {
    name: "transport/unknown",
    because: "The call broke without an answer; nothing says that it would break again.",
    tag: "Network",
    phase: "unknown",
    when: chained
  }
]
