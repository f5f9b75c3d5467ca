import { defineConfig } from "vitest/config"

/**
 * What judges a mutant: the examples of the mutated folders, in one project. The long properties (totality, timing) are left
 * out, as each of them would run for almost every mutant, and so are the shares of the corpora, which say less than the list of
 * misses: the score is what the examples alone reach.
 */
export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    include: ["test/domain/failure/**/*.test.ts", "test/domain/retry/**/*.test.ts"],
    exclude: ["test/domain/failure/totality.test.ts"],
    testNamePattern:
      /^(?!.*(?:10,000 lines|100,000 texts|idempotent on arbitrary|long piece of a secret|at least 97 %|at least 99 %|a detail that is bounded))/,
    testTimeout: 60_000,
    pool: "threads"
  }
})
