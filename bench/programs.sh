#!/bin/bash
# Compile the programs that measure into a folder, static, as a guest has no
# libraries: bench/programs.sh FOLDER
# shellcheck source=base/lib.sh
. "$(dirname "$0")/../base/lib.sh"

for program in trips unused threads; do
	gcc -O2 -Wall -Wextra -Werror -std=gnu11 -static -fno-pie -no-pie -pthread -I"$top/examples/include" \
		-o "$1/$program" "$top/bench/$program.c"
done
cp "$top/bench/measure" "$1/"
