-- One row a game. Plain columns first, so that a person can query them without touching a blob.
CREATE TABLE games (
    game_id         INTEGER PRIMARY KEY,
    source_path     TEXT    NOT NULL,  -- below the data folder, with /
    source_hash     TEXT    NOT NULL,  -- blake3 of the log's bytes, in hex
    source_bytes    INTEGER NOT NULL,  -- size of the log
    rows            INTEGER NOT NULL,  -- turns, at least 1
    players         INTEGER NOT NULL,  -- 2, 3 or 4
    encoder_version INTEGER NOT NULL,
    feature_schema  TEXT    NOT NULL,  -- fingerprint of names, order and classes
    gem_fault_rows  INTEGER NOT NULL,  -- rows with the known fault of old logs
    repaired        INTEGER NOT NULL,  -- 1 if those rows were read as they were meant
    unbalanced_rows INTEGER NOT NULL,  -- rows whose gems do not add up to the supply
    ingested_at     TEXT    NOT NULL,  -- UTC, 2026-01-31T03:00:00Z

    -- Each blob is one zstd frame of little-endian numbers; see src/cache/blob.rs for the layouts.
    -- Each checksum is the front half of a blake3 over the blob and what it belongs to.
    turn_numbers          BLOB NOT NULL,
    turn_numbers_checksum BLOB NOT NULL,
    features              BLOB NOT NULL,
    features_checksum     BLOB NOT NULL,
    labels                BLOB NOT NULL,
    labels_checksum       BLOB NOT NULL,
    masks                 BLOB NOT NULL,
    masks_checksum        BLOB NOT NULL,
    column_sums           BLOB NOT NULL,
    column_sums_checksum  BLOB NOT NULL
) STRICT;

-- Logs that the last ingest could not read. A good older version may still stand in `games`.
CREATE TABLE refusals (
    source_path TEXT    PRIMARY KEY,  -- below the data folder, with /
    game_id     INTEGER NOT NULL,     -- from the file's name
    source_hash TEXT,                 -- of the refused bytes; NULL if they could not be read
    kind        TEXT    NOT NULL,     -- short_row, fraction, no_such_card, ...
    line        INTEGER,              -- in the file, from 1
    column_name TEXT,
    found       TEXT,
    expected    TEXT    NOT NULL,
    message     TEXT    NOT NULL,     -- all of it as one sentence
    refused_at  TEXT    NOT NULL      -- UTC
) STRICT;
