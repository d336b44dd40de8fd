-- The features of a game are its base features now, from which the others follow: no columns to find
-- equal. Games from before are encoded anew, their feature_schema is another.
ALTER TABLE games DROP COLUMN feature_columns;
ALTER TABLE games DROP COLUMN feature_columns_checksum;
