set -eu
. /etc/os-release
[ "$ID" = debian ]
[ "$VERSION_CODENAME" = bookworm ]
dpkg --audit
apt-get check -qq
[ "$(bash -c 'echo $((6 * 7))')" = 42 ]
