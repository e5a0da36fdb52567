#!/bin/bash
# Collect dynamically linked programs for a guest, which has no libraries:
#   vm/collect.sh FOLDER PROGRAM...
# copies each to where it is (those with no folder in /usr or /bin: to FOLDER
# itself), and what it is loaded with, all below FOLDER/system. In the guest,
# 'cp -a system/. /' puts them in place.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/../base/lib.sh"

folder=$1
shift
mkdir -p "$folder/system"
for program; do
	[ -e "$program" ] || die "there is no $program to collect"
	case $program in
	/usr/* | /bin/* | /lib/*) install -D -p "$program" "$folder/system$program" ;;
	*) [ "$program" -ef "$folder/${program##*/}" ] || cp -p "$program" "$folder/" ;;
	esac
	# What is not dynamic needs nothing.
	libraries=$(ldd "$program" 2>/dev/null) || continue
	while read -r library; do
		[ -e "$folder/system$library" ] || install -D -p "$library" "$folder/system$library"
	done < <(sed -n 's/^.*[[:space:]]\(\/[^ ]*\) (0x[0-9a-f]*)$/\1/p' <<<"$libraries")
done
