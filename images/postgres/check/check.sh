set -eu
# By address, so with the password: what another container does.
ask() {
  PGPASSWORD=secret psql -qtA -h 127.0.0.1 -U ann -d shop -c "$1"
}
# Made by a file of /docker-entrypoint-initdb.d when the container first started.
[ "$(ask "select name from things limit 1")" = hello ]
! PGPASSWORD=wrong psql -qtA -h "$(hostname -i | cut -d' ' -f1)" -U ann -d shop -c "select 1" 2>/dev/null
[ "$(stat -c %U /proc/1)" = postgres ]
[ "$(ask "show server_encoding")" = UTF8 ]
