/** The channel of hints that something became ready. Its payload is the tenant. */
export const channel = "holdfast_wake"
