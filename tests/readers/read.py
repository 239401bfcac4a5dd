#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""read.py FORMAT FILE [ARGUMENT]: read a report with somebody else's reader, and print what it found, for tests to compare."""
import csv
import json
import sys


def read_csv(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, strict=True))
    assert all(None not in row and None not in row.values() for row in rows), "a line has more or fewer fields than the head"
    print(len(rows), "lines,", len({row["id"] for row in rows}), "cells,", len(rows[0]), "columns")
    for setting in sorted({row["setting"] for row in rows}):
        print("setting", json.dumps(setting))
    first = rows[0]
    if "metric" in first:
        print(*(f"{row['metric']}={row['value']}{row['unit']}" for row in rows if row["metric"] == "alloc_stall_p99_ms"))
    else:
        print(*(f"{row['verdict']}:{row['alloc_stall_s']}" for row in rows))


def read_schema(path, schema):
    import jsonschema
    with open(schema, encoding="utf-8") as file:
        schema = json.load(file)
    with open(path, encoding="utf-8") as file:
        instance = json.load(file)
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    kind(schema).validate(instance)
    print("valid,", len(instance), "items")


def read_kcidb(path, schema):
    read_schema(path, schema)
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    builds = {build["id"]: build for build in report["builds"]}
    checkouts = {checkout["id"] for checkout in report["checkouts"]}
    assert all(build["checkout_id"] in checkouts for build in builds.values()), "a build without its checkout"
    assert all(test["build_id"] in builds for test in report["tests"]), "a test without its build"
    assert len({test["id"] for test in report["tests"]}) == len(report["tests"]), "two tests with one id"
    statuses = sorted(test["status"] for test in report["tests"])
    print(*(f"{status}:{statuses.count(status)}" for status in sorted(set(statuses))))


def read_ktap(path, kunit):
    sys.path.insert(0, kunit)
    import kunit_parser
    with open(path, encoding="ascii") as file:
        test = kunit_parser.parse_run_tests(file.readlines())
    counts = test.counts
    print(f"passed:{counts.passed} failed:{counts.failed} crashed:{counts.crashed} skipped:{counts.skipped} errors:{counts.errors}")
    for group in test.subtests:
        print("group", group.name, len(group.subtests))


def read_junit(path):
    import junitparser
    suites = junitparser.JUnitXml.fromfile(path)
    cases = [case for suite in suites for case in suite]
    kinds = sorted(type(result).__name__ for case in cases for result in case.result)
    print(f"says tests:{suites.tests} failures:{suites.failures} errors:{suites.errors} skipped:{suites.skipped}")
    print(f"has tests:{len(cases)}", *(f"{kind}:{kinds.count(kind)}" for kind in sorted(set(kinds))))
    print("names", *sorted({json.dumps(case.name.rsplit("/", 1)[0]) for case in cases}))


def read_openmetrics(path):
    from prometheus_client.openmetrics.parser import text_string_to_metric_families
    with open(path, encoding="utf-8") as file:
        families = {family.name: family for family in text_string_to_metric_families(file.read())}
    verdicts = {}
    for sample in families["plimsoll_cells"].samples:
        verdicts[sample.labels["verdict"]] = verdicts.get(sample.labels["verdict"], 0) + int(sample.value)
    print(*(f"{verdict}:{nr}" for verdict, nr in sorted(verdicts.items())))
    print("missing", int(families["plimsoll_cells_missing"].samples[0].value))
    for sample in families["plimsoll_alloc_stall_p99_ms"].samples:
        print("stall p99", sample.labels["kernel"], json.dumps(sample.labels["setting"]), sample.value)


{"csv": read_csv, "schema": read_schema, "kcidb": read_kcidb, "ktap": read_ktap, "junit": read_junit,
 "openmetrics": read_openmetrics}[sys.argv[1]](*sys.argv[2:])
