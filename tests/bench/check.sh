#!/bin/sh
# SPDX-License-Identifier: MIT
# That the load still understands the daemon: a small one in each wire form,
# every delivery counted. Measures nothing.
set -u
bench=${builddir:-.}/tests/bench/roomd-bench
roomd=${ROOMD:-./roomd}
said=$(mktemp)
"$roomd" --config=/dev/null --port=0 --www="${srcdir:-.}/www" \
    --log-level=warning >"$said" &
pid=$!
trap 'kill $pid 2>/dev/null; rm -f "$said"' EXIT
number=0 failed=0 port=
for _ in $(seq 200); do
    port=$(sed -n 's,.*localhost:\([0-9]*\).*,\1,p' "$said")
    [ -z "$port" ] || break
    sleep 0.05
done

# run NAME ARGUMENT...: roomd-bench fails when anything is lost or astray.
run() {
    number=$((number + 1))
    name=$1
    shift
    if "$bench" --port "$port" --pid $pid --seconds 0.3 "$@"; then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
        failed=1
    fi
}

ten='--connections 10 --room-size 5'
# shellcheck disable=SC2086  # words
{
    run "binary y-messages" $ten --rate 50 --topic room:a-
    run "JSON updates" $ten --rate 50 --wire update --topic room:b-
    run "version 1" $ten --rate 50 --wire v1 --topic room:c-
    run "long-poll" $ten --rate 50 --longpoll --topic room:d-
    run "flat out" $ten --rate 0 --window 4 --topic room:e-
    run "many topics on one socket" $ten --rate 50 --channels 3 \
        --touch --topic room:f-
    run "a document that is there before" $ten --room-size 10 --rate 50 \
        --document 1 --topic y_doc_room:g-
    run "watched doing nothing, told in one line" $ten --rate 50 --idle 0.3 \
        --json --topic room:i-
    run "connecting by the clock" $ten --rate 0 --connect-rate 100 \
        --topic room:h-
}
kill $pid
wait $pid
status=$?
[ $status -eq 0 ] || failed=1
[ $status -eq 0 ] || printf 'not '
echo "ok $((number + 1)) - the daemon ends with 0"
exit $failed
