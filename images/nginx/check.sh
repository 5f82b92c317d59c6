set -eu
nginx -t -q
get() {
  bash -c 'exec 3<>/dev/tcp/127.0.0.1/80; printf "GET %s HTTP/1.0\r\nHost: check\r\n\r\n" "$1" >&3; cat <&3' get "$1"
}
get / | grep -q "Welcome to nginx!"
get /missing | grep -q "404 Not Found"
# What came from /etc/nginx/templates and the environment.
get /greeting | grep -q "hello from a template"
for process in /proc/[0-9]*; do
  grep -q "nginx: worker" "$process/cmdline" 2>/dev/null && [ "$(stat -c %U "$process")" = nginx ] && exit 0
done
echo "no worker runs as nginx" >&2
exit 1
