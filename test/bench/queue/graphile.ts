import { Logger, run } from "graphile-worker"
import * as Pg from "pg"
import { serve } from "./Peer.js"

/**
 * The settings that drained fastest of those tried, and with which an idle worker also starts soonest: jobs are fetched and
 * completed in batches, as its page on performance advises.
 */
await serve({
  connect: async (url, ran) => {
    const pgPool = new Pg.Pool({ connectionString: url, max: 12 })
    await pgPool.query("select 1")
    const job = async () => ran()
    return () =>
      void run({
        pgPool,
        taskList: { noop: job },
        noHandleSignals: true,
        parsedCronItems: [],
        logger: new Logger(() => () => {}),
        preset: {
          worker: {
            concurrentJobs: 100,
            localQueue: { size: 500 },
            completeJobBatchDelay: 0,
            failJobBatchDelay: 0
          }
        }
      })
  }
})
