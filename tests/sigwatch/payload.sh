#!/bin/bash
# Build what tests/sigwatch.t runs in its guest, and collect what that needs:
#   tests/sigwatch/payload.sh FOLDER
# shellcheck source=base/lib.sh
. "$(dirname "$0")/../../base/lib.sh"

mkdir -p "$1"
folder=$(cd "$1" && pwd)
cd "$top/tests/sigwatch"
cc() { gcc -std=gnu11 -O1 -g -Wall -Wextra -pthread "$@"; }

"$top/sigwatch/build.sh"
cc -fPIC -shared -o "$folder/libvictim.so" library.c
cp "$folder/libvictim.so" "$folder/plugin.so"
sources=(victim.c other.c -L"$folder" -lvictim "-Wl,-rpath,\$ORIGIN")
cc -fPIE -pie -o "$folder/victim" "${sources[@]}"
cc -fno-pie -no-pie -o "$folder/victim-nopie" "${sources[@]}"
strip -o "$folder/victim-stripped" "$folder/victim"
cc -static -o "$folder/victim-static" victim.c other.c library.c 2>/dev/null
i686-linux-gnu-gcc -std=gnu11 -O1 -o "$folder/victim-32" deny.c
cc -static -o "$folder/deny" deny.c
ln "$folder/deny" "$folder/hog"
ln "$folder/deny" "$folder/attach"

# Its symbols in a file of their own, as a -dbgsym package has them.
objcopy --only-keep-debug "$folder/victim-nopie" "$folder/victim-split.debug"
strip -o "$folder/victim-split" "$folder/victim-nopie"
(cd "$folder" && objcopy --add-gnu-debuglink=victim-split.debug victim-split)

printf '#!/usr/bin/bash\ntrue\nfalse\n' >"$folder/script"
printf '#!/usr/bin/env bash\ntrue\n' >"$folder/script-env"
printf 'neither\n' >"$folder/neither"
cp "$folder/victim" "$folder/victim-setuid"
cp "$folder/victim" "$folder/not-executable"
cp "$folder/victim" "$folder/victim-musl"
printf '/lib/ld-musl-x86_64.so.1\0' | dd of="$folder/victim-musl" bs=1 conv=notrunc status=none \
	seek="$((16#$(readelf -lW "$folder/victim-musl" | awk '$1 == "INTERP" {print substr($2, 3)}')))"
chmod +x "$folder/script" "$folder/script-env" "$folder/neither"
chmod -x "$folder/not-executable"

"$top/vm/collect.sh" "$folder" "$build/sigwatch/sigwatch" "$build/sigwatch/sigwatch-agent.so" \
	/usr/bin/bash /usr/bin/python3.11 /usr/bin/ls /usr/bin/sqlite3
python=/usr/lib/python3.11
mkdir -p "$folder/system$python/lib-dynload"
(cd $python && cp -r --parents codecs.py io.py abc.py os.py encodings/{__init__,aliases,utf_8}.py "$folder/system$python")
