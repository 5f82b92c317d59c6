#!/bin/sh
# Runs what is in /docker-entrypoint.d in the order of its names (*.envsh are sourced, *.sh run), then the command.
set -e

say() {
  [ -n "${NGINX_ENTRYPOINT_QUIET_LOGS:-}" ] || echo "$0: $*" >&2
}

case "${1-}" in
nginx | nginx-debug)
  for file in $(find /docker-entrypoint.d/ -follow -type f | sort -V); do
    case "$file" in
    *.envsh)
      say "sourcing $file"
      . "$file"
      ;;
    *.sh)
      if [ -x "$file" ]; then
        say "running $file"
        "$file"
      else
        say "ignoring $file, which is not executable"
      fi
      ;;
    *) say "ignoring $file" ;;
    esac
  done
  ;;
esac

exec "$@"
