/** A base address with a version in its path is complete: `/v1`, `/api/paas/v4`, `/v1beta/openai`. */
export const below = (base: URL, route: string): string =>
  /\/v\d+[a-z]*(?:\/|$)/u.test(base.pathname) ? route : `/v1${route}`
