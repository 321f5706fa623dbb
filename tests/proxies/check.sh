#!/bin/sh
# SPDX-License-Identifier: MIT
# roomd behind the proxies that people have, as `make check-proxies` runs it;
# (PROXIES_ALL=1); make check runs fewer of the rows. From the environment:
# ROOMD, srcdir, ROOMD_NODE_MODULES, ROOMD_TEST_SLOW, CHROMIUM as for the
# browser tests; PROXIES_FULL=1 for idle times as they are (5 minutes more).
# --write puts the results into docs/PROXIES.md.
set -eu
top=${srcdir:-$(dirname "$0")/../..}
dir=$top/tests
for program in node openssl nginx haproxy apache2 caddy squid; do
    PATH=$PATH:/usr/sbin command -v $program >/dev/null 2>&1 ||
        { echo "$program is not installed"; exit 77; }
done
CHROMIUM=${CHROMIUM:-$(command -v chromium || true)}
ROOMD=${ROOMD:-./roomd}
export CHROMIUM ROOMD
[ -x "$ROOMD" ] || { echo "no roomd at $ROOMD"; exit 1; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
chmod 755 "$scratch"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -days 2 -subj '/CN=localhost' -addext 'basicConstraints=critical,CA:TRUE' \
    -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' \
    -keyout "$scratch/key" -out "$scratch/cert" 2>/dev/null
cat "$scratch/cert" "$scratch/key" >"$scratch/roomd.pem"
chmod 644 "$scratch/roomd.pem"
NODE_EXTRA_CA_CERTS=$scratch/cert
PROXIES_PEM=$scratch/roomd.pem
export NODE_EXTRA_CA_CERTS PROXIES_PEM

write=
if [ "${1:-}" = --write ]; then
    write=yes
    shift
    PROXIES_TABLE=$scratch/table
    export PROXIES_TABLE
fi
case " $* " in
*.test.mjs*) ;;
*) set -- "$@" "$dir"/proxies/*.test.mjs ;;
esac
status=0
node "$dir/support/run.mjs" -j 1 "$@" || status=$?
if [ -n "$write" ] && [ "$status" -eq 0 ]; then
    node "$dir/proxies/table.mjs" "$PROXIES_TABLE" "$top/docs/PROXIES.md"
fi
exit "$status"
