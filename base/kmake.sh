#!/bin/bash
# make in the kernel's tree, for ARCH, into a folder: base/kmake.sh OUT TARGET...
# Through ccache, and with nothing of the place, day or person in what is built,
# so that a clone elsewhere finds its objects in the cache.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/lib.sh"

dir=$1
shift
case $ARCH in
x86_64 | i386) cross= ;;
arm64) cross=aarch64-linux-gnu- ;;
arm) cross=arm-linux-gnueabi- ;;
m68k | sparc64) cross=$ARCH-linux-gnu- ;;
powerpc) cross=powerpc64le-linux-gnu- ;;
*) die "ARCH=$ARCH: no compiler is known here" ;;
esac
[ "$ARCH" != "$(uname -m)" ] || cross=

export CCACHE_DIR=$cache/ccache CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-3G}
export CCACHE_BASEDIR=$build CCACHE_NOHASHDIR=1 CCACHE_COMPILERCHECK='%compiler% -v'
export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970' KBUILD_BUILD_USER=perf-sigtrap KBUILD_BUILD_HOST=localhost
unset MAKEFLAGS MAKELEVEL MFLAGS
# LOCALVERSION= (set, and empty): no "+" for a tree whose commit has no tag.
exec make -C "$tree" O="$dir" ARCH="$ARCH" CROSS_COMPILE="$cross" LOCALVERSION= \
	CC="ccache ${cross}gcc" HOSTCC="ccache gcc" KBUILD_BUILD_VERSION=1 -j"${JOBS:-$(nproc)}" "$@"
