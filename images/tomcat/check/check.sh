set -eu
get() {
  bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080; printf "GET %s HTTP/1.0\r\nHost: check\r\n\r\n" "$1" >&3; cat <&3' get "$1"
}
# A page that has to be compiled by tomcat itself.
if [ ! -d webapps/check ]; then
  mkdir webapps/check
  echo '<%= 6 * 7 %> by a JSP' >webapps/check/index.jsp
fi
get /check/index.jsp | grep -q "42 by a JSP"
get /missing | grep -q " 404 "
