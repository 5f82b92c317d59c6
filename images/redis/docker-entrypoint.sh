#!/bin/sh
# redis-server, in the foreground, as its own user. `docker run redis --save 60 1` and `docker run redis my.conf` work as with Docker Hub's image.
set -e

case "${1-}" in
-* | *.conf) set -- redis-server "$@" ;;
esac

if [ "${1-}" = redis-server ]; then
  # Whoever brings no configuration wants it to answer the containers around it; options that follow have the last word.
  case "${2-}" in
  *.conf | -v | --version | -h | --help | --test-memory | --check-system) ;; # these must come first
  *) shift && set -- redis-server --protected-mode no "$@" ;;
  esac
  if [ "$(id -u)" = 0 ]; then
    find . \! -user redis -exec chown redis '{}' +
    set -- setpriv --reuid=redis --regid=redis --init-groups -- "$@"
  fi
  # Files that others on the host cannot read, unless something else was set.
  [ "$(umask)" != 0022 ] || umask 0077
fi

exec "$@"
