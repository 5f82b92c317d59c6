set -eu
nginx -t 2>&1 | grep -q "test is successful"
get() {
  bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1"; printf "GET %s HTTP/1.0\r\nHost: check\r\n\r\n" "$2" >&3; cat <&3' get "$1" "$2"
}
get 80 / | grep -q "Welcome to nginx!"
get 80 /missing | grep -q "404 Not Found"
# What came from a template and the environment.
get 8081 /greeting | grep -q "hello from a template at /greeting"
for process in /proc/[0-9]*; do
  if grep -q "nginx: worker" "$process/cmdline" 2>/dev/null && [ "$(stat -c %U "$process")" = nginx ]; then exit 0; fi
done
echo "no worker runs as nginx" >&2
exit 1
