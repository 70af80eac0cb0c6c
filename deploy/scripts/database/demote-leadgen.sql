-- Turns the superuser `leadgen` of an older deployment into `postgres`, and makes a role `leadgen`
-- without its rights: same password, owner of the database and of all that is in it.
-- Run by another superuser, connected to Leadgen's database (deploy/docs/runbooks/database-role.md).
DO $$
DECLARE
  secret text;
  statement text;
BEGIN
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = 'leadgen') THEN
    RAISE NOTICE 'leadgen is no superuser: nothing was changed';
    RETURN;
  END IF;
  SELECT rolpassword INTO secret FROM pg_authid WHERE rolname = 'leadgen';
  ALTER ROLE leadgen RENAME TO postgres;
  -- CREATEDB is for `manage.py restore --check`.
  EXECUTE format('CREATE ROLE leadgen LOGIN CREATEDB PASSWORD %L', secret);
  EXECUTE format('ALTER DATABASE %I OWNER TO leadgen', current_database());
  FOR statement IN
    SELECT format('ALTER %s %s OWNER TO leadgen',
        CASE relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW'
          WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END, pg_class.oid::regclass)
      FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
      WHERE nspname = 'public' AND relkind IN ('r', 'p', 'S', 'v', 'm')
        -- Sequences of identity columns follow their table.
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid
          AND classid = 'pg_class'::regclass AND deptype IN ('i', 'e'))
  LOOP
    EXECUTE statement;
  END LOOP;
END
$$;
