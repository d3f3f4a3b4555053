#!/usr/bin/env bash
# The three roles and the database (ADR 0001). Runs once, as the bootstrap superuser, who is not used afterwards.
#   secretaria_migrator  owns the database and every schema; makes one role a company; used by `migrate` and `provision`
#   secretaria_app       the login of serve, work and schedule. NOINHERIT is the wall: with INHERIT it would hold the
#                        rights of every company's role at once, before any transaction has chosen one
# May run again: existing roles get their attributes and passwords anew.
# For a server of your own: psql's usual variables (PGHOST, PGUSER, …) and MIGRATOR_PASSWORD_FILE, APP_PASSWORD_FILE.
set -euo pipefail

migrator=$(cat "${MIGRATOR_PASSWORD_FILE:-/run/secrets/migrator_password}")
app=$(cat "${APP_PASSWORD_FILE:-/run/secrets/app_password}")
database="${SECRETARIA_DATABASE:-secretaria}"

# Passwords come in by the environment of psql, never by its arguments, which other users can list.
export migrator app
psql -v ON_ERROR_STOP=1 -v database="$database" --no-psqlrc --quiet -U "${POSTGRES_USER:-${PGUSER:-postgres}}" -d postgres <<'SQL'
\getenv migrator migrator
\getenv app app
SELECT format('CREATE ROLE %I', name) FROM (VALUES ('secretaria_migrator'), ('secretaria_app')) AS wanted(name)
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE secretaria_migrator LOGIN NOSUPERUSER NOCREATEDB CREATEROLE NOBYPASSRLS PASSWORD :'migrator';
ALTER ROLE secretaria_app LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'app';
SELECT format('CREATE DATABASE %I OWNER secretaria_migrator', :'database')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO secretaria_app;
\connect :"database"
REVOKE ALL ON SCHEMA public FROM PUBLIC;
SQL
