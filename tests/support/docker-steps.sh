#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# docker-steps.sh [BASE.tar]: proves the Dockerfile where no container engine
# runs. As root, it follows the Dockerfile's own lines (FROM, WORKDIR, COPY,
# RUN, USER, HEALTHCHECK, CMD) in chroots made by debootstrap, then starts the
# command as the image's user, asks the health check, and stops it with the
# stop signal. BASE.tar is a minimal Debian 12 root; it is made from the host's
# own apt mirror when it is not given. KEEP=1 leaves the chroots behind.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/roomd-image.XXXXXX")
base=${1:-}
stage='' name='' workdir=/ user=root signal=TERM cmd='' health=''
declare -A stages=()
count=0
port=$((20000 + $$ % 10000)) # the host's network: 4000 may be taken

say() { echo "docker-steps: $*"; }

release() { # unmount what open_stage mounted
    local dir=$1
    umount -l "$dir/proc" 2>/dev/null || true
    umount -R -l "$dir/dev" 2>/dev/null || true
}

clean_up() {
    local dir
    for dir in "${stages[@]}"; do release "$dir"; done
    sleep 1
    if grep -q " $work/" /proc/mounts; then
        say "still mounted, left alone: $work"
    elif [ -z "${KEEP:-}" ]; then
        rm -rf --one-file-system "$work"
    fi
}
trap clean_up EXIT

make_base() {
    local mirror
    # shellcheck disable=SC2016  # apt's own variable
    mirror=$(apt-get indextargets --format '$(SITE)' \
        'Created-By: Packages' | head -n 1)
    base=$work/base.tar
    debootstrap --variant=minbase bookworm "$work/base" "$mirror" >/dev/null
    tar -C "$work/base" -cf "$base" .
    rm -rf "$work/base"
}

enter() { # COMMAND...: become it, as the stage's user, in its folder
    # shellcheck disable=SC2016  # expands inside
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ PORT="$port" \
        chroot --userspec="$user" "$stage" \
        /bin/sh -c 'cd "$0" && exec "$@"' "$workdir" "$@"
}

in_stage() { (enter "$@"); }

open_stage() { # NAME
    name=$1 stage=$work/$1 workdir=/ user=root
    stages[$name]=$stage
    mkdir "$stage"
    tar -C "$stage" -xf "$base"
    mount -t proc proc "$stage/proc"
    mount --rbind /dev "$stage/dev"
    mount --make-rslave "$stage/dev"
    cp /etc/resolv.conf "$stage/etc/resolv.conf"
    # As the real base image: apt keeps neither packages nor indexes.
    cat >"$stage/etc/apt/apt.conf.d/docker-clean" <<'END'
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
END
}

# The build context: what git has, less what .dockerignore names.
make_context() {
    mkdir "$work/context"
    git -C "$top" archive HEAD | tar -x -C "$work/context"
    (cd "$work/context" && grep -vE '^(#|$|\*\*)' .dockerignore |
        while read -r entry; do rm -rf -- "./${entry:?}"; done)
}

copy() { # [--from=STAGE] SOURCE DESTINATION
    local from=$work/context to
    case $1 in
    --from=*) from=${stages[${1#--from=}]}; shift ;;
    esac
    to=$2
    case $to in /*) ;; *) to=$workdir/$to ;; esac
    mkdir -p "$stage$(dirname "$to/x")"
    if [ -d "$from/$1" ]; then
        mkdir -p "$stage$to"
        cp -a "$from/$1/." "$stage$to/"
    else
        [ -d "$stage$to" ] && [ "${2%/}" = "$2" ] && rmdir "$stage$to"
        cp -a "$from/$1" "$stage$to"
    fi
}

# ["a", "b"] -> a newline b
words() { tr -d '[]"' <<<"$1" | sed 's/, */\n/g'; }

follow() { # KEYWORD REST
    case $1 in
    FROM)
        [ "${2%% *}" = debian:bookworm-slim ]
        count=$((count + 1))
        case $2 in
        *' AS '*) open_stage "${2##* AS }" ;;
        *) open_stage "stage$count" ;;
        esac
        ;;
    WORKDIR) workdir=$2; mkdir -p "$stage$2" ;;
    COPY) read -ra list <<<"$2"; copy "${list[@]}" ;;
    RUN) in_stage /bin/sh -c "$2" ;;
    USER) user=$2:$2 ;;
    EXPOSE) say "port $2" ;;
    STOPSIGNAL) signal=${2#SIG} ;;
    HEALTHCHECK) health=$(words "${2#*CMD }") ;;
    CMD) cmd=$(words "$2") ;;
    *) say "unknown step: $1"; exit 1 ;;
    esac
}

[ -n "$base" ] || make_base
make_context
while read -r keyword rest; do
    case $keyword in '' | '#'*) continue ;; esac
    say "$keyword $rest"
    began=$SECONDS
    follow "$keyword" "$rest" >"$work/step.log" 2>&1 || {
        cat "$work/step.log"
        exit 1
    }
    say "  $((SECONDS - began)) s"
done <"$top/Dockerfile"

mapfile -t command <<<"$cmd"
mapfile -t probe <<<"$health"
size=$(du -sm --one-file-system "$stage" | cut -f1)
bare=$(tar -tvf "$base" | awk '{ n += $3 } END { print int(n / 1048576) }')
say "the final root is $size MB on disk, $bare MB of it the base"

enter "${command[@]}" >"$work/daemon.log" 2>&1 &
daemon=$!
healthy=no
for _ in $(seq 50); do
    if in_stage "${probe[@]}" >/dev/null 2>&1; then
        healthy=yes
        break
    fi
    kill -0 "$daemon" 2>/dev/null || break
    sleep 0.1
done
kill -"$signal" "$daemon" 2>/dev/null || true
status=0
wait "$daemon" || status=$?
sed 's/^/  | /' "$work/daemon.log"
say "healthy: $healthy, exit status after SIG$signal: $status"
[ "$healthy" = yes ] && [ "$status" -eq 0 ]
