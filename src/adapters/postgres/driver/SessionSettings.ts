import * as Duration from "effect/Duration"

/**
 * What a session of ours is set to, whatever a role, a database or a server sets for all: a form of dates that nobody reads, or a
 * limit for other people's statements, is not to break ours. Nothing else depends on `set`, which poolers lose or hand to others.
 */

/**
 * Sent when connecting, which poolers follow too: these are the parameters that PgBouncer restores for each client in its
 * transaction mode (pgbouncer.org/config.html, "track_extra_parameters"), and what JDBC's driver always sends.
 */
export const startup: Readonly<Record<string, string>> = { DateStyle: "ISO, MDY", TimeZone: "UTC" }

/** The form in which values travel, and what bounds statements on the server. `statementTimeout` bounds each of them here. */
const own = (statementTimeout: Duration.Duration): Readonly<Record<string, string>> => ({
  IntervalStyle: "postgres",
  bytea_output: "hex",
  extra_float_digits: "1",
  standard_conforming_strings: "on",
  array_nulls: "on",
  default_transaction_isolation: "read committed",
  // Later than the client itself gives a statement up: this is for the client that is gone.
  statement_timeout: `${Math.ceil(Duration.toMillis(statementTimeout)) + 1000}ms`,
  lock_timeout: "0",
  transaction_timeout: "0",
  idle_session_timeout: "0",
  // For a client that vanished behind a cut network, so that no lock outlives it for hours.
  idle_in_transaction_session_timeout: "60s",
  tcp_keepalives_idle: "10",
  tcp_keepalives_interval: "5",
  tcp_keepalives_count: "3"
})

const quoted = (text: string) => `'${text}'`

/**
 * Tells who answers, and sets what is ours where that is the process that took the connection: anything else is a pooler, whose
 * sessions belong to others too. A setting that this version of the server does not know is passed over.
 */
export const greeting = (processId: number, statementTimeout: Duration.Duration): string => {
  const rows = Object.entries(own(statementTimeout)).map((pair) => `(${pair.map(quoted).join(", ")})`)
  return `select pg_backend_pid() as pid, (
    select count(set_config(name, value, false)) from (values ${rows.join(", ")}) own (name, value)
    where pg_backend_pid() = ${processId} and current_setting(name, true) is not null
  ) as set`
}

/**
 * Begins a transaction, also on a session that could not be set: at the isolation that every statement here is written for, and
 * bounded by ourselves.
 */
export const begin = (isSet: boolean, statementTimeout: Duration.Duration): string =>
  isSet
    ? "begin isolation level read committed"
    : `begin isolation level read committed; set local statement_timeout = ${
      quoted(own(statementTimeout)["statement_timeout"] ?? "0")
    }; set local lock_timeout = 0`
