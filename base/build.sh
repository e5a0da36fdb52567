#!/bin/bash
# Build the guest's kernel for ARCH and FLAVOUR in build/ARCH[-FLAVOUR]. Or that
# of KTREE in KOUT, with the fragment KFRAGMENT merged last.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=base/series.sh
. "$top/base/series.sh"

[ -f "$top/base/$ARCH.config" ] || die "ARCH=$ARCH has no guest here: take x86_64 or arm64"
alone "$out"
"$top/base/config.sh" "$out" "$top/base/base.config" "$top/base/$ARCH.config" \
	${FLAVOUR:+"$top/base/$FLAVOUR.config"} ${KFRAGMENT:+"$KFRAGMENT"}

# Where the compiler need not be asked: the same commit, configuration and
# compiler as last time, and nothing edited since. A tree that is no repository
# is one that nobody edits, and its path tells its version.
commit=$tree
[ ! -e "$tree/.git" ] || commit=$(tree_git rev-parse HEAD)
state=$(echo "$commit" && sha256sum <"$out/.config" && gcc --version)
edited=
[ ! -e "$tree/.git" ] || edited=$(tree_git status --porcelain)
if [ -f "$out/built" ] && [ "$(cat "$out/built")" = "$state" ] && [ -z "$edited" ]; then
	exit
fi
rm -f "$out/built"

log=$logs/build-${out##*/}.log
# How many objects a full build has is known from the last one, here or (for a
# first one) where base/objects was written. Of an incremental build it is not
# known beforehand, so it is not said.
total=
[ -f "$out/vmlinux" ] || total=$(awk -v k="${out##*/}" '$1 == k {print $2}' "$top/base/objects")
say "building the kernel (${out##*/}); the log is $log"
start=$SECONDS
set +e
"$top/base/kmake.sh" "$out" all 2>&1 </dev/null | tee "$log" |
	grep --line-buffered -E '^  (HOSTCC|HOSTLD|CC|AS|AR|LD|VDSO|VDSO2C) ' | progress "compiling, objects" "$total"
status=("${PIPESTATUS[@]}")
set -e
[ "${status[0]}" = 0 ] || build_failed "$log" '(error|undefined reference|Error [0-9]+)'
count=$(grep -cE '^  (HOSTCC|HOSTLD|CC|AS|AR|LD|VDSO|VDSO2C) ' "$log" || :)
say "built in $((SECONDS - start)) s, objects compiled: $count"
# Not for an edited tree: if the edit is undone, the commit is the same, but the
# kernel still has the edit.
[ -n "$edited" ] || echo "$state" >"$out/built"
