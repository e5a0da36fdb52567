#!/bin/bash
# make stress, leaks, faults or fuzz: run that load of the kselftests in a guest
# that suits it: tests/load.sh NAME. Its table comes out here, and its exit
# status is the command's. COUNT and SEED say how much and which; COUNT=few is
# what make test does, on whatever kernel FLAVOUR names.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/../base/lib.sh"

load=$1
# How many of what, and how few; after how many seconds it must be done, and on
# which kernel. The rounds of leaks are of each of its three kinds.
case $load in
stress) set -- 1000000 20000 1800 '' ;;
leaks) set -- 33334 1000 5400 '' ;;
faults) set -- '' '' 1800 debug ;;
fuzz) set -- 10000000 20000 10800 debug ;;
*) die "tests/load.sh $load: there is no such load, take stress, leaks, faults or fuzz" ;;
esac
count=$1 few=$2 limit=$3
COUNT=${COUNT:-} SEED=${SEED:-}
[[ $COUNT =~ ^([0-9]{1,18}|few)?$ ]] || die "COUNT=$COUNT: give a whole number, or few"
[[ $SEED =~ ^[0-9]{0,18}$ ]] || die "SEED=$SEED: give a whole number"
if [ "$COUNT" = few ]; then
	count=$few
	# Each exec is some 40 ms there.
	[ "$load-$FLAVOUR" != leaks-debug ] || count=300
else
	[ -n "$FLAVOUR" ] || FLAVOUR=$4
	[ -z "$COUNT" ] || count=$COUNT
fi
if [ "$load" = faults ]; then
	[ "$FLAVOUR" = debug ] || die "FLAVOUR=$FLAVOUR: only the debug kernel injects faults"
	[ -z "$count$SEED" ] || die "COUNT=$COUNT SEED=$SEED: faults takes neither, it fails each allocation once"
fi
export FLAVOUR
# On a slow kernel, processors that wait for one another make it slower.
[ -z "$FLAVOUR" ] || export CPUS=${CPUS:-2}
"$top/base/build.sh"
# build.sh is a process of its own: what it has built is looked up anew here.
out=${KOUT:-$build/$ARCH${FLAVOUR:+-$FLAVOUR}}
programs=$("$top/tests/kselftest.sh" native | sed -n 1p)

command="./$load${count:+ -n $count}${SEED:+ -s $SEED}"
[ "$load" != fuzz ] || command="./fuzz -r corpus/* && $command"
name=$load${FLAVOUR:+-$FLAVOUR}
# Each cache of its own, so that what is counted is what it is called.
export KERNEL_ARGS="${KERNEL_ARGS:-} slab_nomerge" GUEST_TIMEOUT=${GUEST_TIMEOUT:-$limit}
say "$command, on the kernel ${out##*/}; the guest's log is $logs/$name.log"
"$top/vm/guest.sh" "$name" "$programs" "$command"
