#!/bin/bash
# Apply the series to a kernel tree of the user's: TREE=path base/apply.sh
# All of it is tried first, on copies of the files that it touches. In a git
# tree it becomes commits, in any other it just changes the files.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=base/series.sh
. "$top/base/series.sh"

[ -n "${TREE:-}" ] || die "TREE is not set: make apply TREE=path, where path is a 5.10 kernel tree"
[ -d "$TREE" ] || die "TREE=$TREE is no folder: give the path of a 5.10 kernel tree"
TREE=$(cd "$TREE" && pwd -P)
[ -f "$TREE/Kbuild" ] && [ -f "$TREE/kernel/signal.c" ] ||
	die "TREE=$TREE is no kernel tree: it has no Kbuild and kernel/signal.c"
[ -w "$TREE" ] || die "TREE=$TREE cannot be written to"
sums=$(series_sums)
mapfile -t names < <(series_names)
[ -n "$sums" ] || die "patches/series is empty: there is nothing to apply"

git=no
if [ "$(git -C "$TREE" rev-parse --show-toplevel 2>/dev/null)" = "$TREE" ]; then
	git=yes
	[ -z "$(git -C "$TREE" status --porcelain --untracked-files=no)" ] ||
		die "TREE=$TREE has changes that are in no commit: commit or stash them first"
	[ ! -e "$(git -C "$TREE" rev-parse --git-path rebase-apply)" ] ||
		die "TREE=$TREE has a git am or rebase half way: end it first"
	git -C "$TREE" var GIT_COMMITTER_IDENT >/dev/null 2>&1 ||
		die "git does not know who commits to $TREE: set user.name and user.email"
fi

try=$(mktemp -d "$build/apply.XXXXXX")
trap 'rm -rf "$try"' EXIT
mkdir "$try/tree"
# Its own repository, so that git apply takes no other for its ground.
plain_git init -q "$try/tree"
for name in "${names[@]}"; do series_files "$top/patches/$name"; done | sort -u >"$try/files"
while IFS= read -r file; do
	[ ! -e "$TREE/$file" ] || (cd "$TREE" && cp -p --parents "./$file" "$try/tree/")
done <"$try/files"

for name in "${names[@]}"; do
	plain_git -C "$try/tree" apply --check "$top/patches/$name" 2>"$try/errors" || {
		say "error: patches/$name does not apply to $TREE, of which nothing has been changed:"
		# --reject goes on where --check stops, and tells hunk by hunk.
		plain_git -C "$try/tree" apply --reject --verbose "$top/patches/$name" >"$try/rejects" 2>&1 || :
		awk '/^error: patch failed: / {split($4, at, ":"); line[++n] = at[2]}
			/^Applying patch / {file = $3; sub(/\.\.\.$/, "", file)}
			/^Rejected hunk/ {gsub(/[#.]/, "", $3); print "  " file ": hunk " $3 ", at line " line[++k]}
			/^error: / && !/patch failed|does not apply|while searching/ {sub(/^error: /, ""); print "  " $0}' "$try/rejects" >&2
		# A later patch may have changed what this one added.
		for there in "$name" "${names[-1]}"; do
			plain_git -C "$try/tree" apply --check -R "$top/patches/$there" 2>/dev/null || continue
			say "  patches/$there is in that tree already."
			break
		done
		exit 1
	}
	plain_git -C "$try/tree" apply "$top/patches/$name" 2>/dev/null
done

if [ $git = yes ]; then
	git -C "$TREE" am -q "${names[@]/#/$top/patches/}" >"$logs/apply.log" 2>&1 || {
		git -C "$TREE" am --abort
		die "git am failed in $TREE, and has been undone: see $logs/apply.log"
	}
	say "$TREE: ${#names[@]} patches applied, as commits"
else
	while IFS= read -r file; do
		if [ -e "$try/tree/$file" ]; then
			mkdir -p "$TREE/$(dirname "$file")"
			cmp -s "$try/tree/$file" "$TREE/$file" || cp "$try/tree/$file" "$TREE/$file"
		else
			rm -f "$TREE/$file"
		fi
	done <"$try/files"
	say "$TREE: ${#names[@]} patches applied"
fi
