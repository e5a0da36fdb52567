#!/bin/bash
# build/tree: the base kernel as one commit and each patch of the series as one
# on top. Never touches a tree that holds work which is not in patches/.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=base/series.sh
. "$top/base/series.sh"
alone "$build"

if [ -n "${LINUX_SRC:-}" ]; then
	[ -e "$LINUX_SRC" ] || die "LINUX_SRC=$LINUX_SRC does not exist: give a 5.10 kernel, tarball or tree"
	LINUX_SRC=$(realpath "$LINUX_SRC")
	id="LINUX_SRC=$LINUX_SRC"
else
	# shellcheck source=base/pin
	. "$top/base/pin"
	id="$package $version"
fi

# Another base than the tree was made from. A tree made with LINUX_SRC stays
# until it is cleaned away, so that one need not say it at each command.
if [ -d "$tree/.git" ]; then
	made=$(cat "$tree/.git/perf-sigtrap/base")
	if [ "$made" != "$id" ] && { [ -n "${LINUX_SRC:-}" ] || [[ $made != LINUX_SRC=* ]]; }; then
		tree_is_saved
		say "build/tree was made from $made: making it again from $id"
		rm -rf "$tree"
	fi
fi
[ -d "$tree/.git" ] || "$top/base/unpack.sh" "$id"

# What is only needed on the way, and the second worktree (see below).
side=$build/tree.side
tidy() {
	rm -rf "$side" "$build"/tree.{applied,files}
	tree_git worktree prune
}
tidy
trap tidy EXIT

# Where the tree and patches/ part: patches up to there keep their commits.
mapfile -t names < <(series_names)
sums=$(series_sums)
mapfile -t sums <<<"$sums"
applied=$tree/.git/perf-sigtrap/applied
onto=$(tree_git rev-parse base)
kept=0
: >"$build/tree.applied"
while read -r sum commit && [ "$sum" = "${sums[kept]:-}" ]; do
	onto=$commit
	echo "$sum $commit" >>"$build/tree.applied"
	kept=$((kept + 1))
done <"$applied"
if [ "$kept" = ${#names[@]} ] && [ "$kept" = "$(wc -l <"$applied")" ]; then
	[ -z "$(tree_work)" ] || say "build/tree holds work that is not in patches/: it is used as it is"
	say "build/tree: $(tree_git log -1 --format=%s base), ${#names[@]} patches, up to date"
	exit
fi
tree_is_saved

# In a second worktree, with the files that the patches touch and no other: a
# patch that fails leaves build/tree as it is, and one that changes nothing
# leaves every file's time, so that make compiles only what has changed.
tree_git worktree add -q --no-checkout --detach "$side" "$onto"
for name in "${names[@]:kept}"; do
	series_files "$top/patches/$name"
done | sed 's,^,/,' | sort -u >"$build/tree.files"
tree_git -C "$side" sparse-checkout set --no-cone --stdin <"$build/tree.files"
tree_git -C "$side" checkout -q --detach
for name in "${names[@]:kept}"; do
	series_am "$side" "$top/patches/$name" >"$logs/tree.log" 2>&1 || {
		grep '^error:' "$logs/tree.log" >&2 || cat "$logs/tree.log" >&2
		die "patches/$name does not apply to $(tree_git log -1 --format=%s base); build/tree is as it was"
	}
	echo "${sums[kept]} $(tree_git -C "$side" rev-parse HEAD)" >>"$build/tree.applied"
	kept=$((kept + 1))
done
new=$(tree_git -C "$side" rev-parse HEAD)
tree_git read-tree -m -u HEAD "$new"
tree_git update-ref -m 'make tree' HEAD "$new"
mv "$build/tree.applied" "$applied"
say "build/tree: $(tree_git log -1 --format=%s base), ${#names[@]} patches"
