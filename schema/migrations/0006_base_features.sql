-- The features of a game are its base features now, from which the others follow: no columns to find
-- equal. The checksums of the blobs are XXH3 instead of blake3. Games from before are encoded anew, their
-- feature_schema is another.
ALTER TABLE games DROP COLUMN feature_columns;
ALTER TABLE games DROP COLUMN feature_columns_checksum;
