-- bigint version, text name
--
-- The steps of the schema that this database has.
SELECT version, name FROM schema_migrations ORDER BY version
