import { describe, expect, it } from "@effect/vitest"
import { judged, ruleOf, words } from "./answers.js"

describe("a code that refuses the account", () => {
  const suspended = words("Please write to support.", { code: "account_suspended" })

  it.each([undefined, 200, 400, 403, 404, 422, 498])("is about the right under the status %s", (status) => {
    expect(ruleOf(status, suspended)).toBe("access/right-code")
  })

  it.each([
    [429, "status/429"],
    [500, "status/5xx"],
    [503, "status/5xx"]
  ])("gives way to the status %s, which speaks of something that passes", (status, rule) => {
    expect(ruleOf(status, suspended)).toBe(rule)
  })
})

describe("words that refuse an action", () => {
  const refused = words("You are not permitted to do this.")

  it.each([undefined, 200, 401, 403, 407])("are about the right under the status %s", (status) => {
    expect(ruleOf(status, refused)).toBe("access/right-words")
  })

  it.each([
    [400, "status/4xx"],
    [404, "status/4xx"],
    [422, "status/4xx"],
    [429, "status/429"],
    [500, "status/5xx"]
  ])("are too little under the status %s", (status, rule) => {
    expect(ruleOf(status, refused)).toBe(rule)
  })

  it.each([400, 404, 422])("suffice under the status %s where they name what is closed", (status) => {
    expect(ruleOf(status, words("Calls from your country are not permitted."))).toBe("access/right-words")
  })
})

describe("credentials that a client could not obtain", () => {
  const said = [
    "Unable to locate credentials. You can configure credentials by running \"aws configure\".",
    "Error loading SSO Token: Token for default does not exist",
    "The SSO session associated with this profile has expired or is otherwise invalid.",
    "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY",
    "Could not load the default credentials. Browse to the documentation for more information.",
    "Your default credentials were not found. To set up Application Default Credentials, see the documentation.",
    "Getting metadata from plugin failed with error: Reauthentication is needed.",
    "('invalid_grant: Token has been expired or revoked.', {'error': 'invalid_grant'})",
    "DefaultAzureCredential failed to retrieve a token from the included credentials.",
    "Please run 'az login' to set up an account.",
    "The api_key client option must be set either by passing api_key to the client or by setting the ACME_API_KEY environment variable",
    "Please set an Auth method in your settings or specify one of the following environment variables: ACME_API_KEY"
  ]

  it.each(said)("are a person's to mend under any status: %s", (message) => {
    for (const status of [undefined, 400, 500, 503]) {
      expect(ruleOf(status, words(message))).toBe("access/unobtained")
      expect(ruleOf(status, `litellm.APIConnectionError: AcmeException - ${message}`)).toBe("access/unobtained")
    }
  })
})

describe("a key that is wrapped as a right", () => {
  it("is the key's matter under a 403, or beside a code of permission", () => {
    expect(ruleOf(403, words("Your API key was reported as leaked."))).toBe("access/key-within-permission")
    expect(ruleOf(400, words("API key is expired.", { code: "PERMISSION_DENIED" }))).toBe(
      "access/key-within-permission"
    )
  })

  it("is told by its own words where nobody speaks of a right", () => {
    expect(ruleOf(401, words("Invalid API key."))).toBe("access/key-words")
    expect(ruleOf(undefined, words("Your API key has expired."))).toBe("access/key-words")
  })
})

describe("tokens of a quota", () => {
  it("are counted and no credential, under a status of refusal", () => {
    expect(ruleOf(403, words("Request of 1 token(s) from quota was rejected"))).not.toMatch(/^access\/(?:key|token)/)
    expect(ruleOf(403, words("The token was rejected"))).toBe("access/token-words")
  })
})

describe("a key that was not found", () => {
  it.each([
    "Provided API key could not be found.",
    "The API key cannot be verified.",
    "API key not found."
  ])("is refused by the key's own words: %s", (message) => {
    expect(ruleOf(400, words(message))).toBe("access/key-words")
  })
})

describe("a credential that is spoken of without a status", () => {
  it.each([
    "Could not authenticate API key",
    "Failed to verify your API key",
    "unable to validate credentials",
    "This key has been revoked",
    "key was deleted by its owner",
    "Your session could not be refreshed. Please log out and sign in again.",
    "Please log in again to continue",
    "Failed to extract accountId from token",
    "unable to decode claims from the access token"
  ])("%s", (message) => {
    expect(ruleOf(undefined, message)).toBe("access/key-words")
  })

  it.each([
    ["an account that is shut for what it asked", "当前ak因违规请求被禁止访问该模型"],
    ["a user", "该用户因违规内容已被封禁"]
  ])("and a right that was taken is no content: %s", (_, message) => {
    expect(judged(undefined, message).failure._tag).toBe("PermissionDenied")
  })
})
