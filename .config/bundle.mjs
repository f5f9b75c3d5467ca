import { chmod, rm, stat } from "node:fs/promises"
import { build } from "esbuild"

/**
 * Makes dist/bin/: the program as one entry and the chunks that it loads when a command needs them, because most of a start
 * is finding and reading modules. What runs on threads of its own are entries beside the chunks, where
 * `new URL("./engine.js", import.meta.url)` looks for them. Packages that carry files of their own stay outside.
 * Another folder below the root may be given.
 */
const root = new URL("..", import.meta.url).pathname
const outdir = `${root}${process.argv[2] ?? "dist/bin"}`

await rm(outdir, { recursive: true, force: true })

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: {
    holdfast: "src/programs/cli/holdfast.ts",
    engine: "src/adapters/pglite/engine.js",
    model: "src/adapters/local/model.js"
  },
  outdir,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  minifySyntax: true,
  keepNames: true,
  legalComments: "none",
  metafile: true,
  chunkNames: "[name]-[hash]",
  external: ["@electric-sql/*", "@energetic-ai/*", "pg-native", "cloudflare:sockets"],
  // packages in CommonJS among the bundled ones ask for node's modules at run time
  banner: {
    js:
      "import { createRequire as createRequireOfBundle } from \"node:module\"; const require = createRequireOfBundle(import.meta.url);"
  },
  logLevel: "warning"
})

// The chunk of a package in CommonJS has no named exports: whoever loads one late gets undefined for each of its names.
const nameless = Object.entries(metafile.inputs).flatMap(([importer, { imports }]) =>
  imports
    .filter(({ kind, path }) => kind === "dynamic-import" && metafile.inputs[path]?.format === "cjs")
    .map(({ path }) =>
      `${importer} loads ${path} by import(): import it by name in a module that is loaded late instead`
    )
)
if (nameless.length > 0) throw new Error(nameless.join("\n"))

await chmod(`${outdir}/holdfast.js`, 0o755)

const bytes = await Promise.all(Object.keys(metafile.outputs).map(async (name) => (await stat(`${root}${name}`)).size))
const kilobytes = Math.round(bytes.reduce((sum, size) => sum + size, 0) / 1000)
process.stdout.write(`${outdir}: ${bytes.length} files, ${kilobytes} kB\n`)
