#!/bin/sh
# The tests where the loopback device is the only network there is: all of them as `make test` runs them, or
# those that `tests/offline.sh ARGUMENTS OF PYTEST` names.
# Whatever tries to leave the machine, in any process, fails, and its test with it. Linux; needs no rights.
set -eu
cd "$(dirname "$0")/.."
if [ $# -eq 0 ]; then set -- tests/all.py; else set -- -m pytest "$@"; fi
exec unshare --map-root-user --net sh -c '
    ip link set lo up
    others=$(ip -o link show up | grep -cv ": lo:" || true)
    [ "$others" -eq 0 ] || { echo "there is another network device" >&2; exit 1; }
    exec "$@"' sh "${PYTHON:-python}" "$@"
