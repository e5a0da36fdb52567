#!/bin/bash
# Make build/tree with the base kernel as its one commit: base/unpack.sh NAME
# Out of LINUX_SRC (tarball or tree, read only) if set, else of Debian's package.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/lib.sh"

name=$1
new=$build/tree.new
rm -rf "$new"
mkdir "$new"
trap 'rm -rf "$new"' EXIT

# Whatever packs it: the one folder at its top goes.
untar() { tar -xv --strip-components=1 --no-same-owner -C "$new" "$@"; }

if [ -z "${LINUX_SRC:-}" ]; then
	# shellcheck source=base/pin
	. "$top/base/pin"
	deb=$("$top/base/fetch.sh")
	dpkg-deb --fsys-tarfile "$deb" | tar -xO "./usr/src/$package.tar.xz" |
		xz -dc -T0 | untar | progress "unpacking, files" "$files"
	version=${deb##*/"${package}_"}
	name="$package ${version%_all.deb}"
elif [ -d "$LINUX_SRC" ]; then
	[ -f "$LINUX_SRC/Kbuild" ] || die "LINUX_SRC=$LINUX_SRC is no kernel tree: it has no Kbuild"
	if [ -e "$LINUX_SRC/.git" ]; then
		plain_git -C "$LINUX_SRC" ls-files -z | while IFS= read -rd '' file; do
			[ ! -e "$LINUX_SRC/$file" ] && [ ! -L "$LINUX_SRC/$file" ] || printf '%s\0' "$file"
		done | tar -c -C "$LINUX_SRC" --null -T - | tar -xv -C "$new" | progress "copying, files"
	else
		tar -c -C "$LINUX_SRC" . | tar -xv -C "$new" | progress "copying, files"
		# The kernel's own: nothing of a build may get into the base.
		[ ! -e "$new/.config" ] && [ ! -e "$new/include/config" ] ||
			make -s -C "$new" mrproper >"$logs/unpack.log" 2>&1
	fi
else
	untar -af "$LINUX_SRC" | progress "unpacking, files" ||
		die "LINUX_SRC=$LINUX_SRC is no tarball that tar can read: give a 5.10 kernel, tarball or tree"
fi
[ -f "$new/Kbuild" ] && [ -f "$new/Makefile" ] || die "${LINUX_SRC:+LINUX_SRC=}${LINUX_SRC:-$name} is no kernel: it has no Kbuild at its top"
found=$(sed -n 's/^\(VERSION\|PATCHLEVEL\|SUBLEVEL\) = //p' "$new/Makefile" | paste -sd.)
[[ $found == 5.10.* ]] || die "${LINUX_SRC:-$name} is Linux $found: the series is for 5.10"

# One pack instead of 75000 files: what the threshold is for, taken to its end.
cd "$new"
plain_git init -q -b series
# What a hunk's header tells depends on this, so it is not left to the source.
printf '%s\n' '*.[ch] diff=cpp' >.git/info/attributes
plain_git -c core.bigFileThreshold=1 -c core.compression=1 add -Afv . | progress "committing, files" "${files:-}"
GIT_AUTHOR_NAME=perf-sigtrap GIT_AUTHOR_EMAIL=perf-sigtrap@localhost GIT_AUTHOR_DATE='2020-12-13T22:41:30Z' \
	GIT_COMMITTER_NAME=perf-sigtrap GIT_COMMITTER_EMAIL=perf-sigtrap@localhost GIT_COMMITTER_DATE='2020-12-13T22:41:30Z' \
	plain_git commit -q --no-gpg-sign -m "${name/LINUX_SRC=*/Linux $found}"
plain_git tag base
mkdir .git/perf-sigtrap
echo "$1" >.git/perf-sigtrap/base
: >.git/perf-sigtrap/applied
cd "$build"
mv "$new" "$tree"
