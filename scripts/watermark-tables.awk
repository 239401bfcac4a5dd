# SPDX-License-Identifier: GPL-3.0-or-later
# The tables of docs/watermarks.md, in Markdown. Reads rows of a matrix without incomplete cells, in the matrix's order:
#   cell ID KERNEL SETTING SEED VERDICT
#   metric ID NAME VALUE              (where it is known)
# and then those of scripts/burst-rows.awk for all of its cells. Give -v bin_mib=N, and -v against=SETTING: the one that
# all others are compared with, seed by seed.

# Rank of the lower end of the interval around the median of n values, so that it covers the true median with 95 % or
# more: as many values lie below it as heads fall of n coins, whatever their distribution. 1 if n is too small for that;
# coverage says what it is then.
function interval_rank(n,    k, term, below) {
	term = below = 0.5 ^ n
	k = 0
	while (2 * below <= 0.05) {
		k++
		term *= (n - k + 1) / k
		below += term
	}
	if (!k)
		k = 1
	return k
}

function coverage(n, k,    i, term, below) {
	term = 0.5 ^ n
	for (i = 0; i < k; i++) {
		below += term
		term *= (n - i) / (i + 1)
	}
	return 100 * (1 - 2 * below)
}

# sorted[1..n] of values[group, 1..n]
function sort_values(values, group, n,    i, j, x) {
	for (i = 1; i <= n; i++) {
		x = values[group, i]
		for (j = i - 1; j && sorted[j] > x; j--)
			sorted[j + 1] = sorted[j]
		sorted[j + 1] = x
	}
}

function median(n) {
	return n % 2 ? sorted[(n + 1) / 2] : (sorted[n / 2] + sorted[n / 2 + 1]) / 2
}

function number(x) {
	return x >= 100 ? sprintf("%.0f", x) : x >= 10 ? sprintf("%.1f", x) : sprintf("%.2g", x)
}

# Median over the seeds of a line of a metric; "-" where no cell has it.
function metric_median(line, name,    i, n) {
	for (i = 1; i <= cells[line]; i++)
		if ((cell[line, i], name) in metric)
			picked["m", ++n] = metric[cell[line, i], name]
	if (!n)
		return "-"
	sort_values(picked, "m", n)
	return number(median(n))
}

# A cell survived up to its largest burst below its smallest that stalled; with none that did, to its largest and more.
function survived(id,    i, best, first) {
	first = -1
	for (i = 1; i <= bursts[id]; i++)
		if (stalls[id, i] && (first < 0 || kib[id, i] < first))
			first = kib[id, i]
	best = 0
	for (i = 1; i <= bursts[id]; i++)
		if (kib[id, i] > best && (first < 0 || kib[id, i] < first))
			best = kib[id, i]
	open_ended[best / 1024] = open_ended[best / 1024] || first < 0
	return best / 1024
}

function size(x) {
	return (open_ended[x] ? ">= " : "") sprintf("%.1f", x)
}

function heading(columns,    n, i, name) {
	n = split(columns, name, "|")
	printf "|"
	for (i = 1; i <= n; i++)
		printf " %s |", name[i]
	printf "\n|"
	for (i = 1; i <= n; i++)
		printf i <= 2 ? "---|" : "---:|"
	print ""
}

function begin_line(line) {
	printf "| %s | %s |", kernel_of[line], setting_of[line]
}

function survival_table(    l, line, i, n, rank) {
	print "The largest burst without an allocation stall, MiB, and what was free when bursts began:\n"
	heading("kernel|setting|MIN|LOW|HIGH|free at start, least|median|survived by all|median|interval|seeds")
	for (l = 1; l <= nr_lines; l++) {
		line = lines[l]
		split("", open_ended)
		n = 0
		for (i = 1; i <= cells[line]; i++) {
			best[line, i] = survived(cell[line, i])
			picked["b", ++n] = best[line, i]
		}
		begin_line(line)
		printf " %s | %s | %s | %s | %s |", metric_median(line, "min_mib"), metric_median(line, "low_mib"),
			metric_median(line, "high_mib"), metric_median(line, "least_start_mib"), metric_median(line, "median_start_mib")
		sort_values(picked, "b", n)
		rank = interval_rank(n)
		printf " %s | %s%.1f | %s to %s | %d |\n", size(sorted[1]), open_ended[sorted[int((n + 1) / 2)]] ? ">= " : "",
			median(n), size(sorted[rank]), size(sorted[n + 1 - rank]), n
		most_seeds = n > most_seeds ? n : most_seeds
	}
	rank = interval_rank(most_seeds)
	printf "\nInterval: from the seed of rank %d to that of rank %d; it covers the true median with %.0f %%.\n", rank,
		most_seeds + 1 - rank, coverage(most_seeds, rank)
}

# Probability that n coins fall as unevenly as this or more so: the sign test, two-sided.
function sign_test(n, fewer,    p) {
	p = n ? (100 - coverage(n, fewer + 1)) / 100 : 1
	return p > 1 ? 1 : p
}

# Seeds have the same bursts under every setting, so a seed's difference between two settings owes nothing to its bursts.
function pair_line(kernel, setting, better, same, worse, sum) {
	printf "| %s | %s | %+.1f | %d | %d | %d | %.2g |\n", kernel, setting, sum / (better + same + worse), better, same, worse,
		sign_test(better + worse, better < worse ? better : worse)
}

function pair_table(    l, line, i, base, setting, seed, value, d, sign, count, sum, all, all_sum, nr_settings, settings) {
	printf "\nThe same, seed by seed against %s on the same kernel:\n\n", against
	heading("kernel|setting|mean difference, MiB|seeds better|same|worse|sign test, p")
	for (l = 1; l <= nr_lines; l++)
		for (i = 1; i <= cells[lines[l]]; i++)
			value[lines[l], metric[cell[lines[l], i], "seed"]] = best[lines[l], i]
	for (l = 1; l <= nr_lines; l++) {
		line = lines[l]
		setting = setting_of[line]
		base = kernel_of[line] SUBSEP against
		split("", count)
		sum = 0
		for (i = 1; i <= cells[line]; i++) {
			seed = metric[cell[line, i], "seed"]
			if (setting == against || !((base, seed) in value))
				continue
			d = value[line, seed] - value[base, seed]
			sign = (d > 0) - (d < 0)
			count[sign]++
			sum += d
			if (!((setting, "n") in all))
				settings[++nr_settings] = setting
			all[setting, "n"]++
			all[setting, sign]++
			all_sum[setting] += d
		}
		if (count[-1] + count[0] + count[1])
			pair_line(kernel_of[line], setting, count[1], count[0], count[-1], sum)
	}
	for (i = 1; i <= nr_settings; i++) {
		setting = settings[i]
		pair_line("both", setting, all[setting, 1], all[setting, 0], all[setting, -1], all_sum[setting])
	}
}

function share_table(    l, line, i, j, id, b, columns, total, stalled) {
	print "\nBursts that met an allocation stall, percent, by size in MiB:\n"
	columns = "kernel|setting"
	for (b = 0; b < nr_bins; b++)
		columns = columns sprintf("|%d-%d", b * bin_mib, (b + 1) * bin_mib)
	heading(columns)
	for (l = 1; l <= nr_lines; l++) {
		line = lines[l]
		split("", total)
		split("", stalled)
		for (i = 1; i <= cells[line]; i++) {
			id = cell[line, i]
			for (j = 1; j <= bursts[id]; j++) {
				b = int((kib[id, j] - 1) / (bin_mib * 1024))
				total[b]++
				stalled[b] += stalls[id, j] > 0
			}
		}
		begin_line(line)
		for (b = 0; b < nr_bins; b++)
			printf total[b] ? " %.0f |" : " - |", total[b] ? 100 * stalled[b] / total[b] : 0
		print ""
	}
}

function cost_table(    l, line, i, n, names, name) {
	print "\nWhat it costs, medians over the seeds:\n"
	n = split("mean_free_mib kswapd_wakes reclaimed_kswapd_pages reclaimed_direct_pages refault_file_pages " \
		"refault_anon_pages swap_out_mib touches blocks alloc_stalls alloc_stall_s alloc_stall_max_ms slowest_fill_s", names, " ")
	heading("kernel|setting|free, mean MiB|kswapd wakes|reclaimed by kswapd, pages|directly|refaults, file|anon|" \
		"swap out MiB|touches done %|reads done %|stalls|task-s|longest ms|slowest burst s")
	for (l = 1; l <= nr_lines; l++) {
		line = lines[l]
		begin_line(line)
		for (i = 1; i <= n; i++)
			printf " %s |", metric_median(line, names[i])
		print ""
	}
}

$1 == "cell" {
	line = $3 SUBSEP $4
	if (!(line in cells)) {
		lines[++nr_lines] = line
		kernel_of[line] = $3
		setting_of[line] = $4
	}
	cell[line, ++cells[line]] = $2
	metric[$2, "seed"] = $5
	verdicts[$6]++
}
$1 == "metric" { metric[$2, $3] = $4 }
$1 == "burst" {
	bursts[$2]++
	kib[$2, bursts[$2]] = $3
	start[$2, bursts[$2]] = $4 / 1024
	stalls[$2, bursts[$2]] = $5
	if (!(($2, "slowest_fill_s") in metric) || metric[$2, "slowest_fill_s"] < $6)
		metric[$2, "slowest_fill_s"] = $6
	bin = int(($3 - 1) / (bin_mib * 1024)) + 1
	nr_bins = bin > nr_bins ? bin : nr_bins
}
$1 == "marks" {
	metric[$2, "min_mib"] = $3 / 1024
	metric[$2, "low_mib"] = $4 / 1024
	metric[$2, "high_mib"] = $5 / 1024
	metric[$2, "mean_free_mib"] = $6 / 1024
}
$1 == "work" { metric[$2, $3] = $4 }

END {
	for (id in bursts) {
		sort_values(start, id, bursts[id])
		metric[id, "least_start_mib"] = sorted[1]
		metric[id, "median_start_mib"] = median(bursts[id])
	}
	survival_table()
	pair_table()
	share_table()
	cost_table()
	for (verdict in verdicts)
		if (verdict != "completed")
			printf "\n%d cells are %s.\n", verdicts[verdict], verdict
}
