#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# report-page.sh DIR: make DIR/page.html, the report's page without data: markup, style and program in one file. The chart
# library comes from the npm registry, as harness/report/web/package-lock.json pins it, once.
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

[ $# -eq 1 ] || die 2 "usage: scripts/report-page.sh DIR"
mkdir -p "$1"
out=$(cd "$1" && pwd)
web=$PLIMSOLL_ROOT/harness/report/web
"$PLIMSOLL_ROOT/scripts/npm-install.sh" "$web" "$out"

# Beside the libraries, where they are looked for. NODE_PATH would do without a copy, but it is split at colons.
rm -rf "$out/sources"
mkdir "$out/sources"
cp "$web"/*.js "$out/sources/"
"$out/node_modules/.bin/esbuild" "$out/sources/page.js" --bundle --minify --target=chrome110,firefox115,safari16 \
	--legal-comments=none --charset=ascii --log-level=warning --outfile="$out/program.js"
version=$(node -p 'require(process.argv[1]).version' "$out/node_modules/echarts/package.json")
# Whoever passes a report on passes the libraries on, and these ask for their licences to go along.
cat "$out"/node_modules/{echarts/NOTICE,echarts/LICENSE,zrender/LICENSE,tslib/LICENSE.txt} >"$out/licences.txt"
# By awk's plain output and not by its replacements: a program is full of characters that mean something to these.
awk -v style="$web/page.css" -v program="$out/program.js" -v licences="$out/licences.txt" -v version="$version" '
	function insert(file,	line) { while ((getline line <file) > 0) print line; close(file) }
	$0 == "@@PLIMSOLL_STYLE@@" { insert(style); next }
	$0 == "@@LIBRARY_LICENCES@@" { insert(licences); next }
	$0 == "@@PLIMSOLL_PROGRAM@@" { insert(program); next }
	{ sub(/@@ECHARTS_VERSION@@/, version); print }' "$web/page.html" >"$out/page.html.tmp"
mv "$out/page.html.tmp" "$out/page.html"
