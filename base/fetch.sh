#!/bin/bash
# Print the path of the base kernel's .deb: out of the cache if it is there and
# whole, else through apt.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=base/pin
. "$top/base/pin"

whole() { # FILE SHA256
	[ -f "$1" ] || return 1
	[ "$(sha256sum <"$1")" = "$2  -" ] || {
		warn "$1 is damaged (its SHA-256 is not $2): fetching it again"
		return 1
	}
}

# What else this cache has been filled with, should the pinned version be gone:
# a .deb and beside it the checksum that apt gave for it.
other() {
	local sum
	for sum in "$cache/$package"_*.deb.sha256; do
		[ -f "$sum" ] && whole "${sum%.sha256}" "$(cat "$sum")" || continue
		warn "$package $version is not to be had: taking ${sum##*/} from the cache instead"
		echo "${sum%.sha256}"
		exit
	done
}

mkdir -p "$cache"
deb=$cache/${package}_${version}_all.deb
if whole "$deb" "$sha256"; then
	echo "$deb"
	exit
fi

log=$logs/fetch.log
if ! "$top/base/apt.sh" apt-get update >"$log" 2>&1; then
	other
	die "no base kernel: $package $version is not in $cache and the Debian mirror does not answer (see $log).
  Go on line once, or set LINUX_SRC= to a 5.10 kernel of your own (tarball or tree),
  or PERF_SIGTRAP_CACHE= to a folder that has ${deb##*/}."
fi

available=$("$top/base/apt.sh" apt-cache show "$package" |
	awk '/^Version:/ {v = $2} /^Size:/ {s = $2} /^SHA256:/ {h = $2} /^$/ {print v, s, h} END {print v, s, h}')
if ! found=$(grep -m1 "^$version " <<<"$available"); then
	other
	# apt lists the newest first.
	found=$(grep -m1 '^5\.10\.' <<<"$available") ||
		die "Debian's $suite has no $package any more: set LINUX_SRC= to a 5.10 kernel, tarball or tree"
	warn "$package $version is gone from Debian's $suite: taking ${found%% *} instead"
fi
read -r version size sum <<<"$found"
deb=$cache/${package}_${version}_all.deb

# Into a folder of its own beside the place where it goes, so that nothing that
# is half there ever has the right name.
tmp=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
(cd "$tmp" && exec "$top/base/apt.sh" apt-get download "$package=$version") >>"$log" 2>&1 &
apt=$!
trap 'kill $apt 2>/dev/null || :; rm -rf "$tmp"' EXIT
while kill -0 $apt 2>/dev/null; do
	progress_show "downloading $package $version, MB" \
		$(($(du -sb "$tmp" | cut -f1) / 1000000)) $((size / 1000000))
	for _ in 1 2 3 4 5; do
		kill -0 $apt 2>/dev/null && sleep 0.3
	done
done
[ ! -t 2 ] || printf '\r\033[K' >&2
wait $apt || die "the download of $package $version failed: see $log"
whole "$tmp/${deb##*/}" "$sum" || die "$package $version came with another checksum than it should have: see $log"
[ "$sum" = "$sha256" ] || echo "$sum" >"$deb.sha256"
mv "$tmp/${deb##*/}" "$deb"
echo "$deb"
