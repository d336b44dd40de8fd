-- What replaying a game shows: how it ended, and rows that do not follow from the row before. NULL for a
-- game of an older cache until the next ingest, which reads its log again.
ALTER TABLE game_play ADD COLUMN ending TEXT;          -- finished, tie, unfinished
ALTER TABLE game_play ADD COLUMN place_seat0 INTEGER;  -- 1 is the best; equal points and cards share one
ALTER TABLE game_play ADD COLUMN place_seat1 INTEGER;  -- NULL for empty seats and unfinished games
ALTER TABLE game_play ADD COLUMN place_seat2 INTEGER;
ALTER TABLE game_play ADD COLUMN place_seat3 INTEGER;
ALTER TABLE game_play ADD COLUMN replay_fault_rows INTEGER;

-- The first faults of each game that does not replay.
CREATE TABLE game_faults (
    game_id     INTEGER NOT NULL,  -- of `games`
    row_in_game INTEGER NOT NULL,  -- from 0
    line        INTEGER NOT NULL,  -- in the file, from 1
    kind        TEXT    NOT NULL,  -- points, seat, repeated_card, ...
    column_name TEXT    NOT NULL,
    found       TEXT    NOT NULL,
    expected    TEXT    NOT NULL,  -- what follows from the row before
    PRIMARY KEY (game_id, row_in_game)
) STRICT, WITHOUT ROWID;

CREATE VIEW replay_faults AS
SELECT game_id, source_path, line, kind, column_name, found, expected, row_in_game
FROM game_faults JOIN games USING (game_id);

DROP VIEW game_list;

-- Every game in plain columns. NULL from `rounds` to `nobles`: not encoded again yet; `ending`, the places
-- and `replay_fault_rows`: not replayed yet.
CREATE VIEW game_list AS
SELECT
    game_id,
    players,
    games.rows AS turns,
    rounds,
    ending,
    winner_seat,
    CASE winner_seat
        WHEN 0 THEN points_seat0
        WHEN 1 THEN points_seat1
        WHEN 2 THEN points_seat2
        WHEN 3 THEN points_seat3
    END AS winner_points,
    points_seat0, points_seat1, points_seat2, points_seat3,
    place_seat0, place_seat1, place_seat2, place_seat3,
    builds, reserves, take2, take3,
    nobles,
    substr(ingested_at, 1, 10) AS night,  -- UTC, of the ingest that encoded it
    ingested_at,
    gem_fault_rows,
    repaired,
    unbalanced_rows,
    replay_fault_rows,
    source_path,
    source_bytes AS log_bytes,
    encoder_version
FROM games LEFT JOIN game_play USING (game_id);
