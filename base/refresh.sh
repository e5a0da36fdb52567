#!/bin/bash
# Write patches/ anew from the commits of build/tree. What has not changed keeps
# its bytes: nothing of the git that writes, its settings or the day is in them.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=base/series.sh
. "$top/base/series.sh"

[ -d "$tree/.git" ] || die "there is no build/tree to take patches from: make tree"
for state in rebase-apply rebase-merge MERGE_HEAD CHERRY_PICK_HEAD; do
	[ ! -e "$tree/.git/$state" ] || die "$tree has a git operation half way ($state): end it first"
done
[ -z "$(tree_git status --porcelain)" ] ||
	die "$tree has changes that are in no commit; commit them first:
$(tree_git status --short | head -n 10)"
tree_git merge-base --is-ancestor base HEAD || die "HEAD of $tree does not descend from the tag base: the series would be lost"
[ -z "$(tree_git rev-list --min-parents=2 base..HEAD)" ] || die "$tree has a merge after base, and a series has none: rebase it"
squash=$(tree_git log --format='%h %s' -E --grep='^(fixup|squash|amend)!' base..HEAD)
[ -z "$squash" ] || die "$tree has fixups that are not folded in (git rebase -i --autosquash base):
$squash"

# Patches that came another way (a pull, an editor) since the tree was made
# would be lost.
[ ! -f "$top/patches/series" ] || [ "$(series_sums)" = "$(cut -d' ' -f1 "$tree/.git/perf-sigtrap/applied")" ] ||
	die "patches/ is not what build/tree was made from: it has changed since the last make tree or make refresh.
  To keep what patches/ has, remove build/tree (or move its commits aside) and run make tree;
  to overwrite it with build/tree's commits, remove patches/series and run make refresh again."

new=$(mktemp -d "$build/patches.XXXXXX")
trap 'rm -rf "$new"' EXIT
mkdir -p "$top/patches"
# Object names by 12 digits, as the kernel's do; more if git finds them
# ambiguous would depend on the base's history, so they are cut.
tree_git -c core.quotePath=true format-patch -q -o "$new" --no-cover-letter --no-signature --no-attach \
	--no-thread --no-base --no-notes --zero-commit --full-index -N --subject-prefix=PATCH \
	--diff-algorithm=myers -U3 --no-renames --stat=72 --summary --src-prefix=a/ --dst-prefix=b/ \
	--no-ext-diff --no-textconv --no-color base..HEAD
(cd "$new" && find . -name '*.patch' -printf '%f\n' | sort) >"$new/series"

: >"$new/applied"
mapfile -t commits < <(tree_git rev-list --reverse base..HEAD)
n=0
while IFS= read -r name; do
	echo "$(sha256sum <"$new/$name" | cut -d' ' -f1) ${commits[n++]}" >>"$new/applied"
done <"$new/series"

# One that is as it was is not written, one that the series has no more goes.
changed=0
for old in "$top"/patches/[0-9][0-9][0-9][0-9]-*.patch; do
	[ -e "$old" ] && [ ! -e "$new/${old##*/}" ] || continue
	rm "$old"
	changed=$((changed + 1))
done
while IFS= read -r name; do
	cmp -s "$new/$name" "$top/patches/$name" && continue
	mv "$new/$name" "$top/patches/$name"
	changed=$((changed + 1))
done < <(cat "$new/series" && echo series)
mv "$new/applied" "$tree/.git/perf-sigtrap/applied"
say "patches/: ${#commits[@]} in the series, $changed files changed"
