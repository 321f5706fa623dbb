#!/bin/sh
# SPDX-License-Identifier: MIT
# The tool `yjs`: what it was asked for it does, or says that it does not. Its
# output goes where it should, all of it; options that mean nothing are refused;
# long work shows how far it got.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

hex 010128000401047465787405666972737400 >a.v1
hex 0101290004010474657874067365636f6e6400 >b.v1
"$yjs" convert -t v2 a.v1 -o a.v2
"$yjs" sv a.v1 -o a.sv
{ hex 12000000; cat a.v1; hex 13000000; cat b.v1; } >log

# every COMMAND...: `to` gets what stdout would; nothing is lost without a word
every() {
    words=$*
    "$yjs" "$@" >out 2>err
    is "$words: good" 0 "$?"
    if [ "$1" != bench ]; then
        "$yjs" "$@" -o to >out2 2>err
        is "$words: --output" "$(cat out)" "$(cat to)"
        is "$words: nothing on stdout" "" "$(cat out2)"
    fi
    "$yjs" "$@" >/dev/full 2>err
    is "$words: a full disk" 3 "$?"
    is "$words: says so" "yjs: stdout: No space left on device" "$(cat err)"
    "$yjs" "$@" >&- 2>err
    is "$words: stdout closed" 3 "$?"
    "$yjs" "$@" -o /dev/full >out 2>err
    is "$words: a full disk for --output" 3 "$?"
    code "$words: --output in no folder" 3 "$yjs" "$@" -o none/to
}
every info a.v1
every info -j a.v1
every dump a.v1
every verify a.v1 b.v1
every sv --json a.v1
every json a.v1
every delta a.v1
every text a.v1
every snapshot --json a.v1
every bench --doc a.v1 -n 2
"$yjs" bench --doc a.v1 -n 1 -o to >out
is "bench: --output" "" "$(cat out)"
is "bench: it is all there" true "$(grep -q '"runs":1}$' to && echo true)"
for command in merge compact sv snapshot; do
    "$yjs" "$command" a.v1 -o to
    "$yjs" "$command" a.v1 >/dev/full 2>err
    is "$command: a full disk" 3 "$?"
done
for option in --help --version; do
    "$yjs" $option >/dev/full 2>err
    is "$option: a full disk" 3 "$?"
    "$yjs" $option >&- 2>err
    is "$option: stdout closed" 3 "$?"
done
cp a.v1 kept
"$yjs" dump kept >&- 2>err
same "what was read does not become stdout" a.v1 kept

for command in merge compact "diff --sv=a.sv"; do
    # shellcheck disable=SC2086  # an option is a word of its own
    for file in a.v1 a.v2; do
        for to in v1 v2; do
            "$yjs" $command $file -t $to -o to
            is "$command: $file to $to" $to \
                "$("$yjs" info to | sed -n 's/^format *//p')"
        done
    done
done
"$yjs" merge a.v1 -t v2 -o to
same "merge: converts" a.v2 to

# refused OPTION COMMAND...
refused() {
    option=$1
    shift
    code "$* $option" 2 "$yjs" "$@" "$option"
    is "$* $option: says so" "yjs: $1: takes no ${option%%=*}" \
        "$(head -n 1 err)"
}
refused --at=a.snap snapshot --json a.v1
refused --sv=a.sv info a.v1
refused --sv=a.sv merge a.v1
refused --to=v2 json a.v1
refused --to=v2 verify a.v1
refused --root=text dump a.v1
refused --json text a.v1
refused --as-log log log
refused --runs=3 log log
refused --doc=a.v1 info a.v1
refused --log=log merge a.v1
code "snapshot: --json in a format" 2 "$yjs" snapshot --json -t v2 a.v1
code "text: two roots" 2 "$yjs" text a.v1 -r text -r more

code "text: no such root" 2 "$yjs" text a.v1 --root=misspelt
is "names those there are" "yjs: a.v1: has no root misspelt; it has text:text" \
    "$(cat err)"
is "prints nothing" "" "$(cat out)"
code "delta: no such root" 2 "$yjs" delta a.v1 --root=misspelt:text
hex 0000 >empty
code "text: of nothing" 2 "$yjs" text empty --root=text
is "names none" "yjs: empty: has no root text; it has none" "$(cat err)"
code "json: a root that may come" 0 "$yjs" json a.v1 -r text:text -r m:map
is "is there" '{"text":"first","m":{}}' "$(cat out)"
is "but not without a word" "yjs: a.v1: has no root m; it has text:text" \
    "$(cat err)"

# phases COMMAND...: what it shows that it is at
phases() {
    "$yjs" "$@" -p 2>&1 >out | sed -n 's/^yjs: \(.*\), [0-9]* s$/\1/p' |
        sed 's/, [0-9]*%//' | tr '\n' ';'
}
is "progress: merge" "reading a.v1;decoding a.v1;reading b.v1;decoding b.v1;merging a.v1;" \
    "$(phases merge a.v1 b.v1)"
is "progress: verify" "reading a.v1;decoding a.v1;integrating a.v1;checking a.v1;loading again a.v1;" \
    "$(phases verify a.v1)"
is "progress: info" "reading a.v1;decoding a.v1;counting a.v1;integrating a.v1;counting a.v1;" \
    "$(phases info a.v1)"
is "progress: json" "reading a.v1;decoding a.v1;integrating a.v1;writing a.v1;" \
    "$(phases json a.v1)"
is "progress: log" "reading log;decoding as v1 log;integrating log;encoding log;" \
    "$(phases log log)"
is "progress: bench" "reading log;decoding as v1 log;apply_log of log;merge_log of log;encode a document;diff a document;state_vector a document;" \
    "$(phases bench --log=log -n 2)"
"$yjs" verify a.v1 >out 2>err
is "progress: not where nobody looks" "" "$(cat err)"
# Work of more than a second, so that it is shown in between.
cp log more
for _ in 1 2 3 4 5 6 7 8; do
    cat more more >twice
    mv twice more
done
runs=100
while :; do
    "$yjs" bench --log=more -n "$runs" -p >out 2>err
    grep -qE ', [0-9]+%, [1-9][0-9]* s$' err && break
    [ "$runs" -lt 100000 ] || break
    runs=$((runs * 10))
done
is "progress: every second, and how much of it" true \
    "$(grep -qE '^yjs: [a-z_]+ .*, [0-9]+%, [1-9][0-9]* s$' err && echo true)"
finish
