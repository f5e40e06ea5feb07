#!/bin/sh
# Run once by the postgres image on an empty data folder: the application's role owns nothing and is no superuser.
set -eu
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" -v password="$PAYROLL_APP_PASSWORD" <<'SQL'
CREATE ROLE payroll_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'password';
SQL
