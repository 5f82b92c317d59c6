set -eu
[ "$(redis-cli ping)" = PONG ]
redis-cli set greeting hello >/dev/null
[ "$(redis-cli get greeting)" = hello ]
# Not only for programs in the same container.
[ "$(redis-cli -h "$(hostname -i | cut -d' ' -f1)" get greeting)" = hello ]
[ "$(stat -c %U /proc/1)" = redis ]
redis-cli save >/dev/null
[ -f /data/dump.rdb ]
