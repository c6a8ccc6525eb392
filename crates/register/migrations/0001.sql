-- The same statements for SQLite and PostgreSQL: BIGINT, TEXT and BYTEA only (SQLite takes any name of a type), no sequences, no NULL.
-- Texts that are absent are empty, numbers that are absent are -1. Times are RFC 3339 in UTC; *_epoch and lease_until are seconds since 1970
-- by the clock of the database. The id of a system is made from its name.

CREATE TABLE systems (
  id BIGINT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  paths TEXT NOT NULL,           -- JSON list of what is reviewed
  repository TEXT NOT NULL,
  arguments TEXT NOT NULL,       -- JSON object: what else a review needs
  n_runs BIGINT NOT NULL,        -- number of the last run
  n_changes BIGINT NOT NULL,     -- number of the last change
  packages TEXT NOT NULL,        -- digest of its packages; empty before the first scan
  advisories TEXT NOT NULL,      -- digest of the database that they were last matched against
  advisories_day TEXT NOT NULL,
  looked_at TEXT NOT NULL,
  looked_epoch BIGINT NOT NULL
);

CREATE TABLE reviews (
  digest TEXT NOT NULL PRIMARY KEY,
  n_bytes BIGINT NOT NULL,
  deflated BYTEA NOT NULL
);

CREATE TABLE runs (
  system BIGINT NOT NULL REFERENCES systems (id),
  number BIGINT NOT NULL,
  at TEXT NOT NULL,
  cause TEXT NOT NULL,
  tool TEXT NOT NULL,
  revision TEXT NOT NULL,
  review TEXT NOT NULL,          -- digest of the review; empty where nothing was reviewed
  advisories TEXT NOT NULL,
  advisories_day TEXT NOT NULL,
  n_unread BIGINT NOT NULL,
  critical BIGINT NOT NULL,
  high BIGINT NOT NULL,
  medium BIGINT NOT NULL,
  low BIGINT NOT NULL,
  info BIGINT NOT NULL,
  questions BIGINT NOT NULL,
  mitigated BIGINT NOT NULL,
  decided BIGINT NOT NULL,
  inherent BIGINT NOT NULL,
  residual BIGINT NOT NULL,
  flaws_critical BIGINT NOT NULL,
  flaws_high BIGINT NOT NULL,
  flaws_medium BIGINT NOT NULL,
  flaws_low BIGINT NOT NULL,
  flaws_unknown BIGINT NOT NULL,
  n_changes BIGINT NOT NULL,     -- changes that this run brought
  PRIMARY KEY (system, number)
);

CREATE TABLE risks (
  system BIGINT NOT NULL REFERENCES systems (id),
  threat TEXT NOT NULL,
  rule TEXT NOT NULL,
  title TEXT NOT NULL,
  message TEXT NOT NULL,
  severity TEXT NOT NULL,
  status TEXT NOT NULL,
  inherent BIGINT NOT NULL,
  residual BIGINT NOT NULL,
  targets TEXT NOT NULL,
  places TEXT NOT NULL,
  state TEXT NOT NULL,
  first_run BIGINT NOT NULL,
  first_seen TEXT NOT NULL,
  last_run BIGINT NOT NULL,
  last_seen TEXT NOT NULL,
  decision TEXT NOT NULL,
  decided_by TEXT NOT NULL,
  decided_why TEXT NOT NULL,
  decided_at TEXT NOT NULL,
  decided_until TEXT NOT NULL,
  PRIMARY KEY (system, threat)
);

CREATE TABLE vulnerabilities (
  system BIGINT NOT NULL REFERENCES systems (id),
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  ecosystem TEXT NOT NULL,
  package TEXT NOT NULL,
  versions TEXT NOT NULL,
  places TEXT NOT NULL,
  names TEXT NOT NULL,
  severity TEXT NOT NULL,
  score BIGINT NOT NULL,         -- tenths
  epss BIGINT NOT NULL,          -- millionths
  fixed TEXT NOT NULL,
  known_exploited TEXT NOT NULL,
  informational TEXT NOT NULL,
  summary TEXT NOT NULL,
  state TEXT NOT NULL,
  first_run BIGINT NOT NULL,
  first_seen TEXT NOT NULL,
  last_run BIGINT NOT NULL,
  last_seen TEXT NOT NULL,
  decision TEXT NOT NULL,
  decided_by TEXT NOT NULL,
  decided_why TEXT NOT NULL,
  decided_at TEXT NOT NULL,
  decided_until TEXT NOT NULL,
  PRIMARY KEY (system, id)
);

CREATE TABLE advisories (
  system BIGINT NOT NULL REFERENCES systems (id),
  vulnerability TEXT NOT NULL,
  advisory TEXT NOT NULL,
  published TEXT NOT NULL,
  arrived_run BIGINT NOT NULL,
  arrived TEXT NOT NULL,
  PRIMARY KEY (system, vulnerability, advisory)
);

CREATE TABLE changes (
  system BIGINT NOT NULL REFERENCES systems (id),
  number BIGINT NOT NULL,
  run BIGINT NOT NULL,
  at TEXT NOT NULL,
  about TEXT NOT NULL,           -- risk or vulnerability
  subject TEXT NOT NULL,
  kind TEXT NOT NULL,
  who TEXT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (system, number)
);

CREATE TABLE packages (
  system BIGINT NOT NULL REFERENCES systems (id),
  number BIGINT NOT NULL,
  ecosystem TEXT NOT NULL,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  place TEXT NOT NULL,
  origin TEXT NOT NULL,
  relation TEXT NOT NULL,
  development BIGINT NOT NULL,
  workload TEXT NOT NULL,
  PRIMARY KEY (system, number)
);
CREATE INDEX packages_by_name ON packages (ecosystem, name);

CREATE TABLE jobs (
  system BIGINT NOT NULL PRIMARY KEY REFERENCES systems (id),
  cause TEXT NOT NULL,
  worker TEXT NOT NULL,          -- empty: nobody's
  lease_until BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  error TEXT NOT NULL
);

CREATE TABLE notices (
  id TEXT NOT NULL PRIMARY KEY,  -- the key by which receivers know a repeated delivery
  system BIGINT NOT NULL REFERENCES systems (id),
  run BIGINT NOT NULL,
  channel TEXT NOT NULL,
  created TEXT NOT NULL,
  payload TEXT NOT NULL,
  state TEXT NOT NULL,           -- waiting, sent, failed
  attempts BIGINT NOT NULL,
  due BIGINT NOT NULL,
  worker TEXT NOT NULL,
  lease_until BIGINT NOT NULL,
  error TEXT NOT NULL,
  sent_at TEXT NOT NULL
);
CREATE INDEX notices_by_state ON notices (state, due);
