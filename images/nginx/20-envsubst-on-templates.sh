#!/bin/sh
# /etc/nginx/templates/x.conf.template becomes /etc/nginx/conf.d/x.conf, with the environment's variables filled in (and only those: $uri stays).
set -e

templates=${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}
suffix=${NGINX_ENVSUBST_TEMPLATE_SUFFIX:-.template}
output=${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}

[ -d "$templates" ] || exit 0
defined=$(awk 'BEGIN { for (name in ENVIRON) if (name ~ ENVIRON["NGINX_ENVSUBST_FILTER"]) printf "${%s} ", name }')
find "$templates" -follow -type f -name "*$suffix" | while read -r template; do
  target=$output/${template#"$templates"/}
  target=${target%"$suffix"}
  mkdir -p "$(dirname "$target")"
  envsubst "$defined" <"$template" >"$target"
done
