import { defineConfig } from "vitest/config"

const shared = {
  root: new URL("..", import.meta.url).pathname,
  testTimeout: 30_000,
  hookTimeout: 120_000,
  pool: "forks" as const,
  // Loading the modules for each file anew took longer than many of the tests.
  isolate: false
}

/**
 * unit runs pure code and adapters over loopback sockets; pglite runs the embedded database; postgres runs one real server
 * that the project starts itself; shipped runs the packages as users install them.
 */
export default defineConfig({
  test: {
    ...shared,
    reporters: ["default"],
    // Half of the tests wait for processes of their own; one worker would leave a core idle.
    maxWorkers: 2,
    minWorkers: 1,
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
