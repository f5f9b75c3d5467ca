import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative, resolve, sep } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"

const src = resolve(dirname(fileURLToPath(import.meta.url)), "../src")

const files = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts") || name.endsWith(".js"))
  .map((name) => name.split(sep).join("/"))

const specifier = /(?:from|import)\s*\(?\s*"([^"]+)"/g

/** Where an import leads: a package name, or a path below src. */
const targets = (file: string): ReadonlyArray<string> =>
  [...readFileSync(join(src, file), "utf8").matchAll(specifier)].flatMap(([, target]) =>
    target === undefined
      ? []
      : [target.startsWith(".") ? relative(src, resolve(src, dirname(file), target)).split(sep).join("/") : target]
  )

const isEffect = (target: string) => target === "effect" || target.startsWith("effect/")
const below = (...folders: ReadonlyArray<string>) => (target: string) => folders.some((f) => target.startsWith(`${f}/`))

/** Adapter folders that the other adapters may share: the SQL client and the HTTP edge. */
const shared = ["adapters/postgres/", "adapters/http/"]

const offences = (inside: string, allowed: (target: string, file: string) => boolean) =>
  files
    .filter((file) => file.startsWith(inside))
    .flatMap((file) =>
      targets(file).filter((target) => !allowed(target, file)).map((target) => `${file} imports ${target}`)
    )

describe("imports lead one way: programs -> adapters -> domain", () => {
  it("the domain imports effect and itself alone", () => {
    expect(offences("domain/", (target) => isEffect(target) || below("domain")(target))).toEqual([])
  })

  it("adapters never import programs, nor each other beyond the shared SQL client and HTTP edge", () => {
    expect(offences("adapters/", (target, file) => {
      if (!below("adapters", "programs", "domain")(target)) return !target.startsWith("programs")
      if (below("domain")(target)) return true
      const own = file.split("/").slice(0, 2).join("/") + "/"
      return target.startsWith(own) || shared.some((folder) => target.startsWith(folder))
    })).toEqual([])
  })

  it("an optional peer is imported by its own entry alone", () => {
    const isOptional = (target: string) => target.startsWith("@effect/ai") || target.startsWith("adapters/ai/")
    expect(offences("", (target, file) => file.startsWith("adapters/ai/") || !isOptional(target))).toEqual([])
  })

  it("flows import effect, the domain and each other alone", () => {
    expect(offences("programs/flows/", (target) => isEffect(target) || below("domain", "programs/flows")(target)))
      .toEqual([])
  })

  it("the generic never imports the specific: jobs know no index, and neither does the worker", () => {
    const generic = (inside: string, ...specific: ReadonlyArray<string>) =>
      offences(inside, (target) => !below(...specific)(target))
    expect([
      ...["job", "lease", "retry", "session"].flatMap((folder) =>
        generic(`domain/${folder}/`, "domain/index", "domain/catalog", "domain/search")
      ),
      ...["jobs", "gates", "maintenance", "driver"].flatMap((folder) =>
        generic(
          `adapters/postgres/${folder}/`,
          ...["index", "embedder", "search"].map((one) => `adapters/postgres/${one}`)
        )
      ),
      ...generic("adapters/postgres/jobs/", "domain/index", "domain/catalog"),
      ...generic(
        "programs/flows/work/",
        "programs/flows/index",
        "programs/flows/search",
        "domain/index",
        "domain/catalog"
      )
    ]).toEqual([])
  })

  it.each(["domain", "adapters/postgres", "programs/flows", "programs", ""])(
    "no two folders of src/%s import each other, on any way",
    (base) => {
      const inside = base === "" ? "" : `${base}/`
      const folderOf = (file: string) => file.slice(inside.length).split("/")[0] ?? ""
      const graph = new Map<string, Set<string>>()
      for (const file of files.filter((one) => one.startsWith(inside) && one.slice(inside.length).includes("/"))) {
        for (const target of targets(file)) {
          if (!target.startsWith(inside) || !target.slice(inside.length).includes("/")) continue
          const [from, to] = [folderOf(file), folderOf(target)]
          if (from !== to) graph.set(from, (graph.get(from) ?? new Set()).add(to))
        }
      }
      const reach = (from: string, seen = new Set<string>()): ReadonlySet<string> => {
        for (const to of graph.get(from) ?? []) if (!seen.has(to)) reach(to, seen.add(to))
        return seen
      }
      expect([...graph.keys()].filter((folder) => reach(folder).has(folder))).toEqual([])
    }
  )

  it("reads every source file", () => {
    expect(files.length).toBeGreaterThan(20)
  })
})
