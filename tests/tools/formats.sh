#!/bin/sh
# SPDX-License-Identifier: MIT
# The tool `yjs` on files that are not what they should be: cut, followed by
# something, of another format, without an end. Nothing is read as an empty
# document that is none.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

# "first" of client 40 as v1, "second" of client 41 as v1 and v2
hex 010128000401047465787405666972737400 >a.v1
hex 0101290004010474657874067365636f6e6400 >b.v1
hex 0000012900000104 >b.v2
hex 0d0a746578747365636f6e6404060101000001010000 >>b.v2
# npm yjs deleted one letter, and nothing else: a v1 update that begins with 0
hex 000128010101 >deletes.v1

is "v2: found out" '{"text":"second"}' "$("$yjs" json b.v2)"
is "v1 without structs: found out" "delete 40@1 len 1" \
    "$("$yjs" dump deletes.v1)"

# Cut to two zeros it is the empty update of v1; any other cut is none.
good=''
for n in $(seq 0 29); do
    head -c "$n" b.v2 >short
    "$yjs" verify short >out 2>err && good="$good $n"
done
is "no cut v2 update is a good v1 one" " 2" "$good"
code "a cut v2 update" 1 "$yjs" verify short
is "says in which format and where" \
    "yjs: short: byte 29: the input ends inside a value (read as v2; as v1 it is empty and ends at byte 2)" \
    "$(cat err)"
for command in info json text delta snapshot dump merge compact sv; do
    code "$command of a cut v2 update" 1 "$yjs" "$command" short
done
code "convert of a cut v2 update" 1 "$yjs" convert short --to=v1
code "diff of a cut v2 update" 1 "$yjs" diff short --sv=/dev/null
code "bench of a cut v2 update" 1 "$yjs" bench --doc=short -n 1
code "what was forced is believed" 0 "$yjs" json -f v1 short
is "but not without a word" \
    "yjs: short: byte 2: 27 bytes follow the end of the update; ignored" \
    "$(cat err)"
head -c 1000000 /dev/zero >zeros
code "zeros are no document" 1 "$yjs" json zeros
hex 0000ffffffff0f >huge
code "a v2 column that ends nowhere" 1 "$yjs" verify huge
is "is not an empty v1 update" \
    "yjs: huge: byte 7: the input ends inside a value (read as v2; as v1 it is empty and ends at byte 2)" \
    "$(cat err)"
# an empty v2 update, then more
hex 00000000000001000000000000 >empty.v2
code "an empty v2 update" 0 "$yjs" verify empty.v2
is "is one" "empty.v2: ok, v2, 13 bytes" "$(cat out)"
{ cat empty.v2; cat a.v1; } >nothing
code "two empty beginnings are no update" 1 "$yjs" json nothing
is "says what was tried" \
    "yjs: nothing: not an update: as v2 it is empty and ends at byte 13 of 31, as v1 it is empty and ends at byte 2" \
    "$(cat err)"

# What follows an update
{ cat b.v2; cat a.v1; } >two
code "json of a v2 update with bytes behind it" 0 "$yjs" json two
is "reads the update" '{"text":"second"}' "$(cat out)"
is "says what it left" \
    "yjs: two: byte 30: 18 bytes follow the end of the update (read as v2; as v1 it is empty and ends at byte 2); ignored" \
    "$(cat err)"
{ cat a.v1; cat b.v1; } >two
code "verify: bytes behind an update" 1 "$yjs" verify two
is "says which" "yjs: two: byte 18: 19 bytes follow the end of the update" \
    "$(cat err)"
code "verify: bytes behind an update, format given" 1 "$yjs" verify -f v1 two
for command in info json text delta snapshot dump merge compact sv; do
    code "$command: bytes behind an update" 0 "$yjs" "$command" two
    is "$command: warns" \
        "yjs: two: byte 18: 19 bytes follow the end of the update; ignored" \
        "$(cat err)"
done
"$yjs" merge two -o one 2>err
same "they are not passed on" a.v1 one
code "diff: an update is no state vector" 1 "$yjs" diff a.v1 --sv=a.v1
is "says so" "yjs: a.v1: byte 3: 15 bytes follow the end of the state vector" \
    "$(cat err)"
head -c 2 a.v1 >short.sv
code "diff: a cut state vector" 1 "$yjs" diff a.v1 --sv=short.sv
"$yjs" snapshot a.v1 | cat - b.v1 >long.snap
code "text: bytes behind a snapshot" 1 "$yjs" text a.v1 --at long.snap
is "says so" "yjs: long.snap: byte 4: 19 bytes follow the end of the snapshot" \
    "$(cat err)"

# Logs
"$yjs" convert --to=v2 a.v1 -o a.v2
"$yjs" convert --to=v2 deletes.v1 -o deletes.v2
record() { # FILE: it as a record
    hex "$(printf '%02x000000' "$(wc -c <"$1")")"
    cat "$1"
}
{ record a.v1; record deletes.v1; record b.v1; } >log1
{ record deletes.v2; record a.v2; record b.v2; } >log2
{ record deletes.v1; record deletes.v1; } >deletes.log
code "log: v1" 0 "$yjs" log log1 -o of1
code "log: v2 is found out" 0 "$yjs" log log2 -o of2
same "log: it is the same" of1 of2
is "log: it is all of it" true "$("$yjs" json of2 | grep -q 'second' && echo true)"
code "log: of deletes alone" 0 "$yjs" log deletes.log
code "merge: v2 logs" 0 "$yjs" merge --as-log log2 log2 -o merged
is "merge: they are v2" "v2" "$("$yjs" info merged | sed -n 's/^format *//p')"
code "merge: v2 logs, as v1" 0 "$yjs" merge --as-log -t v1 log2 -o merged2
"$yjs" merge --as-log log1 -o merged1
is "merge: in either format" "$("$yjs" dump merged1)" "$("$yjs" dump merged2)"
code "merge: logs of both formats" 1 "$yjs" merge --as-log log1 log2
code "bench: a v2 log" 0 "$yjs" bench --log=log2 -n 1
is "bench: it is not empty" true \
    "$(grep -q '"structs":[1-9]' out && echo true)"
{ record a.v2; record short; record b.v2; } >log3
code "log: a cut v2 record" 1 "$yjs" log log3
is "log: names record, byte, reason" \
    "yjs: log3: record 2: byte 66: the input ends inside a value (read as v2; as v1 record 1 is wrong)" \
    "$(cat err)"
{ record a.v2; record b.v1; } >log4
code "log: of both formats" 1 "$yjs" log log4
is "log: names the record that is of another" "yjs: log4: record 2" \
    "$(cut -d: -f1-3 err)"
{ record a.v1; record two; } >log5
for command in "log" "merge --as-log" "bench --log"; do
    # shellcheck disable=SC2086  # an option is a word of its own
    code "$command: bytes behind a record" 1 "$yjs" $command log5
    is "$command: says which" \
        "yjs: log5: record 2: byte 44: 19 bytes follow the end of the update" \
        "$(cat err)"
done
code "log: forced to the wrong format" 1 "$yjs" log -f v2 log1

# Limits
code "a file without an end" 4 "$yjs" info --max-bytes=1M /dev/zero
is "says which limit and how to raise it" \
    "yjs: /dev/zero: has more than 1048576 bytes, the limit of what is read of a file; --max-bytes=SIZE sets another" \
    "$(cat err)"
code "a file that is too long" 4 "$yjs" json -m 17 a.v1
code "a file that is as long as it may be" 0 "$yjs" json -m 18 a.v1
truncate -s 1073741825 long
code "a file of more than 1 GiB" 4 "$yjs" json long
for size in 0 -1 x 1T 1KK 99999999999G; do
    code "a size that is none" 2 "$yjs" json -m "$size" a.v1
done
# [[[...null...]]], 1100 deep, in a map
{
    hex 010128002801016d016b01
    printf '\165\001%.0s' $(seq 1100)
    hex 7e00
} >deep
for command in json "merge a.v1" verify dump "convert -t v2"; do
    # shellcheck disable=SC2086  # more than one word
    code "$command: too deep" 4 "$yjs" $command deep
    is "$command: says which limit" \
        "limit reached: values nest at most 1024 deep" \
        "$(sed 's/.*: limit/limit/' err)"
done
finish
