#!/bin/bash
# make check: the patches and the scripts as a reviewer would look at them, in
# tests/check/*.t. The last line is prove's.
exec "$(dirname "$0")/run.sh" tests/check
