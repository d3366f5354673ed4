// migrations.ts: the tables, step by step. A migration that was released never changes; a later one adds to it, in a way
// that an engine of the version before can go on with: processes of a team are upgraded one after the other.

export interface Migration {
  /** From 1, without gaps. */
  readonly number: number
  readonly name: string
  /** One statement each. */
  readonly sql: readonly string[]
}

/** In the order of their numbers. */
export const MIGRATIONS: readonly Migration[] = [
  {
    number: 1,
    name: 'records',
    sql: [
      // Who may use these tables: the public half of the installation's key.
      `CREATE TABLE sop_installation (
         id boolean PRIMARY KEY DEFAULT true CHECK (id),
         authority text NOT NULL,
         claimed_at timestamptz NOT NULL DEFAULT now())`,

      // A row for each run: where its chain ends, and its line in the list. Whoever appends locks it.
      `CREATE TABLE sop_runs (
         run_id text COLLATE "C" PRIMARY KEY,
         sop text NOT NULL,
         last_sequence int NOT NULL DEFAULT 0,
         last_hash text NOT NULL DEFAULT repeat('0', 64),
         status text,
         created_at text COLLATE "C",
         summary json,
         changed_in xid8)`,
      'CREATE INDEX sop_runs_newest ON sop_runs (created_at DESC, run_id DESC)',
      'CREATE INDEX sop_runs_of_sop ON sop_runs (sop, created_at DESC, run_id DESC)',
      'CREATE INDEX sop_runs_in_state ON sop_runs (status, created_at DESC, run_id DESC)',
      'CREATE INDEX sop_runs_changed ON sop_runs (changed_in)',

      // json, not jsonb: an event keeps its keys in their order, and its numbers as they were written.
      `CREATE TABLE sop_events (
         run_id text COLLATE "C" NOT NULL,
         sequence int NOT NULL,
         hash text NOT NULL,
         event json NOT NULL,
         PRIMARY KEY (run_id, sequence))`,
      // Events that came under a sequence that the record already holds.
      `CREATE TABLE sop_forks (
         run_id text COLLATE "C" NOT NULL,
         sequence int NOT NULL,
         hash text NOT NULL,
         event json NOT NULL,
         seen_at timestamptz NOT NULL DEFAULT now(),
         PRIMARY KEY (run_id, sequence, hash))`,
      `CREATE TABLE sop_definitions (
         digest text COLLATE "C" PRIMARY KEY,
         pinned json NOT NULL,
         kept_at timestamptz NOT NULL DEFAULT now())`,

      `CREATE TABLE sop_logs (
         id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
         run_id text COLLATE "C" NOT NULL,
         executable_id text COLLATE "C" NOT NULL,
         attempt int NOT NULL,
         size bigint NOT NULL DEFAULT 0,
         is_closed boolean NOT NULL DEFAULT false,
         cut_bytes bigint,
         written_at timestamptz NOT NULL DEFAULT now(),
         UNIQUE (run_id, executable_id, attempt))`,
      `CREATE TABLE sop_log_chunks (
         log_id bigint NOT NULL REFERENCES sop_logs ON DELETE CASCADE,
         start_at bigint NOT NULL,
         bytes bytea NOT NULL,
         PRIMARY KEY (log_id, start_at))`,
      `CREATE TABLE sop_log_removals (
         run_id text COLLATE "C" PRIMARY KEY,
         removal json NOT NULL)`,

      // Values of secret params, encrypted with a key that is not here.
      `CREATE TABLE sop_vault (
         run_id text COLLATE "C" NOT NULL,
         name text COLLATE "C" NOT NULL,
         sealed bytea NOT NULL,
         PRIMARY KEY (run_id, name))`,
      // Hashes of tokens, never tokens.
      `CREATE TABLE sop_tokens (
         name text COLLATE "C" PRIMARY KEY,
         record json NOT NULL)`,
    ],
  },
  {
    number: 2,
    name: 'deliveries',
    sql: [
      // What became of occurrences of triggers.
      `CREATE TABLE sop_deliveries (
         id text COLLATE "C" PRIMARY KEY,
         at timestamptz NOT NULL,
         sop text,
         source text NOT NULL,
         verdict text NOT NULL,
         delivery json NOT NULL)`,
      'CREATE INDEX sop_deliveries_of_sop ON sop_deliveries (sop, id DESC)',
      'CREATE INDEX sop_deliveries_at ON sop_deliveries (at)',
    ],
  },
  {
    number: 3,
    name: 'state',
    sql: [
      // How far the sources of triggers came.
      `CREATE TABLE sop_state (
         name text COLLATE "C" PRIMARY KEY,
         value json NOT NULL)`,
    ],
  },
  {
    number: 4,
    name: 'lists',
    sql: [
      // Made of the line of the list by the database itself, so that an engine that knows nothing of them fills them too.
      // `searched` is what core/run/run-filter.ts searches.
      `ALTER TABLE sop_runs
         ADD COLUMN priority text GENERATED ALWAYS AS (summary->>'priority') STORED,
         ADD COLUMN trigger_type text GENERATED ALWAYS AS (summary->>'trigger') STORED,
         ADD COLUMN searched text GENERATED ALWAYS AS (lower(
           run_id || ' ' || sop || ' ' || coalesce(summary->>'version', '') || ' ' ||
           coalesce(summary->>'startedBy', '') || ' ' || coalesce(summary->>'trigger', '') || ' ' ||
           coalesce(summary->>'reason', '') || ' ' || coalesce(summary->>'openGates', ''))) STORED`,
      'CREATE INDEX sop_runs_of_priority ON sop_runs (priority, created_at DESC, run_id DESC)',
      'CREATE INDEX sop_runs_of_trigger ON sop_runs (trigger_type, created_at DESC, run_id DESC)',
      // The texts that definitions were compiled of.
      `CREATE TABLE sop_sources (
         digest text COLLATE "C" PRIMARY KEY,
         source json NOT NULL,
         kept_at timestamptz NOT NULL DEFAULT now())`,
    ],
  },
  {
    number: 5,
    name: 'heads',
    sql: [
      // The chain of heads: how far the record of each run was, signed. Only ever inserted.
      `CREATE TABLE sop_heads (
         index bigint PRIMARY KEY,
         run_id text COLLATE "C" NOT NULL,
         kind text NOT NULL,
         sequence int NOT NULL,
         hash text NOT NULL,
         head json NOT NULL)`,
      'CREATE INDEX sop_heads_of_run ON sop_heads (run_id, index DESC)',
    ],
  },
  {
    number: 6,
    name: 'metrics',
    sql: [
      // How far a run was counted, and what its next event needs to know. An engine of before leaves both behind.
      'ALTER TABLE sop_runs ADD COLUMN metrics_sequence int NOT NULL DEFAULT 0, ADD COLUMN metrics_trace json',
      'CREATE INDEX sop_runs_uncounted ON sop_runs (run_id) WHERE metrics_sequence < last_sequence',
      // What batches of events added, until it is folded into the sums.
      `CREATE TABLE sop_metric_deltas (
         id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
         deltas json NOT NULL)`,
      // The sums by day; step 0 is the SOP as a whole.
      `CREATE TABLE sop_metrics (
         day text COLLATE "C" NOT NULL,
         sop text COLLATE "C" NOT NULL,
         step int NOT NULL,
         sign int NOT NULL,
         tally json NOT NULL,
         PRIMARY KEY (day, sop, step, sign))`,
    ],
  },
  {
    number: 7,
    name: 'retention',
    sql: [
      // What stays of records that were removed.
      `CREATE TABLE sop_removals (
         run_id text COLLATE "C" PRIMARY KEY,
         removal json NOT NULL)`,
    ],
  },
  {
    number: 8,
    name: 'traces',
    sql: [
      // How far the traces of runs were told.
      `CREATE TABLE sop_traces (
         run_id text COLLATE "C" PRIMARY KEY,
         sequence int NOT NULL)`,
    ],
  },
]
