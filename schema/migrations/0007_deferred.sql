-- A log that is still being written is deferred to the next run, which is the word everywhere now.
DROP VIEW refused_logs;
ALTER TABLE refusals RENAME COLUMN set_aside TO deferred;

-- Logs that are not in the cache as they are now, and whether an older version of the game is.
CREATE VIEW refused_logs AS
SELECT
    game_id,
    source_path,
    CASE deferred WHEN 1 THEN 'deferred' ELSE 'refused' END AS what,
    kind,
    line,
    column_name,
    found,
    expected,
    message,
    substr(refused_at, 1, 10) AS night,
    game_id IN (SELECT game_id FROM games) AS older_version_cached
FROM refusals;
