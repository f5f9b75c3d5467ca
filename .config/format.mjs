import { createContext } from "@dprint/formatter"
import { getPath } from "@dprint/typescript"
import { readdir, readFile, writeFile } from "node:fs/promises"
import { argv, exit, stderr } from "node:process"

/**
 * Formats the sources in place; with --check it changes nothing, names the files that are not formatted and ends with 1.
 * dprint's plugin runs as WebAssembly, because dprint's own program is not published for every platform.
 */
const root = new URL("../", import.meta.url)
const check = argv.includes("--check")

const context = createContext({ lineWidth: 120, indentWidth: 2, newLineKind: "lf" })
context.addPlugin(await readFile(getPath()), {
  semiColons: "asi",
  quoteStyle: "alwaysDouble",
  trailingCommas: "never",
  operatorPosition: "maintain",
  "arrowFunction.useParentheses": "force",
  "module.sortImportDeclarations": "maintain",
  "module.sortExportDeclarations": "maintain"
})
const mistaken = context.getConfigDiagnostics()
if (mistaken.length > 0) {
  throw new Error(mistaken.map(({ message, propertyName }) => `${propertyName}: ${message}`).join("\n"))
}

/**
 * @param {string} folder
 * @param {RegExp} kind
 */
const filesIn = async (folder, kind) =>
  (await readdir(new URL(folder, root), { recursive: true }))
    .filter((name) => kind.test(name) && !/(?:^|[\\/])fixtures[\\/]/.test(name))
    .map((name) => `${folder}${name}`)

const files = [
  ...await filesIn("src/", /\.[jt]s$/),
  ...await filesIn("test/", /\.[jt]s$/),
  ...await filesIn(".config/", /\.(?:ts|mjs)$/)
]

let different = 0
for (const filePath of files) {
  const fileText = await readFile(new URL(filePath, root), "utf8")
  const formatted = context.formatText({ filePath, fileText })
  if (formatted === fileText) continue
  different += 1
  if (check) stderr.write(`${filePath} is not formatted\n`)
  else await writeFile(new URL(filePath, root), formatted)
}

if (check && different > 0) {
  stderr.write("npm run format mends it.\n")
  exit(1)
}
