-- Equal feature columns of a game are stored once; which of them a feature is stands in a blob of its
-- own. Games from before have none: they are encoded anew, their feature_schema is another.
ALTER TABLE games ADD COLUMN feature_columns BLOB NOT NULL DEFAULT x'';
ALTER TABLE games ADD COLUMN feature_columns_checksum BLOB NOT NULL
    DEFAULT x'00000000000000000000000000000000';
