import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Profile from "../../../domain/index/EmbedderProfile.js"
import * as EmbedderUse from "../../../domain/index/EmbedderUse.js"
import * as Port from "../../../domain/index/StoreEmbedder.js"
import { Tenant } from "../../../domain/store/Tenant.js"
import { estimate } from "./estimate.js"
import { headway } from "./headway.js"
import * as Record from "../index/embedderRecord.js"
import { redirect } from "../index/redirect.js"
import { retireSlice } from "./retire.js"
import * as Stray from "../index/strayVectors.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { bound } from "../driver/Tables.js"
import { transact } from "../driver/transact.js"

/** Which embedder the store uses, on a server and on PGlite alike. */
export const layer = Layer.effect(
  Port.StoreEmbedder,
  Effect.gen(function*() {
    const run = yield* bound

    /** The common case costs one look: only the first of a store, and those who do not fit, need the lock. */
    const adopt: Port.StoreEmbedder["Type"]["adopt"] = Effect.fn("StoreEmbedder.adopt")(function*(profile) {
      const tenant = yield* Tenant
      const now = yield* Record.find(tenant)
      return Option.isSome(now) && Profile.matches(now.value.uses, profile)
        ? now.value
        : yield* transact(Record.adopt(tenant, profile))
    }, run)

    const retire = Effect.gen(function*() {
      const tenant = yield* Tenant
      if (!Option.exists(yield* Record.find(tenant), EmbedderUse.isChanging)) return true
      let retired = yield* transact(retireSlice(tenant))
      while (retired === "some") retired = yield* transact(retireSlice(tenant))
      yield* Stray.sweep(tenant)
      return retired === "all"
    })

    return Port.StoreEmbedder.of({
      find: Effect.flatMap(Tenant, Record.find).pipe(run, Effect.withSpan("StoreEmbedder.find")),
      adopt,
      change: Effect.fn("StoreEmbedder.change")(
        (to) => Effect.flatMap(Tenant, (tenant) => transact(Record.change(tenant, to))),
        run
      ),
      named: Effect.fn("StoreEmbedder.named")(
        (qualified, answersAs) =>
          Effect.flatMap(Tenant, (tenant) => SqlFailure.renamed(Record.named(tenant, qualified, answersAs))),
        run
      ),
      estimate: Effect.fn("StoreEmbedder.estimate")(
        (to) => Effect.flatMap(Tenant, (tenant) => SqlFailure.renamed(estimate(tenant, to))),
        run
      ),
      headway: Effect.flatMap(Tenant, (tenant) => SqlFailure.renamed(headway(tenant))).pipe(
        run,
        Effect.withSpan("StoreEmbedder.headway")
      ),
      redirect: Effect.flatMap(Tenant, (tenant) => transact(redirect(tenant))).pipe(
        run,
        Effect.withSpan("StoreEmbedder.redirect")
      ),
      retire: retire.pipe(run, Effect.withSpan("StoreEmbedder.retire"))
    })
  })
)
