-- A checksum of the plain columns of a game: `--where` and queries read them without its blobs, whose checksums
-- cover only some of them. NULL in games of older caches, which are not checked. It is the last column, so damage
-- of one byte that makes it NULL changes nothing else.
ALTER TABLE games ADD COLUMN record_checksum INTEGER;

-- A checksum of all games at the end of the ingest. A copy of the file that was made during an ingest may be a
-- mixture of two states in which each game is valid.
ALTER TABLE last_ingest ADD COLUMN games_checksum INTEGER;
