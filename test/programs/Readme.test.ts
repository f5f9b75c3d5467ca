import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8")

describe("the README", () => {
  it.each([["example", "service"], ["own", "own"], ["apart", "apart"], ["model", "model"]])(
    "shows the %s that the tests compile and run",
    (mark, name) => {
      const [, shown] = new RegExp(`<!-- ${mark} -->\n\`\`\`ts\n([\\s\\S]*?)\`\`\`\n<!-- /${mark} -->`).exec(
        read("../../README.md")
      ) ?? []
      expect(shown).toBe(read(`../examples/${name}.ts`))
    }
  )

  it("names every dependency of the package", () => {
    const { dependencies, peerDependencies } = JSON.parse(read("../../package.json"))
    const table = read("../../README.md").split("## Why each dependency is there")[1] ?? ""
    const named = [...table.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell = ""]) => {
      const names = cell.split(",").map((name) => name.trim())
      const scope = names[0]?.split("/")[0]
      return names.map((name) => name.startsWith("/") ? `${scope}${name}` : name)
    })
    expect(Object.keys({ ...dependencies, ...peerDependencies }).filter((name) => !named.includes(name))).toEqual([])
  })
})
