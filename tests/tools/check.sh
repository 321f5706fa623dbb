#!/bin/sh
# SPDX-License-Identifier: MIT
# The tool `yjs`, command by command: output, exit codes, error texts. The
# bytes it works on were written by npm yjs.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

# "abc" of client 40, then "d" behind it, then "b" deleted
hex 01012800040104746578740361626300 >a
hex 01012803842802016400 >b
hex 000128010101 >c
{ hex 10000000; cat a; hex 0a000000; cat b; hex 06000000; cat c; } >log

code "merge" 0 "$yjs" merge a b c -o merged
is "merge: dump" "40@0 len 3 string \"abc\" in root \"text\"
40@3 len 1 string \"d\" after 40@2
delete 40@1 len 1" "$("$yjs" dump merged)"
"$yjs" merge --as-log log -o merged2
same "merge: a log is the same" merged merged2
is "text" "acd" "$("$yjs" text merged)"
code "compact" 0 "$yjs" compact merged -o compacted
is "compact: the deleted letter is gone, its place is kept" \
    "40@0 len 1 string \"a\" in root \"text\"
40@1 len 1 deleted after 40@0
40@2 len 1 string \"c\" after 40@1
40@3 len 1 string \"d\" after 40@2
delete 40@1 len 1" "$("$yjs" dump compacted)"
is "compact: the text is the same" "acd" "$("$yjs" text compacted)"
# a map in a root, an entry in it, both deleted
hex 010228002701016d016101280028000162017d010128010002 >nested
code "compact: nested" 0 "$yjs" compact nested -o compacted
is "compact: what was in a deleted type is collected" \
    "40@0 len 1 deleted in root \"m\" key \"a\"
40@1 len 1 gc
delete 40@0 len 2" "$("$yjs" dump compacted)"
head -c 5 merged >short
code "compact: a cut file" 1 "$yjs" compact short
is "text: by name, from stdin" "acd" "$("$yjs" text - -r text <merged)"
is "json" '{"text":"acd"}' "$("$yjs" json merged)"
is "json: as named" '{"text":"acd","m":{}}' \
    "$("$yjs" json merged --root=text:text --root m:map)"
is "delta" '[{"insert":"acd"}]' "$("$yjs" delta merged)"
# "abcd", of which "bc" is bold, and an embed
hex 010628000401047465787401618428000262638428020164c62800280104626f6c640474727565c62802280304626f6c64046e756c6c852803077b2269223a317d00 >bold
is "delta: formats and embeds" '[{"insert":"a"},{"insert":"bc","attributes":{"bold":true}},{"insert":"d"},{"insert":{"i":1}}]' \
    "$("$yjs" delta bold -r text:text)"
"$yjs" snapshot a -o a.snap
is "snapshot: bytes" "00012803" "$(od -An -tx1 a.snap | tr -d ' \n')"
"$yjs" snapshot merged --to=v2 -o merged.snap
is "snapshot: v2" "0128010100012804" \
    "$(od -An -tx1 merged.snap | tr -d ' \n')"
is "snapshot: json" '{"clocks":{"40":4},"deletes":{"40":[[1,1]]}}' \
    "$("$yjs" snapshot merged --json)"
is "snapshot: json without deletes" '{"clocks":{"40":3},"deletes":{}}' \
    "$("$yjs" snapshot -j a)"
is "text: at a snapshot" "abc" "$("$yjs" text merged --at=a.snap)"
is "delta: at a snapshot" '[{"insert":"abc"}]' \
    "$("$yjs" delta merged --at a.snap)"
is "json: at a snapshot" '{"text":"abc"}' "$("$yjs" json merged -A a.snap)"
is "json: at a snapshot in v2" '{"text":"acd"}' \
    "$("$yjs" convert --to=v2 merged -o merged2.v2
    "$yjs" json -f v2 merged2.v2 -A merged.snap)"
code "a snapshot that saw more" 1 "$yjs" text a --at merged.snap -f v1
"$yjs" snapshot merged -o later.snap
code "a snapshot that saw more" 1 "$yjs" text a --at later.snap
is "says so" "yjs: later.snap: has seen more than the document" "$(cat err)"
code "a snapshot that is cut" 1 "$yjs" text a --at /dev/null
code "two texts, none named" 2 "$yjs" delta b
"$yjs" log log -o state
is "log: dump" "40@0 len 1 string \"a\" in root \"text\"
40@1 len 1 deleted after 40@0
40@2 len 2 string \"cd\" after 40@1
delete 40@1 len 1" "$("$yjs" dump state)"
"$yjs" convert --to=v2 state -o state2
"$yjs" convert --to=v1 state2 -o state1
same "convert: there and back" state state1
is "convert: smaller is not the same" 1 "$(cmp -s state state2; echo $?)"
"$yjs" log --to v2 log -o again
same "log: as v2" state2 again
is "info: finds the format" "v1 v2" "$(for f in state state2; do
    "$yjs" info $f | sed -n 's/^format *//p'; done | tr '\n' ' ' | sed 's/ $//')"
is "info: json" 'true' "$("$yjs" info --json state2 | grep -q \
    '"structs":3,.*"deleted":0.2500,"pending":false.*"40":\[0,4\]' && echo true)"
is "sv: json" '{"40":4}' "$("$yjs" sv --json state2)"
"$yjs" sv a -o a.sv
is "sv: bytes" "012803" "$(od -An -tx1 a.sv | tr -d ' \n')"
"$yjs" diff state --sv a.sv -o d
is "diff" "40@3 len 1 string \"d\" after 40@2
delete 40@1 len 1" "$("$yjs" dump d)"
code "verify" 0 "$yjs" verify a state state2
code "verify: pending" 0 "$yjs" verify b
is "verify: says so" "b: ok, v1, 10 bytes, waits for structs it lacks" \
    "$(cat out)"
is "bench: one object" 0 "$("$yjs" bench --log log --doc state -n 2 |
    grep -qE '^\{"apply_doc":[0-9.]+,"apply_log":.*"merge_log":.*"encode":.*"diff":.*"state_vector":.*"bytes_per_doc":[0-9]+,"structs":3,.*\}$'
    echo $?)"

head -c 11 a >short
code "a truncated update" 1 "$yjs" verify short
is "names byte and reason" \
    "yjs: short: byte 11: the input ends inside a value" "$(cat err)"
head -c 28 log >shortlog
code "a truncated log" 1 "$yjs" log shortlog
is "names the place of the record" \
    "yjs: shortlog: record 2: byte 20: the input ends inside a value" "$(cat err)"
hex 0102280004010474657874036162632800 >bad
code "a malformed update" 1 "$yjs" merge a bad
is "names the file" "bad" "$(cut -d: -f2 err | tr -d ' ')"
code "a missing file" 3 "$yjs" info none
code "no such command" 2 "$yjs" frob a
code "no command" 2 "$yjs"
code "too many files" 2 "$yjs" dump a b
code "a wrong format" 2 "$yjs" convert --to=v3 a
code "convert without --to" 2 "$yjs" convert a
code "a wrong root" 2 "$yjs" json a --root=text
code "a full disk" 3 "$yjs" merge a -o /dev/full
code "help" 0 "$yjs" --help
code "version" 0 "$yjs" --version
finish
