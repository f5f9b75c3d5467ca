import * as Match from "effect/Match"
import * as Schema from "effect/Schema"
import type { ExitCode } from "../failure/Consequence.js"

/**
 * Everything that may be wrong with what a person gives to `index`. Each message is one plain sentence: what is wrong, where,
 * and what to do. Every text in a field is already on one line and bounded; locations carry no credentials.
 */

const at = { location: Schema.String }

/** Read well, but it is something else. `looksLike` continues "it looks like". */
export class NotASpec extends Schema.TaggedError<NotASpec>()("NotASpec", { ...at, looksLike: Schema.String }) {
  override get message(): string {
    return `${this.location} is not an API description, it looks like ${this.looksLike}; give an OpenAPI 3.x or Swagger 2.0 document in JSON or YAML.`
  }
}

/** `field` is the key that named the version: `openapi`, `swagger` or `swaggerVersion`. */
export class UnsupportedVersion extends Schema.TaggedError<UnsupportedVersion>()("UnsupportedVersion", {
  ...at,
  field: Schema.String,
  version: Schema.String
}) {
  override get message(): string {
    return `${this.location} says "${this.field}: ${this.version}", which cannot be read; convert it to OpenAPI 3.0, 3.1 or 3.2, or Swagger 2.0.`
  }
}

export class NoOperations extends Schema.TaggedError<NoOperations>()("NoOperations", { ...at, title: Schema.String }) {
  override get message(): string {
    return `${this.location}${
      this.title === "" ? "" : `, "${this.title}",`
    } has no operations, neither under "paths" nor under "webhooks"; check that it is the complete document.`
  }
}

export class TooManyOperations
  extends Schema.TaggedError<TooManyOperations>()("TooManyOperations", { ...at, limit: Schema.Int })
{
  override get message(): string {
    return `${this.location} has more than ${this.limit} operations, counting what its references repeat; split it into several documents.`
  }
}

/** `where` is a JSON pointer to the reference. */
export class ExternalRef
  extends Schema.TaggedError<ExternalRef>()("ExternalRef", { ...at, ref: Schema.String, where: Schema.String })
{
  override get message(): string {
    return `The reference "${this.ref}" at ${this.where} leads out of ${this.location}; bundle the description into one file first (for example with "redocly bundle").`
  }
}

/** What a document that was read and parsed may turn out to be. */
export const CatalogProblem = Schema.Union(NotASpec, UnsupportedVersion, NoOperations, TooManyOperations, ExternalRef)
export type CatalogProblem = typeof CatalogProblem.Type

/** The argument itself names nothing that could be read. */
export class BadLocation extends Schema.TaggedError<BadLocation>()("BadLocation", { ...at, why: Schema.String }) {
  override get message(): string {
    return `"${this.location}" is not a location that can be read: ${this.why}; give a path, or an http:// or https:// address.`
  }
}

export class FileNotFound extends Schema.TaggedError<FileNotFound>()("FileNotFound", at) {
  override get message(): string {
    return `There is no file ${this.location}; check the path.`
  }
}

/** A symbolic link without its target. */
export class DanglingLink extends Schema.TaggedError<DanglingLink>()("DanglingLink", { ...at, target: Schema.String }) {
  override get message(): string {
    return `${this.location} is a link to ${this.target}, which is not there; restore the target, or name another file.`
  }
}

/** `kind` is what it is instead: "a directory", "a device". */
export class NotAFile extends Schema.TaggedError<NotAFile>()("NotAFile", { ...at, kind: Schema.String }) {
  override get message(): string {
    return `${this.location} is ${this.kind}, not a file; name the file that holds the API description.`
  }
}

export class NoPermission extends Schema.TaggedError<NoPermission>()("NoPermission", at) {
  override get message(): string {
    return `There is no permission to read ${this.location}; change its mode, or run as a user who may read it.`
  }
}

export class FileUnreadable
  extends Schema.TaggedError<FileUnreadable>()("FileUnreadable", { ...at, why: Schema.String })
{
  override get message(): string {
    return `${this.location} cannot be read (${this.why}); check the path and the disk.`
  }
}

export class EmptySource extends Schema.TaggedError<EmptySource>()("EmptySource", at) {
  override get message(): string {
    return `${this.location} is empty; check that it was written or downloaded completely.`
  }
}

/** Not text. `looksLike` continues "it looks like". */
export class BinarySource
  extends Schema.TaggedError<BinarySource>()("BinarySource", { ...at, looksLike: Schema.String })
{
  override get message(): string {
    return `${this.location} is not JSON or YAML text, it looks like ${this.looksLike}; give the description itself as UTF-8 text.`
  }
}

/** A page for people, or another mark-up, where JSON or YAML belongs. */
export class MarkupSource
  extends Schema.TaggedError<MarkupSource>()("MarkupSource", { ...at, looksLike: Schema.String })
{
  override get message(): string {
    return `${this.location} holds ${this.looksLike} instead of JSON or YAML; give the location of the raw API description, not of the page that shows it.`
  }
}

const position = { line: Schema.Int, column: Schema.Int, why: Schema.String }

/** `line` and `column` count from 1, columns in UTF-16 units. */
export class BrokenJson extends Schema.TaggedError<BrokenJson>()("BrokenJson", { ...at, ...position }) {
  override get message(): string {
    return `${this.location} is broken JSON at line ${this.line}, column ${this.column}: ${this.why}; mend it there.`
  }
}

/** `line` and `column` count from 1, columns in UTF-16 units. */
export class BrokenYaml extends Schema.TaggedError<BrokenYaml>()("BrokenYaml", { ...at, ...position }) {
  override get message(): string {
    return `${this.location} is broken YAML at line ${this.line}, column ${this.column}: ${this.why}; mend it there.`
  }
}

export class AliasBomb extends Schema.TaggedError<AliasBomb>()("AliasBomb", at) {
  override get message(): string {
    return `${this.location} uses YAML aliases that unfold into more than can be read; write the repeated parts out, or use "$ref".`
  }
}

export class TooDeep extends Schema.TaggedError<TooDeep>()("TooDeep", at) {
  override get message(): string {
    return `${this.location} is nested too deeply to be read; no API description needs that, so check what wrote it.`
  }
}

/** `limit` in bytes. */
export class SourceTooLarge
  extends Schema.TaggedError<SourceTooLarge>()("SourceTooLarge", { ...at, limit: Schema.Int })
{
  override get message(): string {
    return `${this.location} is larger than ${
      this.limit >= 1_048_576 ? `${Math.floor(this.limit / 1_048_576)} MiB` : `${this.limit} bytes`
    }; split the API description into several documents.`
  }
}

export class UrlNotFound extends Schema.TaggedError<UrlNotFound>()("UrlNotFound", { ...at, status: Schema.Int }) {
  override get message(): string {
    return `There is nothing at ${this.location} (status ${this.status}); check the address.`
  }
}

export class UrlForbidden extends Schema.TaggedError<UrlForbidden>()("UrlForbidden", { ...at, status: Schema.Int }) {
  override get message(): string {
    return `${this.location} may not be read without a sign-in (status ${this.status}); put a user and password into the address, or save the document to a file.`
  }
}

/** Any other status that is no success. */
export class UrlRefused extends Schema.TaggedError<UrlRefused>()("UrlRefused", { ...at, status: Schema.Int }) {
  override get message(): string {
    return this.status >= 500 || this.status === 408 || this.status === 429
      ? `${this.location} cannot be had at the moment (status ${this.status}); try again later.`
      : `${this.location} answered with status ${this.status} instead of a document; check the address.`
  }
}

/** `after` in milliseconds. */
export class UrlTimeout extends Schema.TaggedError<UrlTimeout>()("UrlTimeout", { ...at, after: Schema.Number }) {
  override get message(): string {
    return `${this.location} did not arrive within ${
      this.after / 1000
    } s; try again, or save the document to a file and index that.`
  }
}

export class HostUnknown extends Schema.TaggedError<HostUnknown>()("HostUnknown", { ...at, host: Schema.String }) {
  override get message(): string {
    return `The host "${this.host}" of ${this.location} has no address; check its spelling and that the network is up.`
  }
}

export class HostUnreachable
  extends Schema.TaggedError<HostUnreachable>()("HostUnreachable", { ...at, why: Schema.String })
{
  override get message(): string {
    return `${this.location} cannot be reached (${this.why}); check that the server runs and that the network is up.`
  }
}

export class BodyCutOff extends Schema.TaggedError<BodyCutOff>()("BodyCutOff", at) {
  override get message(): string {
    return `The connection to ${this.location} broke off in the middle of the document; try again.`
  }
}

/** The body is not what its content-encoding says. */
export class BodyUndecodable
  extends Schema.TaggedError<BodyUndecodable>()("BodyUndecodable", { ...at, why: Schema.String })
{
  override get message(): string {
    return `${this.location} cannot be decoded: ${this.why}; save the document to a file and index that.`
  }
}

const redirect = { ...at, target: Schema.String }

/** `address` is what the target's host stands for; equal to the host where that is an address itself. */
export class RedirectToPrivate
  extends Schema.TaggedError<RedirectToPrivate>()("RedirectToPrivate", { ...redirect, address: Schema.String })
{
  override get message(): string {
    return `${this.location} redirects to ${this.target}, which is the private address ${this.address}; if you trust it, give that address yourself.`
  }
}

export class RedirectToPlain extends Schema.TaggedError<RedirectToPlain>()("RedirectToPlain", redirect) {
  override get message(): string {
    return `${this.location} redirects from https to ${this.target}, which is not encrypted; if you trust it, give that address yourself.`
  }
}

/** The redirect names no http address, or none at all. */
export class RedirectAstray extends Schema.TaggedError<RedirectAstray>()("RedirectAstray", redirect) {
  override get message(): string {
    return `${this.location} redirects ${
      this.target === "" ? "without saying where to" : `to "${this.target}", which is not an http address`
    }; give the address of the document itself.`
  }
}

export class TooManyRedirects
  extends Schema.TaggedError<TooManyRedirects>()("TooManyRedirects", { ...at, limit: Schema.Int })
{
  override get message(): string {
    return `${this.location} redirects more than ${this.limit} times; give the address of the document itself.`
  }
}

/** What may be wrong with a file or URL before anyone asks whether it is an API description. */
export const SourceProblem = Schema.Union(
  BadLocation,
  FileNotFound,
  DanglingLink,
  NotAFile,
  NoPermission,
  FileUnreadable,
  EmptySource,
  BinarySource,
  MarkupSource,
  BrokenJson,
  BrokenYaml,
  AliasBomb,
  TooDeep,
  SourceTooLarge,
  UrlNotFound,
  UrlForbidden,
  UrlRefused,
  UrlTimeout,
  HostUnknown,
  HostUnreachable,
  BodyCutOff,
  BodyUndecodable,
  RedirectToPrivate,
  RedirectToPlain,
  RedirectAstray,
  TooManyRedirects
)
export type SourceProblem = typeof SourceProblem.Type

const content = (): ExitCode => 1
const usage = (): ExitCode => 2
const dependency = (): ExitCode => 7

/** The program's exit code: 1 the input is at fault, 2 the argument is, 7 a server or the network is. */
export const exitCode = (problem: CatalogProblem | SourceProblem): ExitCode =>
  Match.value(problem).pipe(
    Match.withReturnType<ExitCode>(),
    Match.tagsExhaustive({
      BadLocation: usage,
      UrlTimeout: dependency,
      HostUnknown: dependency,
      HostUnreachable: dependency,
      BodyCutOff: dependency,
      UrlRefused: ({ status }) => status >= 500 || status === 408 || status === 429 ? 7 : 1,
      NotASpec: content,
      UnsupportedVersion: content,
      NoOperations: content,
      TooManyOperations: content,
      ExternalRef: content,
      FileNotFound: content,
      DanglingLink: content,
      NotAFile: content,
      NoPermission: content,
      FileUnreadable: content,
      EmptySource: content,
      BinarySource: content,
      MarkupSource: content,
      BrokenJson: content,
      BrokenYaml: content,
      AliasBomb: content,
      TooDeep: content,
      SourceTooLarge: content,
      BodyUndecodable: content,
      UrlNotFound: content,
      UrlForbidden: content,
      RedirectToPrivate: content,
      RedirectToPlain: content,
      RedirectAstray: content,
      TooManyRedirects: content
    })
  )
