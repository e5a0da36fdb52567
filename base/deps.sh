#!/bin/bash
# Install what is missing of some groups in base/packages: base/deps.sh GROUP...
# shellcheck source=base/lib.sh
. "$(dirname "$0")/lib.sh"

[ "$ARCH" = x86_64 ] || set -- "$@" "$ARCH"
wanted=()
for group; do
	mapfile -t -O ${#wanted[@]} wanted < <(awk -v g="$group" '$1 == g {for (i = 2; i <= NF; i++) print $i}' "$top/base/packages")
done
missing=()
for package in "${wanted[@]}"; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

root=()
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || die "these Debian packages are missing, and installing them needs root or sudo: ${missing[*]}"
	root=(sudo)
fi
log=$logs/deps.log
say "installing Debian packages: ${missing[*]}"
: >"$log"
get() {
	local steps
	# Each is fetched, unpacked and set up, and so are those that it needs.
	steps=$(apt-get install -s --no-install-recommends "${missing[@]}" 2>>"$log" | grep -c '^Inst') || return 1
	"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
		-o DPkg::Lock::Timeout=300 "${missing[@]}" </dev/null 2>&1 |
		tee -a "$log" | grep --line-buffered -E '^(Get:|Unpacking |Setting up )' |
		progress "installing, steps" $((3 * steps))
}
# The lists may be there and good enough; where they are not, they are fetched.
get || {
	"${root[@]}" apt-get update </dev/null >>"$log" 2>&1 || die "apt-get update failed: see $log"
	get || die "apt-get could not install ${missing[*]}: see $log"
}
