#!/bin/bash
# Makes a database cluster at the first start (POSTGRES_PASSWORD, POSTGRES_USER, POSTGRES_DB, POSTGRES_INITDB_ARGS, POSTGRES_HOST_AUTH_METHOD; each also
# as NAME_FILE, for secrets), runs what is in /docker-entrypoint-initdb.d, and becomes the server.
set -euo pipefail

fail() {
  printf 'Error: %s\n' "$@" >&2
  exit 1
}

# The value of $1, or what is in the file that $1_FILE names, or $2.
setting() {
  local name=$1 file="$1_FILE" value=${2-}
  [ -z "${!name-}" ] || [ -z "${!file-}" ] || fail "both $name and $file are set; one of them is enough"
  if [ -n "${!name-}" ]; then
    value=${!name}
  elif [ -n "${!file-}" ]; then
    value=$(<"${!file}")
  fi
  export "$name=$value"
  unset "$file"
}

prepare_directories() {
  mkdir -p "$PGDATA" /var/run/postgresql
  chmod 00700 "$PGDATA" 2>/dev/null || :
  chmod 03775 /var/run/postgresql 2>/dev/null || :
  [ -z "${POSTGRES_INITDB_WALDIR-}" ] || mkdir -p "$POSTGRES_INITDB_WALDIR"
  if [ "$(id -u)" = 0 ]; then
    find "$PGDATA" /var/run/postgresql ${POSTGRES_INITDB_WALDIR:+"$POSTGRES_INITDB_WALDIR"} \! -user postgres -exec chown postgres '{}' +
  fi
}

check_password() {
  [ -n "$POSTGRES_PASSWORD" ] || [ "${POSTGRES_HOST_AUTH_METHOD-}" = trust ] || fail \
    "the database is not initialized and no superuser password is given" \
    "give one with POSTGRES_PASSWORD, for example: run -e POSTGRES_PASSWORD=password postgres" \
    "or allow everybody without one: POSTGRES_HOST_AUTH_METHOD=trust"
}

init_database() {
  local arguments=()
  [ -z "${POSTGRES_INITDB_WALDIR-}" ] || arguments+=(--waldir "$POSTGRES_INITDB_WALDIR")
  eval 'initdb --username="$POSTGRES_USER" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD") "${arguments[@]}" '"${POSTGRES_INITDB_ARGS-}"
  local method=${POSTGRES_HOST_AUTH_METHOD:-$(postgres -C password_encryption -D "$PGDATA")}
  printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
}

sql() {
  PGHOST='' PGHOSTADDR='' psql -v ON_ERROR_STOP=1 --no-psqlrc --no-password --username "$POSTGRES_USER" "$@"
}

run_init_files() {
  local file
  for file; do
    case "$file" in
    *.sh)
      if [ -x "$file" ]; then "$file"; else . "$file"; fi
      ;;
    *.sql) sql --dbname "$POSTGRES_DB" -f "$file" ;;
    *.sql.gz) gunzip -c "$file" | sql --dbname "$POSTGRES_DB" ;;
    *.sql.xz) xzcat "$file" | sql --dbname "$POSTGRES_DB" ;;
    *.sql.zst) zstd -dc "$file" | sql --dbname "$POSTGRES_DB" ;;
    *) printf '%s: ignoring %s\n' "$0" "$file" >&2 ;;
    esac
  done
}

set_up() {
  setting POSTGRES_PASSWORD
  setting POSTGRES_USER postgres
  setting POSTGRES_DB "$POSTGRES_USER"
  check_password
  init_database
  export PGPASSWORD="${PGPASSWORD-$POSTGRES_PASSWORD}"
  # Reachable from inside only, until everything is in place.
  pg_ctl -D "$PGDATA" -o "-c listen_addresses='' -p ${PGPORT:-5432}" -w start
  if [ "$POSTGRES_DB" != postgres ]; then
    sql --dbname postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
  fi
  run_init_files $(find /docker-entrypoint-initdb.d -mindepth 1 -maxdepth 1 | sort)
  pg_ctl -D "$PGDATA" -m fast -w stop
  unset PGPASSWORD
  echo 'PostgreSQL init process complete; ready for start up.'
}

[ "${1:0:1}" != - ] || set -- postgres "$@"

if [ "$1" = postgres ] && [[ " $* " != *" --help "* && " $* " != *" --version "* ]]; then
  prepare_directories
  [ "$(id -u)" != 0 ] || exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$0" "$@"
  if [ -s "$PGDATA/PG_VERSION" ]; then
    echo 'PostgreSQL Database directory appears to contain a database; Skipping initialization'
  else
    set_up
  fi
fi

exec "$@"
