#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Whole searches, from the command line to the answer, in worlds whose truth is known. No VM starts.
bats_require_minimum_version 1.5.0
load helpers
load world

setup_file() { compile_fake_qemu; }

@test "knob: the threshold of a world; again without a cell" {
	fake_world '[ "$(value vm.watermark_scale_factor)" -lt 200 ] && echo hung || echo completed'
	run --separate-stderr in_world bisect --knob vm.watermark_scale_factor=10..1000 --goal hung w.yaml
	expect 0 "The smallest vm.watermark_scale_factor at which P(bad) is at most 0.1 is"
}
