-- boolean there
--
-- Whether a migration has ever run here.
SELECT to_regclass('schema_migrations') IS NOT NULL AS there
