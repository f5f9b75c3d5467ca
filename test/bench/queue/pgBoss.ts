import PgBoss from "pg-boss"
import { serve } from "./Peer.js"

/** Its workers poll, at most twice a second: the batch is large, so that a backlog is not held up by the poll. */
await serve({
  connect: async (url, ran) => {
    const boss = new PgBoss({ connectionString: url, supervise: false, schedule: false, migrate: false })
    boss.on("error", (error) => {
      throw error
    })
    await boss.start()
    const job = async () => ran()
    return () =>
      void boss.work("noop", { batchSize: 2000, pollingIntervalSeconds: 0.5 }, async (jobs) => {
        for (const _ of jobs) await job()
      })
  }
})
