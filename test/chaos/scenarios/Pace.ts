import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { performance } from "node:perf_hooks"
import type { Fault } from "../../support/FaultyServer.js"
import { Arena, check, drained, sources, world } from "../Arena.js"
import type { Scenario } from "../Arena.js"
import { judge, told, whole } from "../Judge.js"

/** Calls per second that the provider permits, and its stock. A busy machine's workers can make more of them. */
const permitted = 15

interface Receipt {
  readonly at: number
  readonly refused: boolean
}

/** A token bucket that names the whole second after which to call again, and keeps a receipt for each call. */
const bucket = () => {
  const receipts: Array<Receipt> = []
  let [left, at] = [permitted, performance.now()]
  const fault = (): Fault | undefined => {
    const now = performance.now()
    left = Math.min(permitted, left + (now - at) * permitted / 1000)
    at = now
    const refused = left < 1
    receipts.push({ at: now, refused })
    if (!refused) left -= 1
    return refused
      ? {
        kind: "answer",
        status: 429,
        headers: { "retry-after": "1" },
        body: "{\"error\":{\"message\":\"Rate limit exceeded\",\"code\":\"rate_limit_exceeded\"}}"
      }
      : undefined
  }
  return { receipts, fault }
}

const percent = (part: number) => `${Math.round(part * 1000) / 10} %`

/** Four processes share a provider that permits 15 calls a second: they settle near that, and waste next to nothing. */
export const pace: Scenario = {
  name: "pace",
  run: Effect.gen(function*() {
    const { long } = yield* Arena
    const here = yield* world({ latency: 100 })
    const { fault, receipts } = bucket()
    here.embedder.setFault(fault)
    // A window holds a whole cycle of the pace, whose refusal costs all a second: 600 calls at the flattest climb.
    const [settling, seconds] = long ? [60, 240] : [30, 40]
    // One text a call, and more of them than the provider permits in that time.
    const expected = sources(40, Math.ceil((settling + seconds + 5) * permitted / 40))
    yield* here.put(expected)
    const settings = { workers: 4, "embedder.concurrency": 4, batch_size: 1 }
    const start = yield* Clock.currentTimeMillis
    yield* Effect.forEach([0, 1, 2, 3], (n) => here.worker(`worker-${n}`, settings))
    yield* Effect.promise(() => here.embedder.until(({ calls }) => calls.length > permitted))
    yield* Effect.sleep(`${settling} seconds`)
    const from = performance.now()
    yield* Effect.sleep(`${seconds} seconds`)
    const until = performance.now()
    const settled = receipts.filter(({ at }) => at >= from && at < until)
    const refused = settled.filter((receipt) => receipt.refused).length
    const share = (settled.length - refused) / ((until - from) / 1000 * permitted)
    const wasted = refused / Math.max(1, settled.length)
    here.embedder.setFault(() => undefined)
    const left = yield* drained(here, 120_000)
    const judgement = yield* judge(here, expected)
    const early = receipts.filter(({ at }) => at < from)
    return {
      told: `${told(judgement)}; ${percent(share)} of the permitted calls in ${seconds} s, ${
        percent(wasted)
      } wasted; before that ${early.filter((receipt) => receipt.refused).length} of ${early.length} refused; ${
        ((yield* Clock.currentTimeMillis) - start) / 1000
      } s in all`,
      checks: [
        ...whole(judgement),
        check("every job ends", left === 0),
        check("95 % of the permitted calls are made", share >= 0.95),
        check("1 % of the calls or less are wasted", wasted <= 0.01)
      ]
    }
  })
}
