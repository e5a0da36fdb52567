#!/bin/bash
# Installable kernel packages of build/tree, by the kernel's own bindeb-pkg:
#   CONFIG=file [OUT=folder] base/deb.sh [check]
# check only looks at what is given, before anything is fetched for it. The
# packages come to OUT (build/deb) when all are made, and not before.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=base/series.sh
. "$top/base/series.sh"

usage="make deb CONFIG=path, where path is the configuration of the kernel that the machine runs now, such as /boot/config-$(uname -r)"
: "${CONFIG:=}" "${OUT:=$build/deb}"
# Ours, and none of what the kernel's make reads.
export -n CONFIG OUT
phase=${1:-}
case $ARCH in
x86_64) symbol=X86_64 header='x86 x86_64' debian=amd64 ;;
arm64) symbol=ARM64 header=arm64 debian=arm64 ;;
*) die "ARCH=$ARCH: packages are made for x86_64 and arm64" ;;
esac
[ -z "$FLAVOUR" ] || die "FLAVOUR=$FLAVOUR is one of the guest's kernels: make deb takes what CONFIG says, so leave it empty"
[ -n "$CONFIG" ] || die "CONFIG is not set: $usage"
[ -e "$CONFIG" ] || die "CONFIG=$CONFIG does not exist: $usage"
[ ! -d "$CONFIG" ] || die "CONFIG=$CONFIG is a folder: $usage"
[ -r "$CONFIG" ] || die "CONFIG=$CONFIG cannot be read by $(id -un)"
[ ! -e "$OUT" ] || [ -d "$OUT" ] || die "OUT=$OUT is no folder: give one for the packages"
above=$OUT
until [ -e "$above" ]; do above=$(dirname "$above"); done
[ -d "$above" ] || die "OUT=$OUT cannot be made: $above is no folder"
[ -w "$above" ] || die "OUT=$OUT cannot be written by $(id -un): give another folder, or make that one's"

tmp=$(mktemp -d "$build/deb.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
given=$tmp/config
# /proc/config.gz is one, too.
if [ "$(head -c 2 "$CONFIG" | od -An -tx1)" = " 1f 8b" ]; then
	gzip -dc "$CONFIG" >"$given" || die "CONFIG=$CONFIG is damaged: gzip cannot unpack it"
else
	cat "$CONFIG" >"$given"
fi
bad=$(grep -anvE -m 1 '^(CONFIG_[A-Za-z0-9_]+=.*|[[:space:]]*(#.*)?)$' "$given" | tr -d '\0' | cut -c1-80 || :)
[ -z "$bad" ] || die "CONFIG=$CONFIG is no kernel configuration: line ${bad%%:*} is '${bad#*:}'"
grep -q '^CONFIG_' "$given" || die "CONFIG=$CONFIG is no kernel configuration: it sets no CONFIG_ option"
other=$(sed -nE 's/^CONFIG_(X86_64|X86_32|ARM64|ARM|PPC|S390|RISCV|MIPS|SPARC|M68K|PARISC|ALPHA|IA64|SUPERH)=y$/\1/p' "$given" | head -n 1)
[ "${other:-$symbol}" = "$symbol" ] || die "CONFIG=$CONFIG is for another architecture (CONFIG_$other=y), and ARCH is $ARCH"
other=$(sed -nE '1,5s,^# Linux/([a-z0-9_]+) .*,\1,p' "$given")
[[ " $header " == *" ${other:-$header} "* ]] || die "CONFIG=$CONFIG is for another architecture (Linux/$other), and ARCH is $ARCH"

# Options whose values are files: what is missing stops the build near its end.
value() { sed -n "s/^CONFIG_$1=\"\(.*\)\"$/\1/p" "$given" | tail -n 1; }
there() { if [[ $1 == /* ]]; then [ -e "$1" ]; else [ -e "$tree/$1" ] || [ ! -d "$tree" ]; fi; }
note() { [ "$phase" = check ] || say "$*"; }
edits=()
for option in SYSTEM_TRUSTED_KEYS SYSTEM_REVOCATION_KEYS SYSTEM_BLACKLIST_HASH_LIST MODULE_SIG_KEY; do
	file=$(value $option) instead=
	[ $option != MODULE_SIG_KEY ] || instead=certs/signing_key.pem
	case $file in
	debian/*)
		there "$file" && continue
		note "CONFIG_$option names $file, of the distribution's own build: taken as \"$instead\"${instead:+, a key that this build makes}"
		edits+=(--set-str "$option" "$instead")
		;;
	'')
		[ $option = MODULE_SIG_KEY ] && grep -qx 'CONFIG_MODULE_SIG_ALL=y' "$given" || continue
		note "CONFIG_MODULE_SIG_ALL signs modules, and CONFIG_MODULE_SIG_KEY has no key: taken as \"$instead\", one that this build makes"
		edits+=(--set-str "$option" "$instead")
		;;
	"$instead" | pkcs11:*) ;;
	*)
		there "$file" || die "CONFIG=$CONFIG: CONFIG_$option names $file, which is not there: give its absolute path, or \"$instead\" to do without"
		;;
	esac
done
firmware=$(value EXTRA_FIRMWARE_DIR)
for file in $(value EXTRA_FIRMWARE); do
	there "${firmware:=/lib/firmware}/$file" ||
		die "CONFIG=$CONFIG: CONFIG_EXTRA_FIRMWARE names $file, which $firmware does not have: install it, or take it out"
done
for file in $(value INITRAMFS_SOURCE); do
	there "$file" || die "CONFIG=$CONFIG: CONFIG_INITRAMFS_SOURCE names $file, which is not there: give its absolute path, or \"\""
done

# bindeb-pkg leaves the packages beside the folder that it builds in.
obj=${KOUT:-$build/deb/$ARCH/obj}
side=$(dirname "$obj")
mkdir -p "$side"
# Megabytes, by estimate: 1 an option that is on, 4 with debug information.
count=$(grep -c '=[ym]$' "$given" || :)
needed=$((600 + count)) why=
if grep -qx CONFIG_DEBUG_INFO=y "$given"; then
	why=" ($needed MB without CONFIG_DEBUG_INFO)"
	needed=$((1500 + 4 * count))
fi
[ ! -d "$obj" ] || needed=$((needed - $(du -sm "$obj" | cut -f1)))
free=$(df -Pm "$side" | awk 'NR == 2 {print $4}')
[ "$free" -ge "$needed" ] ||
	die "the disk of $side has $free MB free, and the build takes about $needed MB$why: make room, or clone to a larger disk"
[ "$phase" != check ] || exit 0

mkdir -p "$obj"
log=$logs/deb.log
: >"$log"
# Of the person's Debian tools nothing is to get into a package.
unset DEBEMAIL EMAIL DEBFULLNAME DEB_BUILD_OPTIONS DEB_BUILD_PROFILES DPKG_FLAGS KDEB_COMPRESS KDEB_HOOKDIR KDEB_SOURCENAME KBUILD_DEBARCH
# A name beside the distribution's kernels, and a version that rises with the
# series and is the same wherever it is built.
[ -n "$(tree_git status --porcelain)" ] && dirty=.dirty || dirty=
[ -z "$dirty" ] || warn "build/tree holds changes that are in no commit: they are built, and the version says 'dirty'"
newest=$(TZ=UTC tree_git log --format=%cd --date=format-local:%Y%m%d.%H%M base..HEAD | sort | tail -n 1)
: "${newest:=$(TZ=UTC tree_git log -1 --format=%cd --date=format-local:%Y%m%d.%H%M HEAD)}"
revision=$newest.g$(tree_git rev-parse --short=12 HEAD)$dirty
version=$(sed -n 's/^\(VERSION\|PATCHLEVEL\|SUBLEVEL\) = //p' "$tree/Makefile" | paste -sd.)-$revision

kernel_make() {
	"$top/base/kmake.sh" "$obj" LOCALVERSION=-sigtrap KBUILD_BUILD_VERSION="$revision" \
		KDEB_PKGVERSION="$version" KDEB_CHANGELOG_DIST=unstable DPKG_FLAGS=-d "$@"
}

# What the configuration says, by this kernel's Kconfig.
cp "$given" "$obj/.config"
[ ${#edits[@]} = 0 ] || "$tree/scripts/config" --file "$obj/.config" "${edits[@]}"
cp "$obj/.config" "$tmp/asked"
{
	kernel_make listnewconfig >"$tmp/new" && kernel_make olddefconfig
} >>"$log" 2>&1 </dev/null || {
	tail -n 8 "$log" >&2
	die "the kernel does not take CONFIG=$CONFIG: see $log"
}
new=$(sed -n '/^CONFIG_/p' "$tmp/new" | tee -a "$log" | wc -l)
lost=$(awk -F= '!/^CONFIG_/ {next} NR == FNR {have[$1]; next} $2 != "n" && $2 != "\"\"" && !($1 in have) {print "not in this kernel, or not with these options: " $0}' \
	"$obj/.config" "$tmp/asked" | tee -a "$log" | wc -l)
say "CONFIG=$CONFIG: $new options were new and got their defaults; $lost of those set are not to be had (listed in $log)"
missing=
for option in PERF_EVENTS HAVE_HW_BREAKPOINT; do
	grep -qx "CONFIG_$option=y" "$obj/.config" || missing+=" CONFIG_$option"
done
[ -z "$missing" ] || die "CONFIG=$CONFIG: with this the kernel has no watchpoints that signal; it lacks$missing: set CONFIG_PERF_EVENTS=y"

run() { # WHAT PATTERN TARGET
	local status
	set +e
	kernel_make "$3" 2>&1 </dev/null | tee -a "$log" | grep --line-buffered -E "$2" | progress "$1"
	status=("${PIPESTATUS[@]}")
	set -e
	[ "${status[0]}" = 0 ] ||
		build_failed "$log" '(error: |undefined reference|Error [0-9]+|not found|is not available)'
}
start=$SECONDS
rm -f "$side"/linux-*.{deb,changes,buildinfo}
# Where an earlier one was stopped.
rm -rf "$obj/debian"
say "building $version ($count options on); the log is $log"
run "compiling, objects" '^  (HOSTCC|HOSTLD|CC|AS|AR|LD|VDSO|VDSO2C) ' all
say "compiled in $((SECONDS - start)) s"
run "packing, steps" '^  (INSTALL|HDRINST|DEPMOD|SIGN)|^dpkg-deb: ' bindeb-pkg

release=$(cat "$obj/include/config/kernel.release")
packages=("linux-image-$release")
! grep -qx CONFIG_MODULES=y "$obj/.config" || packages+=("linux-headers-$release")
packages+=(linux-libc-dev)
! grep -qx CONFIG_DEBUG_INFO=y "$obj/.config" || packages+=("linux-image-$release-dbg")
for package in "${packages[@]}"; do
	[ -s "$side/${package}_${version}_$debian.deb" ] || die "the kernel's bindeb-pkg has not made ${package}_${version}_$debian.deb: see $log"
done

# On another disk, too, a package is there as a whole or not at all.
mkdir -p "$OUT"
OUT=$(cd "$OUT" && pwd -P)
part=$(mktemp -d "$OUT/part.XXXXXX")
trap 'rm -rf "$tmp" "$part"' EXIT
for package in "${packages[@]}"; do
	mv "$side/${package}_${version}_$debian.deb" "$part/"
done
install=
for package in "${packages[@]}"; do
	# One of the same kernel is in the way of who installs by a pattern.
	rm -f "$OUT/${package}"_*_"$debian.deb"
	mv "$part/${package}_${version}_$debian.deb" "$OUT/"
	echo "$OUT/${package}_${version}_$debian.deb"
	case $package in
	linux-image-*-dbg | linux-libc-dev) ;;
	*) install+=" $(printf %q "$OUT/${package}_${version}_$debian.deb")" ;;
	esac
done
# objtool, in the headers package, has it as a library; the package does not say so.
! grep -qx CONFIG_STACK_VALIDATION=y "$obj/.config" || install+=" libelf1"
say "made in $((SECONDS - start)) s. To install the kernel $release beside those there are:"
say "  sudo apt install$install"
say "linux-libc-dev would take the place of the distribution's: for a container or chroot where programs are built."
