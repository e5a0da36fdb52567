#!/bin/bash
# Build the kernels that make bench measures, in build/bench: the base, the base
# with the series, and mainline. Prints a line for each, by tabs:
#   NAME  OBJECT FOLDER  TREE  WHAT IT IS
# Where mainline is not to be had (or SKIP_MAINLINE=1), its folders are "-" and the
# reason is what it is.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/../base/lib.sh"
# shellcheck source=base/series.sh
. "$top/base/series.sh"
# shellcheck source=base/pin
. "$top/base/pin"

[ "$ARCH" = x86_64 ] || die "ARCH=$ARCH: the programs of bench/ are for x86_64"
[ -z "$FLAVOUR" ] || die "FLAVOUR=$FLAVOUR: what a debug kernel costs is not what make bench asks"
side=$build/bench
mkdir -p "$side"
export KFRAGMENT=$top/bench/bench.config

kernel() { # NAME TREE WHAT
	KTREE=$2 KOUT=$side/x86_64-$1 "$top/base/build.sh" >&2
	printf '%s\t%s\t%s\t%s\n' "$1" "$side/x86_64-$1" "$2" "$3"
}

# The base in a worktree of its own, made again when it is not (any more) one of
# build/tree's.
commit=$(tree_git rev-parse 'base^{commit}')
if [ "$(plain_git -C "$side/base" rev-parse HEAD 2>/dev/null)" != "$commit" ] || [ ! -e "$side/base/.git" ]; then
	rm -rf "$side/base"
	tree_git worktree prune
	say "checking out the base kernel in $side/base"
	tree_git worktree add -q --detach "$side/base" base >&2
fi
base=$(tree_git log -1 --format=%s base)
patches=$(tree_git rev-list --count base..HEAD)
[ -z "$(tree_git status --porcelain)" ] || patches+=", and changes in no commit"
kernel base "$side/base" "$base"
kernel series "$tree" "$base and the series' patches: $patches"

skip() {
	say "warning: mainline is not measured: $1"
	printf 'mainline\t-\t-\t%s\n' "$1"
	exit 0
}
[ "${SKIP_MAINLINE:-}" != 1 ] || skip "SKIP_MAINLINE=1"
deb=$("$top/base/fetch.sh" mainline) || skip "$mainline_package could not be had"
version=${deb##*/"${mainline_package}_"}
version=${version%_all.deb}
mainline=$side/${mainline_package}_$version
if [ ! -d "$mainline" ]; then
	new=$(mktemp -d "$side/unpack.XXXXXX")
	trap 'rm -rf "$new"' EXIT
	dpkg-deb --fsys-tarfile "$deb" | tar -xO "./usr/src/$mainline_package.tar.xz" | xz -dc -T0 |
		tar -xv --strip-components=1 --no-same-owner -C "$new" | progress "unpacking $mainline_package, files"
	mv "$new" "$mainline"
fi
export KMUST="CONFIG_SMP CONFIG_PERF_EVENTS CONFIG_BLK_DEV_INITRD CONFIG_VIRTIO_CONSOLE CONFIG_VIRTIO_PCI CONFIG_SERIAL_8250_CONSOLE
	CONFIG_FUTEX CONFIG_EPOLL CONFIG_BINFMT_ELF CONFIG_BINFMT_SCRIPT CONFIG_PROC_FS CONFIG_SYSFS CONFIG_TMPFS CONFIG_DEVTMPFS"
KMUST=$(tr -s '\n\t' '  ' <<<"$KMUST")
kernel mainline "$mainline" "$mainline_package $version"
