-- Refusals are removed by game. Without an index each removal read all of them, so that an ingest over many
-- refused logs took the square of their number.
CREATE INDEX refusals_by_game ON refusals (game_id);
