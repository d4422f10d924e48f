-- Whether a migration has ever run here.
--
-- row: there boolean
SELECT to_regclass('schema_migrations') IS NOT NULL AS there
