-- How each game went, counted when it was encoded: what a person asks, and the blobs do not tell SQL.
-- A table of its own, because in `games` it would stand behind megabytes of blobs.
-- A game from before this table came has no row here until an ingest encodes it anew.
CREATE TABLE game_play (
    game_id      INTEGER PRIMARY KEY,  -- of `games`
    rounds       INTEGER NOT NULL,     -- turn_number of the last turn
    builds       INTEGER NOT NULL,     -- turns by action, as logged: they add up to games.rows
    reserves     INTEGER NOT NULL,
    take2        INTEGER NOT NULL,     -- two gems of one colour
    take3        INTEGER NOT NULL,     -- any other take
    nobles       INTEGER NOT NULL,     -- that came along
    winner_seat  INTEGER,              -- most points, at least 15; of equals, fewest cards; else NULL
    points_seat0 INTEGER,              -- after the last move; NULL where nobody sits
    points_seat1 INTEGER,
    points_seat2 INTEGER,
    points_seat3 INTEGER,
    checksum     BLOB    NOT NULL      -- front half of a blake3 over all of this; see src/cache/play.rs
) STRICT;

-- Every game in plain columns. NULL from `rounds` to `points_seat3`: not encoded anew yet.
CREATE VIEW game_list AS
SELECT
    game_id,
    players,
    games.rows AS turns,
    rounds,
    winner_seat,
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
    length(turn_numbers) + length(features) + length(feature_columns) + length(labels)
        + length(masks) + length(column_sums) AS cached_bytes,
    encoder_version
FROM games LEFT JOIN game_play USING (game_id);

-- Logs that did not go in, and whether an older version of the game stands in for it.
CREATE VIEW refused_logs AS
SELECT
    game_id,
    source_path,
    CASE set_aside WHEN 1 THEN 'set aside' ELSE 'refused' END AS what,
    kind,
    line,
    column_name,
    found,
    expected,
    message,
    substr(refused_at, 1, 10) AS night,
    game_id IN (SELECT game_id FROM games) AS older_version_cached
FROM refusals;

-- Games by the night that encoded them and by number of players.
CREATE VIEW games_by_night AS
SELECT
    night,
    players,
    count(*) AS games,
    sum(turns) AS turns,
    round(avg(turns), 1) AS turns_a_game,
    sum(log_bytes) AS log_bytes,
    sum(cached_bytes) AS cached_bytes
FROM game_list
GROUP BY night, players;

-- How often each action was chosen, in percent of the turns, by number of players.
CREATE VIEW action_mix AS
SELECT
    players,
    count(*) AS games,
    sum(turns) AS turns,
    sum(builds) AS builds,
    sum(reserves) AS reserves,
    sum(take2) AS take2,
    sum(take3) AS take3,
    round(100.0 * sum(builds) / sum(turns), 1) AS build_percent,
    round(100.0 * sum(reserves) / sum(turns), 1) AS reserve_percent,
    round(100.0 * sum(take2) / sum(turns), 1) AS take2_percent,
    round(100.0 * sum(take3) / sum(turns), 1) AS take3_percent
FROM game_list
WHERE rounds IS NOT NULL
GROUP BY players;
