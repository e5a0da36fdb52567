#!/bin/bash
# build/tree: the base kernel as one commit and each patch of the series as one
# on top. Never touches a tree that holds work which is not in patches/.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=base/series.sh
. "$top/base/series.sh"

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

# Where the tree and patches/ part: patches up to there keep their commits.
mapfile -t names < <(series_names)
applied=$tree/.git/perf-sigtrap/applied
onto=$(tree_git rev-parse base)
now=()
same=yes
: >"$build/tree.applied"
for name in "${names[@]}"; do
	[ -f "$top/patches/$name" ] || die "patches/series names $name, which patches/ does not have"
	sum=$(sha256sum <"$top/patches/$name" | cut -d' ' -f1)
	if [ $same = yes ] && read -r was commit < <(sed -n "$((${#now[@]} + 1))p" "$applied") && [ "$was" = "$sum" ]; then
		onto=$commit
		echo "$sum $commit" >>"$build/tree.applied"
	else
		same=no
	fi
	now+=("$sum")
done
kept=$(wc -l <"$build/tree.applied")
if [ "$kept" = ${#names[@]} ] && [ "$kept" = "$(wc -l <"$applied")" ]; then
	rm "$build/tree.applied"
	[ -z "$(tree_work)" ] || say "build/tree holds work that is not in patches/: it is used as it is"
	say "build/tree: $(tree_git log -1 --format=%s base), ${#names[@]} patches, up to date"
	exit
fi
tree_is_saved

# In a second worktree, with the files that the patches touch and no other: a
# patch that fails leaves build/tree as it is, and one that changes nothing
# leaves every file's time, so that make compiles only what has changed.
side=$build/tree.side
drop_side() {
	rm -rf "$side"
	tree_git worktree prune
}
drop_side
trap drop_side EXIT
tree_git worktree add -q --no-checkout --detach "$side" "$onto"
for name in "${names[@]:kept}"; do
	series_files "$top/patches/$name"
done | sed 's,^,/,' | sort -u >"$build/tree.files"
tree_git -C "$side" sparse-checkout set --no-cone --stdin <"$build/tree.files"
tree_git -C "$side" checkout -q --detach
for name in "${names[@]:kept}"; do
	series_am "$side" "$top/patches/$name" >"$logs/tree.log" 2>&1 || {
		cat "$logs/tree.log" >&2
		die "patches/$name does not apply to $(tree_git log -1 --format=%s base); build/tree is as it was"
	}
	echo "${now[kept]} $(tree_git -C "$side" rev-parse HEAD)" >>"$build/tree.applied"
	kept=$((kept + 1))
done
tree_git reset -q --hard "$(tree_git -C "$side" rev-parse HEAD)"
mv "$build/tree.applied" "$applied"
rm -f "$build/tree.files"
say "build/tree: $(tree_git log -1 --format=%s base), ${#names[@]} patches"
