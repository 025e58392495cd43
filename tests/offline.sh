#!/bin/sh
# The tests where the loopback device is the only network there is: `tests/offline.sh [arguments of pytest]`.
# Whatever tries to leave the machine, in any process, fails, and its test with it. Linux; needs no rights.
set -eu
cd "$(dirname "$0")/.."
exec unshare --map-root-user --net sh -c '
    ip link set lo up
    others=$(ip -o link show up | grep -cv ": lo:" || true)
    [ "$others" -eq 0 ] || { echo "there is another network device" >&2; exit 1; }
    exec "$@"' sh "${PYTHON:-python}" -m pytest "$@"
