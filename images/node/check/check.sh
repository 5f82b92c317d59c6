set -eu
[ "$(node -p '6 * 7')" = 42 ]
node -e 'fetch("http://127.0.0.1:8080/").then(async answer => process.exit((await answer.text()) === "hello" ? 0 : 1))'
npm --version >/dev/null
[ "$(docker-entrypoint.sh -p '"as an option"')" = "as an option" ]
[ "$(id -u node)" = 1000 ]
