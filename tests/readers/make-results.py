#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""make-results.py DATA RESULTS: a results directory without any VM, from one real cell of DATA: two kernels, two settings of
which one has a hostile name, six seeds, every verdict. Seed 1 of 6.12/defaults has the real cell's log."""
import copy
import json
import os
import re
import shutil
import subprocess
import sys

data, results = sys.argv[1:3]
HOSTILE = "a\"b<c>&d',e #1\\f\n= é"
with open(f"{data}/cell.json", encoding="utf-8") as file:
    real = json.load(file)
# With all metrics of today: what is made up must not be computed from the log.
PLIMSOLL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build/plimsoll")
for name in re.findall(r"^\| `(\w+)`", subprocess.run([PLIMSOLL, "metrics"], check=True, capture_output=True, text=True).stdout, re.M):
    real["metrics"].setdefault(name, None)
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../harness/analyse/analyse.h"), encoding="utf-8") as file:
    real["analysis"] = int(re.search(r"^#define PL_ANALYSIS_VERSION (\d+)$", file.read(), re.M).group(1))
real["may_end"] = None


def cell(number, kernel, setting, seed):
    made = copy.deepcopy(real)
    hung = kernel == "6.1" and (setting == "defaults" and seed < 6 or setting != "defaults" and seed == 1)
    made["id"] = f"{number:016x}"
    made["axes"].update(kernel=kernel, setting=setting, seed=seed, workload="memory-hog", virtual_seconds=300)
    made["verdict"] = "hung" if hung else "completed"
    made["flags"] = ["hung"] if hung else []
    better = 0.5 if setting != "defaults" else 1
    made["metrics"].update(
        workload_s=300, alloc_stall_s=better * (100 + seed), alloc_stall_p99_ms=better * (900 + 10 * seed),
        hung_tasks=4 if hung else 0, first_hung_s=125.5 + seed if hung else None, workload_progress=1000 * (4 + better) + seed,
        longest_lock_wait_s=200 if hung else 3)
    if kernel == "6.12" and setting != "defaults" and seed == 5:
        made.update(verdict="incomplete", flags=["rejected"], reason="the guest refused a setting: \"vm.x\" <&>, wrote 5")
    if kernel == "6.12" and setting != "defaults" and seed == 6:
        made.update(verdict="oom", flags=["oom", "swap-free"])
        made["metrics"]["oom_kills"] = 2
    made["task_metrics"] = {"hog.bogo_ops": 4000 * better + seed, "hog.user_s": None}
    return made


made = [cell(16 * k + 8 * s + seed, kernel, setting, seed) for k, kernel in enumerate(("6.1", "6.12"))
        for s, setting in enumerate(("defaults", HOSTILE)) for seed in range(1, 7)]
for one in made:
    directory = f"{results}/cells/{one['id']}"
    os.makedirs(directory)
    with open(f"{directory}/cell.json", "w", encoding="utf-8") as file:
        json.dump(one, file)
    shutil.copy(f"{data}/inputs.json", directory)
    open(f"{directory}/console.log", "w").close()
    if one["axes"]["kernel"] == "6.12" and one["axes"]["setting"] == "defaults" and one["axes"]["seed"] == 1:
        shutil.copy(f"{data}/blackbox.zst", directory)
