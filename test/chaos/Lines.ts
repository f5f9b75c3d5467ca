/** What workers say in their logs that the driver counts. */

/** An incident went to a person. */
export const reported = "An incident was reported"

/** At a worker's end: how many of its writes were refused, as its metric has it. */
export const counted = "Writes refused"

/** A write under an old fence, as the queue logs it. */
export const refused = "A write under an old fence was refused"

/** A job's fiber was stopped because its lease was found gone. */
export const stopped = /^Lost the lease on job \d+/
