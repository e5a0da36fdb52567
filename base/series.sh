# shellcheck shell=bash disable=SC2154 # lib.sh sets them
# Sourced after lib.sh: the series as files (patches/) and as commits (build/tree).

# The patches by name, in their order; the series file is quilt's format.
series_names() {
	[ -f "$top/patches/series" ] || return 0
	sed 's/[[:space:]]*#.*//; s/[[:space:]]*$//; /^$/d' "$top/patches/series"
}

# Their checksums, one a line.
series_sums() {
	local name
	while IFS= read -r name; do
		[ -f "$top/patches/$name" ] || die "patches/series names $name, which patches/ does not have"
		sha256sum <"$top/patches/$name" | cut -d' ' -f1
	done < <(series_names)
}

# The files that a patch touches, on both sides of a rename.
series_files() {
	plain_git apply --numstat -z "$1" | tr '\0' '\n' | sed 's/^[0-9-]*\t[0-9-]*\t//; /^$/d'
}

tree_git() { plain_git -C "$tree" "$@"; }

# git am with nothing of the person or the day in it: the same patches give the
# same commits everywhere.
series_am() { # TREE PATCH
	GIT_COMMITTER_NAME=perf-sigtrap GIT_COMMITTER_EMAIL=perf-sigtrap@localhost \
		plain_git -C "$1" am -q --committer-date-is-author-date --no-gpg-sign \
		--no-3way --keep-non-patch "$2"
}

# What the tree holds that patches/ does not: changed files, then commits.
tree_work() {
	local last
	tree_git status --porcelain
	for last in rebase-apply rebase-merge MERGE_HEAD CHERRY_PICK_HEAD BISECT_START; do
		[ ! -e "$tree/.git/$last" ] || echo "$last: an operation of git's is half way"
	done
	last=$(tail -n1 "$tree/.git/perf-sigtrap/applied" | cut -d' ' -f2)
	[ -n "$last" ] || last=$(tree_git rev-parse base)
	[ "$(tree_git rev-parse HEAD)" = "$last" ] || {
		echo "HEAD is $(tree_git log -1 --format='%h %s'), which is not what make tree or make refresh left"
		tree_git log --format='%h %s' "$last..HEAD"
	}
}

tree_is_saved() {
	local work
	[ -d "$tree/.git" ] || return 0
	work=$(tree_work)
	[ -z "$work" ] || die "$tree holds work that is not in patches/:
$(head -n 10 <<<"$work")
  Commit it and run 'make refresh' to keep it, or remove the folder to lose it."
}
