-- Runs once, by the superuser, in a new database. Leadgen's own role owns the database and is no
-- superuser; CREATEDB is for `manage.py restore --check`. The superuser has no password afterwards:
-- it logs in within the pod only.
\set password `cat /run/secrets/postgres/password`
CREATE ROLE leadgen LOGIN CREATEDB PASSWORD :'password';
ALTER DATABASE leadgen OWNER TO leadgen;
ALTER ROLE postgres PASSWORD NULL;
