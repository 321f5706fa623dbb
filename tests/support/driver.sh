#!/bin/sh
# SPDX-License-Identifier: MIT
# Automake's test driver for this project: runs one test program and counts
# the single tests inside it, so that the closing lines of make check count
# tests and not files. It understands three reports: TAP (ok / not ok), Check
# ("100%: Checks: 3, Failures: 0, Errors: 0") and "3 passed, 0 failed". What
# reports nothing counts once, by its exit code (77: skipped). A program that
# fails without a failed test counts as an error: a crash is never a pass.
set -u

name='' log='' trs='' expect_failure=no
while [ $# -gt 0 ]; do
    case $1 in
    --test-name) name=$2; shift ;;
    --log-file) log=$2; shift ;;
    --trs-file) trs=$2; shift ;;
    --expect-failure) expect_failure=$2; shift ;;
    --color-tests | --enable-hard-errors | --collect-skipped-logs) shift ;;
    --) shift; break ;;
    *) break ;;
    esac
    shift
done

began=$(date +%s)
timeout --kill-after=10 "${ROOMD_TEST_TIMEOUT:-1200}" "$@" >"$log" 2>&1 \
    </dev/null
status=$?
seconds=$(($(date +%s) - began))

# shellcheck disable=SC2016  # awk's variables
counts=$(LC_ALL=C awk '
    /^not ok/ { fail++; next }
    /^ok .*# *[Ss][Kk][Ii][Pp]/ { skip++; next }
    /^ok/ { pass++; next }
    /^[0-9]+%: Checks: [0-9]+, Failures: [0-9]+, Errors: [0-9]+/ {
        gsub(/[^0-9 ]/, ""); n = split($0, v, " ")
        pass += v[2] - v[3] - v[4]; fail += v[3] + v[4]; next
    }
    /^[0-9]+ passed, [0-9]+ failed/ { pass += $1; fail += $3 }
    END { print pass + 0, fail + 0, skip + 0 }' "$log")
# shellcheck disable=SC2086  # three numbers
set -- $counts
pass=$1 fail=$2 skip=$3 error=0

if [ $((pass + fail + skip)) -eq 0 ]; then
    case $status in
    0) pass=1 ;;
    77) skip=1 ;;
    *) fail=1 ;;
    esac
elif [ "$status" -ne 0 ] && [ "$fail" -eq 0 ]; then
    error=1
elif [ "$status" -eq 0 ] && [ "$fail" -ne 0 ]; then
    error=1
fi
[ "$status" -eq 124 ] && echo "timed out after $seconds s" >>"$log"
echo "exit status $status" >>"$log"

result=PASS
[ "$skip" -gt 0 ] && [ "$pass" -eq 0 ] && result=SKIP
[ "$fail" -gt 0 ] && result=FAIL
[ "$error" -gt 0 ] && result=ERROR
[ "$expect_failure" = no ] || result=ERROR # the project expects none

said="$pass passed"
[ "$fail" -eq 0 ] || said="$said, $fail failed"
[ "$skip" -eq 0 ] || said="$said, $skip skipped"
echo "$result: $name ($said, $seconds s)"

lines() { # COUNT RESULT
    i=0
    while [ "$i" -lt "$1" ]; do
        i=$((i + 1))
        echo ":test-result: $2 $name $i"
    done
}
{
    lines "$pass" PASS
    lines "$fail" FAIL
    lines "$skip" SKIP
    lines "$error" ERROR
    echo ":global-test-result: $result"
    echo ":recheck: $([ $result = PASS ] && echo no || echo yes)"
    echo ":copy-in-global-log: $([ $result = PASS ] && echo no || echo yes)"
} >"$trs"
