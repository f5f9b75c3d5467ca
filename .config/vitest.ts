import { defineConfig } from "vitest/config"
import { BaseSequencer } from "vitest/node"
import type { TestSpecification } from "vitest/node"

/** Files that take longest, most of them because they start programs: begun last, they leave the other workers idle at the end. */
const long =
  /programs\/cli\/(?:Program|Moving|DataDirectory|Killing|Stopping|TwoEmbedders|BadInput)|pglite\/\w+\.pglite|JobModel|retry\/Pace/

class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>) {
    const rank = ({ moduleId }: TestSpecification) => long.test(moduleId) ? 0 : 1
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b))
  }
}

const shared = {
  root: new URL("..", import.meta.url).pathname,
  testTimeout: 30_000,
  hookTimeout: 120_000,
  pool: "forks" as const,
  // Loading the modules for each file anew took longer than many of the tests.
  isolate: false,
  // The embedded database's engine runs for seconds in each file: V8 need not optimise it as early as it does by itself.
  poolOptions: { forks: { isolate: false, execArgv: ["--wasm-tiering-budget=100000000"] } }
}

/**
 * unit runs pure code and adapters over loopback sockets; pglite runs the embedded database; postgres runs one real server
 * that the project starts itself; shipped runs the packages as users install them.
 */
export default defineConfig({
  test: {
    ...shared,
    reporters: ["default"],
    // Many tests wait: for programs of their own, a deadline, a backoff. On two cores two workers leave one of them idle at times.
    maxWorkers: 3,
    // A worker that is ended for being idle may be ended twice, at the change of projects, which ends the run.
    minWorkers: 3,
    sequence: { sequencer: LongestFirst },
    coverage: {
      provider: "v8",
      include: ["src/domain/**"],
      reporter: ["text-summary", "json-summary"]
    },
    projects: [
      {
        test: {
          ...shared,
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [
            "test/**/*.pglite.test.ts",
            "test/**/*.postgres.test.ts",
            "test/chaos/**",
            "test/bench/**",
            "test/shipped/**"
          ]
        }
      },
      { test: { ...shared, name: "pglite", include: ["test/**/*.pglite.test.ts"] } },
      {
        test: {
          ...shared,
          name: "postgres",
          include: ["test/**/*.postgres.test.ts"],
          globalSetup: ["test/support/PostgresServer.ts"]
        }
      },
      {
        test: {
          ...shared,
          name: "shipped",
          include: ["test/shipped/**/*.test.ts"],
          globalSetup: ["test/support/ShippedPackage.ts"]
        }
      }
    ]
  }
})
