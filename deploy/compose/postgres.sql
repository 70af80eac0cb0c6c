-- Runs once, by the superuser, in a new database. Leadgen's own role owns the database and is no
-- superuser; CREATEDB is for `manage.py restore --check`.
\set password `cat /run/secrets/password`
CREATE ROLE leadgen LOGIN CREATEDB PASSWORD :'password';
ALTER DATABASE leadgen OWNER TO leadgen;
