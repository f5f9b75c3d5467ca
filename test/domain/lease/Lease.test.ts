import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Lease from "../../../src/domain/lease/Lease.js"

const start = DateTime.unsafeMake("2026-01-01T00:00:00Z")
const at = (seconds: number) => DateTime.add(start, { seconds })
const worker = (name: string) => Lease.WorkerId.make(name)
const lease = (expires: number, fence = 1) =>
  Lease.Lease.make({ worker: worker("a"), fence: Lease.Fence.make(fence), expiresAt: at(expires) })
const wanted = { worker: worker("b"), fence: Lease.Fence.make(2), duration: Duration.seconds(60) }

const seconds = FastCheck.integer({ min: -600, max: 600 })

describe("a lease", () => {
  it("is over at its expiry, not a moment later", () => {
    expect(Lease.isLive(lease(10), at(9))).toBe(true)
    expect(Lease.isLive(lease(10), at(10))).toBe(false)
  })

  it("is granted to the first who asks", () => {
    const claim = Lease.claim(Option.none(), wanted, start)
    expect(claim).toEqual(
      Lease.Claim.Granted({
        lease: Lease.Lease.make({ worker: wanted.worker, fence: wanted.fence, expiresAt: at(60) })
      })
    )
  })

  it("goes to another exactly when it is over or its holder is gone", () => {
    FastCheck.assert(FastCheck.property(seconds, seconds, FastCheck.boolean(), (expires, now, gone) => {
      const claim = Lease.claim(Option.some(lease(expires)), wanted, at(now), (holder) => gone && holder === "a")
      expect(claim._tag).toBe(now < expires && !gone ? "Held" : "Granted")
      expect(claim.lease.fence).toBe(claim._tag === "Held" ? 1 : 2)
    }))
  })

  it("admits its newest fence alone, and renews for that one alone, even when it is over", () => {
    FastCheck.assert(FastCheck.property(FastCheck.nat(5), FastCheck.nat(5), seconds, (current, carried, now) => {
      const held = lease(0, current)
      const fence = Lease.Fence.make(carried)
      const renewed = Lease.renew(held, fence, at(now), Duration.seconds(30))
      expect(Lease.admits(held, fence)).toBe(current === carried)
      expect(renewed).toEqual(current === carried ? Option.some(lease(now + 30, current)) : Option.none())
    }))
  })

  it("is renewed often enough that two heartbeats may fail", () => {
    FastCheck.assert(FastCheck.property(FastCheck.integer({ min: 3, max: 10_000_000 }), (millis) => {
      const every = Duration.toMillis(Lease.heartbeatEvery(Duration.millis(millis)))
      expect(every * 3).toBeLessThanOrEqual(millis + 0.001)
    }))
  })

  it("is renewed once more before it ends where the first heartbeat has no answer", () => {
    FastCheck.assert(FastCheck.property(FastCheck.integer({ min: 6, max: 10_000_000 }), (millis) => {
      const duration = Duration.millis(millis)
      const noticed = Duration.toMillis(Lease.heartbeatEvery(duration)) +
        Duration.toMillis(Lease.heartbeatLimit(duration))
      expect(noticed).toBeLessThanOrEqual(millis * 5 / 6 + 0.001)
    }))
  })

  it("is never renewed without a pause", () => {
    expect(Duration.toMillis(Lease.heartbeatEvery(Duration.zero))).toBe(1)
  })

  it("tells a late writer what happened", () => {
    expect(new Lease.LeaseLost({ job: 4, fence: 7 }).message).toBe(
      "The lease on job 4 is lost (fence 7): another worker has it, or it was cancelled."
    )
  })
})
