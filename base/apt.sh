#!/bin/bash
# Run apt-get or apt-cache on a private state for the base kernel's suites (or
# those of SUITE), made from the machine's own mirror: base/apt.sh apt-get update
# The system's sources, keys and lists are read at most.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=base/pin
. "$top/base/pin"

state=$cache/apt${SUITE:+-$SUITE}
suite=${SUITE:-$suite}
key=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r $key ] || die "$key is missing: install debian-archive-keyring, or set LINUX_SRC to a kernel of your own"

# The machine's mirrors: one serves its main suite, one its security suite.
# shellcheck disable=SC2016 # apt fills them in
targets=$(apt-get indextargets --no-release-info --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages')
name=$(. /etc/os-release && printf %s "${VERSION_CODENAME:-}")
main=$(awk -v n="$name" '$1 == n || $1 == "stable" || $1 == "oldstable" {print $2; exit}' <<<"$targets")
security=$(awk '$1 ~ /-security(\/|$)/ {print $2; exit}' <<<"$targets")
[ -n "$main$security" ] || die "apt knows no Debian mirror on this machine: set LINUX_SRC to a 5.10 kernel, tarball or tree"

mkdir -p "$state"/{lists,archives}/partial
touch "$state/status"
{
	for type in deb deb-src; do
		[ -z "$main" ] || echo "$type [signed-by=$key] $main $suite main"
		[ -z "$security" ] || echo "$type [signed-by=$key] $security $suite-security main"
	done
} >"$state/sources.list"

# A file, as apt splits APT_CONFIG's values at no space, unlike -o in a string.
cat >"$state/apt.conf" <<END
Dir::State "$state";
Dir::State::status "$state/status";
Dir::State::lists "$state/lists";
Dir::Cache "$state";
Dir::Cache::archives "$state/archives";
Dir::Etc::sourcelist "$state/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Sandbox::User "$(id -un)";
APT::Architecture "amd64";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::Retries "2";
END
APT_CONFIG=$state/apt.conf exec "$@"
