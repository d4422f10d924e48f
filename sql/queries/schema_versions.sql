-- The steps of the schema that this database has.
--
-- rows: version bigint, name text
SELECT version, name FROM schema_migrations ORDER BY version
