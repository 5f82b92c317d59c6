#!/bin/sh
# `docker run node app.js` and `docker run node --version` run node; anything that is a program runs as it is.
set -e

if [ "${1#-}" != "${1-}" ] || [ -z "$(command -v "${1-}")" ] || { [ -f "${1-}" ] && ! [ -x "${1-}" ]; }; then
  set -- node "$@"
fi

exec "$@"
