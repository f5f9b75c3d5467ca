import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"

/**
 * An extension that is called `vector` as pgvector is, in SQL alone: what stands in for it where a server needs one that can be
 * installed, or not, or in another schema. Its control file says whether those who are no superusers may install it.
 */

const script = `
create domain vector as real[];
create function vector_distance(a vector, b vector) returns double precision language sql immutable strict parallel safe as
  $$ select 1 - sum(x::double precision * y) from (select unnest(a::real[]) as x, unnest(b::real[]) as y) pair $$;
create operator <=> (leftarg = vector, rightarg = vector, function = vector_distance);
`

const control = (trusted: boolean) =>
  ["comment = 'a stand-in'", "default_version = '1.0'", "relocatable = true", `trusted = ${trusted}`].join("\n")

/** What to set `extension_control_path` to, so that a database of PostgreSQL 18 or newer offers the stand-in. */
export const vectorStandIn = ({ trusted }: { readonly trusted: boolean }) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const folder = mkdtempSync(join(tmpdir(), "holdfast-extension-"))
      const files = join(folder, "extension")
      mkdirSync(files)
      writeFileSync(join(files, "vector.control"), control(trusted))
      writeFileSync(join(files, "vector--1.0.sql"), script)
      // The server may run on another account.
      chmodSync(folder, 0o755)
      return folder
    }),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  ).pipe(Effect.map((folder) => `'${folder}:$system'`))
