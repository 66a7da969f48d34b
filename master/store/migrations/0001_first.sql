-- +goose Up
-- Times are Unix microseconds. A job id is stored as the microsecond that it stands for. Bodies are msgpack.
CREATE TABLE minions (
  n INTEGER PRIMARY KEY,           -- the short name that other tables use
  id TEXT NOT NULL UNIQUE,
  grains BLOB, grains_time INTEGER,
  version TEXT NOT NULL DEFAULT '',
  last_seen INTEGER NOT NULL DEFAULT 0,
  asleep_until INTEGER NOT NULL DEFAULT 0,
  epoch INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE keys (
  id TEXT NOT NULL,
  pub BLOB NOT NULL,               -- Ed25519, 32 bytes
  state TEXT NOT NULL,             -- accepted, pending, rejected, denied
  since INTEGER NOT NULL,
  note TEXT NOT NULL DEFAULT '',   -- what accepted or refused it
  PRIMARY KEY (id, pub)
) WITHOUT ROWID;
CREATE UNIQUE INDEX one_accepted ON keys (id) WHERE state = 'accepted';
CREATE TABLE tokens (
  hash BLOB PRIMARY KEY,           -- SHA-256 of a join token
  id TEXT NOT NULL DEFAULT '',     -- the id that it is for, '' for any
  expires INTEGER NOT NULL,
  used INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE jobs (
  jid INTEGER PRIMARY KEY,
  fun TEXT NOT NULL,               -- for searching; compound commands joined by commas
  tgt TEXT NOT NULL,
  username TEXT NOT NULL,
  body BLOB NOT NULL,              -- store.Job
  deadline INTEGER NOT NULL,
  open INTEGER NOT NULL            -- 1 while some target has no terminal state
);
CREATE INDEX jobs_open ON jobs (jid) WHERE open = 1;
CREATE TABLE returns (
  jid INTEGER NOT NULL,
  minion INTEGER NOT NULL,         -- minions.n
  status TEXT NOT NULL,
  retcode INTEGER NOT NULL,
  received INTEGER NOT NULL,
  body BLOB NOT NULL,              -- proto.Return
  PRIMARY KEY (jid, minion)
) WITHOUT ROWID;
CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tag TEXT NOT NULL,
  time INTEGER NOT NULL,           -- when it happened, by the clock of who sent it
  received INTEGER NOT NULL,
  minion INTEGER NOT NULL,         -- minions.n, 0 for the master's own
  data BLOB NOT NULL
);
CREATE INDEX events_time ON events (time);
CREATE INDEX events_minion ON events (minion, time);
CREATE TABLE queues (
  minion INTEGER NOT NULL,         -- how far each event queue of a minion is stored
  queue TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (minion, queue)
) WITHOUT ROWID;
CREATE TABLE docs (
  kind TEXT NOT NULL,              -- mine, data ...
  key TEXT NOT NULL,
  body BLOB NOT NULL,
  time INTEGER NOT NULL,
  PRIMARY KEY (kind, key)
) WITHOUT ROWID;
