-- A line for each ingest that changed the cache; the newest thousand are kept. NULL from `finished_at` on: it
-- did not finish. Games are counted once each, by what was done with them, as `ingest --json` counts them.
CREATE TABLE ingests (
    ingest_id       INTEGER PRIMARY KEY,  -- ascending
    started_at      TEXT    NOT NULL,     -- UTC
    logs_found      INTEGER NOT NULL,
    finished_at     TEXT,
    seconds         REAL,
    new             INTEGER,
    bytes_changed   INTEGER,
    encoder_changed INTEGER,
    schema_changed  INTEGER,
    repair_changed  INTEGER,
    damaged         INTEGER,
    up_to_date      INTEGER,
    refused         INTEGER,
    deferred        INTEGER,
    deleted         INTEGER,
    encoded_rows    INTEGER,              -- by this ingest
    games           INTEGER,              -- in the cache afterwards
    rows            INTEGER
) STRICT;
