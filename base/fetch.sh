#!/bin/bash
# Print the path of the base kernel's .deb, of upstream's tarball, or of the .deb
# of mainline: out of the cache if it is there and whole, else through apt:
# base/fetch.sh [deb|orig|mainline]
# shellcheck source=base/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=base/pin
. "$top/base/pin"

series=5.10.
case ${1:-deb} in
mainline)
	package=$mainline_package version=$mainline_version sha256=$mainline_sha256
	suite=$mainline_suite series=${package#linux-source-}.
	export SUITE=$suite
	;;&
deb | mainline)
	file=${package}_${version}_all.deb
	get=(apt-get download "$package=$version")
	;;
orig)
	file=${orig_package}_${version%-*}.orig.tar.xz
	sha256=$orig_sha256
	get=(apt-get source --download-only --tar-only "$orig_package=$version")
	;;
esac

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
	[ "${1:-deb}" != orig ] || return 0
	for sum in "$cache/$package"_*.deb.sha256; do
		[ -f "$sum" ] && whole "${sum%.sha256}" "$(cat "$sum")" || continue
		warn "$package $version is not to be had: taking $(basename "${sum%.sha256}") from the cache instead"
		echo "${sum%.sha256}"
		exit
	done
}

mkdir -p "$cache"
if whole "$cache/$file" "$sha256"; then
	echo "$cache/$file"
	exit
fi

log=$logs/fetch.log
if ! "$top/base/apt.sh" apt-get update >"$log" 2>&1; then
	other "$@"
	[ "${1:-deb}" != mainline ] || die "no mainline kernel: $file is not in $cache and the Debian mirror does not answer (see $log)"
	die "no base kernel: $file is not in $cache and the Debian mirror does not answer (see $log).
  Go on line once, or set LINUX_SRC= to a 5.10 kernel of your own (tarball or tree),
  or PERF_SIGTRAP_CACHE= to a folder that has $file."
fi

# The newest first, as apt lists them.
available=$("$top/base/apt.sh" apt-cache show "$package" |
	awk '/^Version:/ {v = $2} /^SHA256:/ {print v, $2}')
if [ "${1:-deb}" != orig ] && ! grep -q "^$version " <<<"$available"; then
	other "$@"
	read -r found sha256 < <(grep "^${series//./\\.}" <<<"$available") || {
		[ "${1:-deb}" != mainline ] || die "Debian's $suite has no $package any more"
		die "Debian's $suite has no $package any more: set LINUX_SRC= to a 5.10 kernel, tarball or tree"
	}
	warn "$package $version is gone from Debian's $suite: taking $found instead"
	file=${package}_${found}_all.deb
	get=(apt-get download "$package=$found")
	unpinned=yes
fi

# Into a folder of its own beside the place where it goes, so that nothing that
# is half there ever has the right name.
tmp=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
size=$("$top/base/apt.sh" "${get[@]}" --print-uris 2>>"$log" | awk -v f="$file" '$2 == f {print int($3 / 1000000)}')
(cd "$tmp" && exec "$top/base/apt.sh" "${get[@]}") >>"$log" 2>&1 &
apt=$!
trap 'kill $apt 2>/dev/null || :; rm -rf "$tmp"' EXIT
while kill -0 $apt 2>/dev/null; do
	progress_show "downloading $file, MB" "$(du -sm "$tmp" | cut -f1)" "$size"
	for _ in 1 2 3 4 5; do
		! kill -0 $apt 2>/dev/null || sleep 0.3
	done
done
[ ! -t 2 ] || printf '\r\033[K' >&2
wait $apt || die "the download of $file failed: see $log"
whole "$tmp/$file" "$sha256" || die "$file came with another checksum than it should have: see $log"
[ -z "${unpinned:-}" ] || echo "$sha256" >"$cache/$file.sha256"
mv "$tmp/$file" "$cache/$file"
echo "$cache/$file"
