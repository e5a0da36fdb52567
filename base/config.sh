#!/bin/bash
# Merge Kconfig fragments into OUT/.config over allnoconfig, and see to it that
# each line is in it: base/config.sh OUT FRAGMENT...
# With KMUST, a list of symbols, only those must be: for a kernel that the
# fragments were not written for, what else it has not is said and left out.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/lib.sh"

dir=$1
shift
mkdir -p "$dir"
dir=$(cd "$dir" && pwd -P)
log=$dir/config.log

# Only when a fragment has changed: make itself follows the tree's Kconfig.
sum=$({ cat "$@" && printf %s "${KMUST:-}"; } | sha256sum)
[ ! -f "$dir/.config" ] || [ "$(cat "$dir/config.sum" 2>/dev/null)" != "$sum" ] || exit 0
rm -f "$dir/config.sum"

# Copies: merge_config.sh takes no path with a space.
mkdir -p "$dir/fragments"
cp "$@" "$dir/fragments/"
{
	# It only merges here (-m): its own check of the result does not fail.
	(cd "$dir" && "$tree/scripts/kconfig/merge_config.sh" -m -O "$dir" "${@/#*\//fragments/}") &&
		mv "$dir/.config" "$dir/merged.config" &&
		"$top/base/kmake.sh" "$dir" KCONFIG_ALLCONFIG="$dir/merged.config" allnoconfig
} >"$log" 2>&1 </dev/null || {
	tail -n 20 "$log" >&2
	die "the kernel's configuration could not be made: see $log"
}

bad=
without=
for fragment; do
	while IFS='=' read -r symbol value; do
		# A later fragment may say otherwise: what counts is the merged file.
		grep -qxF "$symbol=$value" "$dir/merged.config" || continue
		if [ "$value" = n ]; then
			grep -q "^$symbol=" "$dir/.config" || continue
		else
			grep -qxF "$symbol=$value" "$dir/.config" && continue
		fi
		if [ -n "${KMUST:-}" ] && [[ " $KMUST " != *" $symbol "* ]]; then
			without+=" $symbol=$value"
			continue
		fi
		bad+="
  ${fragment##*/}: $symbol=$value, but .config has '$(grep -E "^(# )?${symbol}[= ]" "$dir/.config" || echo nothing)'"
	done < <(grep '^CONFIG_' "$fragment")
done
[ -z "$bad" ] || {
	rm -f "$dir/.config"
	die "Kconfig did not take what a fragment asks for (something that it depends on is missing, or ARCH has it not):$bad"
}
for symbol in ${KMUST:-}; do
	grep -qxF "$symbol=y" "$dir/.config" || die "$dir/.config has no $symbol=y, without which this kernel is of no use"
done
[ -z "$without" ] || say "${dir##*/} takes the fragments but for$without"
echo "$sum" >"$dir/config.sum"
