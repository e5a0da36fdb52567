# shellcheck shell=bash disable=SC2034 # what is set here is for who sources it
# Sourced by every script: where things live, and how to speak to the reader.
set -euo pipefail
export LC_ALL=C

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cache=${PERF_SIGTRAP_CACHE:-${XDG_CACHE_HOME:-${HOME:?set HOME or PERF_SIGTRAP_CACHE}/.cache}/perf-sigtrap}
[[ $cache == /* ]] || cache=$PWD/$cache
export PERF_SIGTRAP_CACHE=$cache

say() { printf '%s\n' "$*" >&2; }
warn() { say "warning: $*"; }
die() {
	say "error: $*"
	exit 1
}

# All that is derived goes here. The kernel's make takes no source path with a
# space or a colon: a clone at such a place gets its build in the cache, with
# build/ a link to it.
build=$top/build
case $top in
*[[:space:]:]*)
	build=$cache/clones/$(printf %s "$top" | sha256sum | cut -c1-16)
	case $build in
	*[[:space:]:]*) die "the cache path '$cache' has a space or colon, and so has the clone's, which the kernel's make refuses: set PERF_SIGTRAP_CACHE to a folder without" ;;
	esac
	if [ "$(readlink "$top/build" 2>/dev/null)" != "$build" ]; then
		[ -L "$top/build" ] || [ ! -e "$top/build" ] || die "$top/build is in the way of a link to $build: remove it"
		say "the clone's path has a space or colon: building in $build"
	fi
	mkdir -p "$build"
	ln -sfn "$build" "$top/build"
	;;
*)
	# A clone moved here from such a place leaves its link behind.
	[ ! -L "$build" ] || rm "$build"
	mkdir -p "$build"
	;;
esac
# KTREE and KOUT: for the checks and mutants, which build the same elsewhere.
tree=${KTREE:-$build/tree}
logs=$build/log
mkdir -p "$logs"

ARCH=${ARCH:-x86_64}
FLAVOUR=${FLAVOUR:-}
[ -z "$FLAVOUR" ] || [ -f "$top/base/$FLAVOUR.config" ] ||
	die "FLAVOUR=$FLAVOUR has no base/$FLAVOUR.config: leave it empty, or take debug or kcsan"
out=${KOUT:-$build/$ARCH${FLAVOUR:+-$FLAVOUR}}

# Of two commands at once, in two terminals say, one waits until the other has
# done with the folder that they both build in.
alone() { # FOLDER
	local lock
	mkdir -p "$1"
	exec {lock}<"$1"
	flock -n "$lock" || {
		say "another command is at work in $1: waiting for it"
		flock "$lock"
	}
}

build_failed() { # LOG PATTERN
	say "the build failed; first errors:"
	{ grep -E -m 8 "$2" "$1" || :; } | sed 's/^/  /' >&2
	die "the whole log is $1"
}

# progress WHAT [TOTAL] < lines: counts the lines; a line that moves on a
# terminal, one every 20 seconds elsewhere.
progress() {
	local what=$1 total=${2:-} n=0 shown=$SECONDS step=20
	[ ! -t 2 ] || step=1
	while read -r _; do
		n=$((n + 1))
		[ "$SECONDS" -ge $((shown + step)) ] || continue
		shown=$SECONDS
		progress_show "$what" "$n" "$total"
	done
	[ ! -t 2 ] || printf '\r\033[K' >&2
}

progress_show() {
	local text="$1: $2${3:+ of $3}"
	if [ -t 2 ]; then printf '\r\033[K%s' "$text" >&2; else say "$text"; fi
}

# Git as it is for everybody: no setting of the user's changes a patch or a hash.
plain_git() {
	GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 \
		git -c safe.directory='*' -c core.hooksPath=/dev/null -c gc.auto=0 "$@"
}
