/**
 * How many connections a process may hold at once, and what it needs. Beside the pool a worker keeps one session for its lock and
 * one on which it listens: these are opened once and never given back, so that the pool leaves them their places.
 */

/** The sessions of a worker beside its pool. */
export const sessions = 2

/**
 * The pool of a worker that runs so many jobs at once. A transaction's wait for a connection cannot be interrupted, so that there
 * is room beside them.
 */
export const pool = (workers: number): number => workers + 3

/** All that a worker process opens. */
export const wanted = (workers: number): number => pool(workers) + sessions

/** With fewer a worker cannot work at all. */
export const fewest = sessions + 1

/** The limit of this role, this database or this server, whichever is the least; only the server's holds for a superuser. */
export const query = `
  select least(
    case when role.rolsuper or role.rolconnlimit = -1 then null else role.rolconnlimit end,
    case when role.rolsuper or base.datconnlimit = -1 then null else base.datconnlimit end,
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
  ) as "connectionLimit"
  from pg_roles role, pg_database base
  where role.rolname = session_user and base.datname = current_database()`

/** How large a pool of this size may be where so many connections are allowed. */
export const poolSize = (wanted: number, limit: number): number => Math.max(1, Math.min(wanted, limit - sessions))
