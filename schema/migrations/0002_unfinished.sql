-- A log that was still being written is set aside: it is tried again, and nobody has to mend it.
ALTER TABLE refusals ADD COLUMN set_aside INTEGER NOT NULL DEFAULT 0;  -- 1 if so
UPDATE refusals SET set_aside = 1 WHERE kind IN ('cut_off', 'empty', 'no_rows');

-- The last run of ingest, or the one that is under way. No row: no run since this table came.
CREATE TABLE last_ingest (
    only_row    INTEGER PRIMARY KEY CHECK (only_row = 1),
    started_at  TEXT    NOT NULL,  -- UTC
    finished_at TEXT,              -- NULL until it is done, for good if it was stopped or killed
    logs_found  INTEGER NOT NULL
) STRICT;
