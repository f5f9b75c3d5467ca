import { copyFile, readFile, writeFile } from "node:fs/promises"

/**
 * Makes a package of its own of dist/failure, for programs that classify failures and have no use for databases and models:
 * the same modules as `holdfast/failure`, with effect alone beside them. `npm publish ./dist/failure` publishes it.
 */
const root = new URL("../", import.meta.url)
const outdir = new URL("dist/failure/", root)

const whole = JSON.parse(await readFile(new URL("package.json", root), "utf8"))
const { engines, keywords, license, peerDependencies, version } = whole

await writeFile(
  new URL("package.json", outdir),
  `${
    JSON.stringify(
      {
        name: "holdfast-failure",
        version,
        description:
          "Reads any LLM provider's error, names it by a closed set of failures, and says what follows from it.",
        license,
        keywords: keywords.filter((/** @type {string} */ word) => !["postgres", "jobs", "lease"].includes(word)),
        type: "module",
        engines,
        sideEffects: false,
        peerDependencies: { effect: peerDependencies.effect },
        files: ["**/*.js", "**/*.d.ts"],
        exports: {
          ".": { types: "./failure/index.d.ts", default: "./failure/index.js" },
          "./package.json": "./package.json"
        }
      },
      null,
      2
    )
  }\n`
)
await writeFile(
  new URL("README.md", outdir),
  `# holdfast-failure

Reads what an LLM provider answered, or how a call failed, names it by one of a closed set of failures, and says what follows
from it: retry, wait, split, park or halt, what a person reads, and which exit code or HTTP status comes out.

    import { classify, consequence } from "holdfast-failure"

It is \`holdfast/failure\` of the package holdfast, without that package's databases and models.
`
)
await copyFile(new URL("LICENSE", root), new URL("LICENSE", outdir))
