#!/bin/sh
# SPDX-License-Identifier: MIT
# From a clean checkout to a configured tree: installs what the build lacks
# (Debian packages), generates configure and runs it. Does nothing when
# nothing changed, so it may be called before every make. It never removes or
# upgrades a package, and never asks.
set -eu

usage() {
    cat <<'END'
usage: ./autogen.sh [--no-install] [--no-configure] [CONFIGURE OPTION...]
       ./autogen.sh --tests-only | --bench-only | --packages-only
                    [--no-install]

  --no-install     install no package
  --no-configure   generate configure, do not run it (to build elsewhere)
  --packages-only  only install what the build needs
  --tests-only     only install what the tests need (make check calls this)
  --bench-only     only install what `make bench` compares and looks with
  --help           this text; ./configure --help=short for its options
END
}

install=yes configure=yes want=build
while [ $# -gt 0 ]; do
    case $1 in
    --no-install) install=no ;;
    --no-configure) configure=no ;;
    --packages-only) want=packages ;;
    --tests-only) want=tests ;;
    --bench-only) want=bench ;;
    --help) usage; exit 0 ;;
    *) break ;;
    esac
    shift
done

cd "$(dirname "$0")"

missing=
have() { command -v "$1" >/dev/null 2>&1; }
need_command() { # COMMAND PACKAGE
    have "$1" || missing="$missing $2"
}
need_module() { # PKG-CONFIG-MODULE PACKAGE
    { have pkg-config && pkg-config --exists "$1"; } || missing="$missing $2"
}

# libwebsockets loads its libuv support at run time, by name.
need_lws_uv() {
    for dir in /usr/lib /usr/lib/*-linux-gnu* /usr/lib64 /usr/local/lib; do
        for so in "$dir"/libwebsockets-evlib_uv.so*; do
            [ -e "$so" ] && return
        done
    done
    missing="$missing libwebsockets-evlib-uv"
}

look_for_build_needs() {
    need_command gcc "gcc libc6-dev"
    need_command make make
    need_command autoconf autoconf
    need_command automake automake
    need_command pkg-config pkgconf
    need_module libuv libuv1-dev
    need_module libwebsockets libwebsockets-dev
    need_module libmicrohttpd libmicrohttpd-dev
    need_module inih libinih-dev
    need_module zlib zlib1g-dev
    need_module nettle nettle-dev
    need_module check check
    need_lws_uv
}

# Node may have come from elsewhere: what counts is the command.
look_for_test_needs() {
    need_command node nodejs
    need_command npm npm
    need_command chromium chromium
    need_command mandoc mandoc
    need_command shellcheck shellcheck
    need_command openssl openssl
    need_program nginx nginx
    need_program haproxy haproxy
    need_program apache2 apache2-bin
    need_program caddy caddy
    need_program squid squid
}

# Proxies: the tests start them themselves.
need_program() { # PROGRAM PACKAGE
    for dir in /usr/sbin /usr/bin /usr/local/sbin /usr/local/bin; do
        [ -x "$dir/$1" ] && return
    done
    missing="$missing $2"
}

# What roomd is measured beside, and the profilers.
look_for_bench_needs() {
    need_command node nodejs
    need_command nginx nginx-light
    [ -e /usr/lib/nginx/modules/ngx_nchan_module.so ] ||
        missing="$missing libnginx-mod-nchan"
    need_command perf linux-perf
    need_command valgrind valgrind
    [ -n "$(find /usr/lib -name libjemalloc.so.2)" ] ||
        missing="$missing libjemalloc2"
    [ -n "$(find /usr/lib -name libmimalloc.so.2)" ] ||
        missing="$missing libmimalloc2.0"
}

# Quiet when it works, everything apt said when it does not.
apt() {
    said=$(mktemp)
    if DEBIAN_FRONTEND=noninteractive apt-get -q "$@" >"$said" 2>&1 </dev/null
    then
        rm -f "$said"
        return 0
    fi
    cat "$said" >&2
    rm -f "$said"
    return 1
}

# Debian starts a service as it is installed, unless this program says no.
# Ours are for tests, which start what they need by themselves.
policy=/usr/sbin/policy-rc.d
no_services() {
    [ -e $policy ] && return
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
    trap 'rm -f $policy' EXIT
}

apt_install() {
    apt install -y --no-install-recommends "$@"
}

have_package_lists() {
    for list in /var/lib/apt/lists/*_Packages*; do
        [ -e "$list" ] && return 0
    done
    return 1
}

install_missing() {
    [ -n "$missing" ] || return 0
    # shellcheck disable=SC2086  # a list of words
    set -- $missing
    say="apt-get update && apt-get install -y --no-install-recommends $*"
    if [ "$install" = no ]; then
        echo "autogen.sh: missing, and not installed as asked: $*" >&2
        return 0
    fi
    if ! have apt-get; then
        echo "autogen.sh: this is not Debian; please install: $*" >&2
        exit 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        echo "autogen.sh: some packages are missing. As root, run:" >&2
        echo "  $say" >&2
        exit 1
    fi
    echo "autogen.sh: installing $*"
    no_services
    have_package_lists || apt update
    # Lists of long ago name versions that the mirror no longer has.
    apt_install "$@" 2>/dev/null || { apt update && apt_install "$@"; }
}

# True when $1 is missing or older than any of the other files.
older_than() {
    target=$1
    shift
    [ -e "$target" ] || return 0
    for source in "$@"; do
        [ -z "$(find "$source" -newer "$target")" ] || return 0
    done
    return 1
}

generate() {
    fragments=$(find src tests -name local.mk -not -path '*/node_modules/*')
    # shellcheck disable=SC2086  # a list of file names without spaces
    if older_than configure configure.ac ||
        older_than Makefile.in configure.ac Makefile.am $fragments; then
        echo "autogen.sh: generating configure"
        autoreconf --force --install
        # autoreconf leaves unchanged files alone, and their dates with them
        touch aclocal.m4
        touch configure Makefile.in
    fi
}

if [ "$want" = tests ]; then
    look_for_test_needs
    install_missing
    exit 0
fi

if [ "$want" = bench ]; then
    look_for_bench_needs
    # runlevel 1: nginx is not started as a service
    RUNLEVEL=1
    export RUNLEVEL
    install_missing
    exit 0
fi

look_for_build_needs
install_missing
[ "$want" = build ] || exit 0
generate
[ "$configure" = yes ] || exit 0
if [ $# -gt 0 ] || older_than config.status configure; then
    ./configure "$@"
fi
