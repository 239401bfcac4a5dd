#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# kunit.sh KERNEL: boot this kernel with its KUnit tests switched on; prints TAP, one line a test case.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Every suite of the patches: one that does not run is a failure.
expected="mdisk blackbox alloc_stall alloc_stall_cost wmark"

status=0
ktap=$(build/plimsoll kunit "$1") || status=$?
awk -v kernel="$1" -v expected="$expected" -f "$here/ktap-to-tap.awk" <<<"$ktap"
exit "$status"
