-- Views without the sizes of blobs. DuckDB has no length() of a blob, and so could open none of them; and
-- by night SQLite carried every blob along to add up its length.
DROP VIEW games_by_night;
DROP VIEW game_list;

-- Every game in plain columns. NULL from `rounds` to `nobles`: not encoded anew yet.
CREATE VIEW game_list AS
SELECT
    game_id,
    players,
    games.rows AS turns,
    rounds,
    winner_seat,
    CASE winner_seat
        WHEN 0 THEN points_seat0
        WHEN 1 THEN points_seat1
        WHEN 2 THEN points_seat2
        WHEN 3 THEN points_seat3
    END AS winner_points,
    points_seat0, points_seat1, points_seat2, points_seat3,
    builds, reserves, take2, take3,
    nobles,
    substr(ingested_at, 1, 10) AS night,  -- UTC, of the ingest that encoded it
    ingested_at,
    gem_fault_rows,
    repaired,
    unbalanced_rows,
    source_path,
    source_bytes AS log_bytes,
    encoder_version
FROM games LEFT JOIN game_play USING (game_id);

-- Games by the night that encoded them and by number of players.
CREATE VIEW games_by_night AS
SELECT
    night,
    players,
    count(*) AS games,
    sum(turns) AS turns,
    round(avg(turns), 1) AS turns_a_game,
    sum(log_bytes) AS log_bytes
FROM game_list
GROUP BY night, players;
