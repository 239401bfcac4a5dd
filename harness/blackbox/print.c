// SPDX-License-Identifier: GPL-3.0-or-later
/* Prints every record of a black box as a line of text, for `plimsoll log`. */
#include "blackbox/blackbox.h"

#include <inttypes.h>
#include <string.h>

struct field {
	const char *name;
	size_t offset;
};

#define FIELD(name) { #name, offsetof(struct bb_sample, name) }
static const struct field sample_u64[] = {
	FIELD(missed),
	FIELD(self_ns),
	FIELD(idle_ns),
	FIELD(untracked),
	FIELD(pgscan_kswapd),
	FIELD(pgscan_direct),
	FIELD(pgsteal_kswapd),
	FIELD(pgsteal_direct),
	FIELD(pgfault),
	FIELD(pgmajfault),
	FIELD(pswpin),
	FIELD(pswpout),
	FIELD(zswpin),
	FIELD(zswpout),
	FIELD(allocstall),
	FIELD(oom_kill),
	FIELD(compact_stall),
	FIELD(compact_success),
	FIELD(pageoutrun),
	FIELD(kswapd_low_wmark_hit_quickly),
	FIELD(kswapd_high_wmark_hit_quickly),
	FIELD(workingset_refault_anon),
	FIELD(workingset_refault_file),
	FIELD(workingset_activate_anon),
	FIELD(workingset_activate_file),
	FIELD(nr_vmscan_write),
	FIELD(nr_vmscan_immediate_reclaim),
	FIELD(nr_dirtied),
	FIELD(nr_written),
	FIELD(nr_free_pages),
	FIELD(nr_inactive_anon),
	FIELD(nr_active_anon),
	FIELD(nr_inactive_file),
	FIELD(nr_active_file),
	FIELD(nr_unevictable),
	FIELD(nr_slab_reclaimable),
	FIELD(nr_slab_unreclaimable),
	FIELD(nr_isolated_anon),
	FIELD(nr_isolated_file),
	FIELD(nr_anon_pages),
	FIELD(nr_file_mapped),
	FIELD(nr_file_pages),
	FIELD(nr_dirty),
	FIELD(nr_writeback),
	FIELD(nr_shmem),
	FIELD(nr_page_table_pages),
	FIELD(nr_kernel_stack_kib),
	FIELD(nr_swap_free),
	FIELD(nr_swap_total),
	FIELD(psi_io_some_ns),
	FIELD(psi_io_full_ns),
	FIELD(psi_mem_some_ns),
	FIELD(psi_mem_full_ns),
	FIELD(psi_cpu_some_ns),
	FIELD(disk_inflight),
	FIELD(disk_done),
	FIELD(disk_busy_ns),
	FIELD(disk_inflight_ns),
	FIELD(disk_iops_credit),
	FIELD(disk_bytes_credit),
};
static const struct field sample_u32[] = {
	FIELD(nr_tasks),
	FIELD(nr_blocked),
	FIELD(nr_blocked_iowait),
};

/* Sixty counters, most of them 0 most of the time: what is 0 is left out. */
static void print_sample(FILE *out, const struct bb_sample *sample)
{
	fprintf(out, " seq=%llu", sample->seq);
	for (size_t i = 0; i < sizeof(sample_u64) / sizeof(*sample_u64); i++) {
		uint64_t value;

		memcpy(&value, (const uint8_t *)sample + sample_u64[i].offset, sizeof(value));
		if (value)
			fprintf(out, " %s=%" PRIu64, sample_u64[i].name, value);
	}
	for (size_t i = 0; i < sizeof(sample_u32) / sizeof(*sample_u32); i++) {
		uint32_t value;

		memcpy(&value, (const uint8_t *)sample + sample_u32[i].offset, sizeof(value));
		if (value)
			fprintf(out, " %s=%" PRIu32, sample_u32[i].name, value);
	}
}

static double seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

static void print_string(FILE *out, const char *name, const char *field, size_t bytes)
{
	char text[BB_TEXT_MAX_BYTES + 1];

	pl_bb_string(text, sizeof(text), field, bytes);
	fprintf(out, " %s=\"%s\"", name, text);
}

static void print_task_flags(FILE *out, uint32_t flags)
{
	static const char *const names[] = { "killable", "iowait", "reclaim", "kthread", "open", "blocked" };
	const char *comma = "";

	if (!flags)
		return;
	fputs(" flags=", out);
	for (unsigned bit = 0; bit < 32; bit++) {
		if (!(flags & 1u << bit))
			continue;
		if (bit < sizeof(names) / sizeof(*names))
			fprintf(out, "%s%s", comma, names[bit]);
		else
			fprintf(out, "%s%#x", comma, 1u << bit);
		comma = ",";
	}
}

static void print_lock(FILE *out, uint64_t lock, uint64_t since_ns, uint32_t lock_flags)
{
	if (lock)
		fprintf(out, " lock=%#" PRIx64 " lock_kind=\"%s\" lock_since=%.6f", lock, pl_bb_lock_name(lock_flags),
			seconds(since_ns));
}

static void print_stack(FILE *out, const uint64_t *stack, uint32_t depth, uint32_t room)
{
	if (depth > room)
		depth = room;
	if (!depth)
		return;
	fputs(" stack=", out);
	for (uint32_t i = 0; i < depth; i++)
		fprintf(out, "%s%" PRIx64, i ? "," : "", stack[i]);
}

static void print_hist(FILE *out, const struct bb_hist *hist)
{
	print_string(out, "name", hist->name, sizeof(hist->name));
	fprintf(out, " count=%llu sum=%.6f max=%.6f open=%.6f buckets=", hist->count, seconds(hist->sum_ns),
		seconds(hist->max_ns), seconds(hist->open_ns));
	const char *comma = "";

	for (uint32_t i = 0; i < BB_HIST_BUCKETS; i++) {
		if (!hist->bucket[i])
			continue;
		fprintf(out, "%s%" PRIu64 "us:%u", comma, (uint64_t)bb_hist_floor(i) / 1000, hist->bucket[i]);
		comma = ",";
	}
}

static void print_body(FILE *out, const struct bb_rec *rec, unsigned type, size_t bytes)
{
	switch (type) {
	case BB_REC_SAMPLE:
		print_sample(out, (const void *)rec);
		break;
	case BB_REC_ZONE: {
		const struct bb_zone *r = (const void *)rec;

		print_string(out, "zone", r->name, sizeof(r->name));
		fprintf(out, " nid=%u zid=%u seq=%llu free=%llu min=%llu low=%llu high=%llu boost=%llu managed=%llu present=%llu",
			r->nid, r->zid, r->seq, r->free, r->min, r->low, r->high, r->boost, r->managed, r->present);
		break;
	}
	case BB_REC_BLOCKED: {
		const struct bb_blocked *r = (const void *)rec;

		print_string(out, "comm", r->comm, sizeof(r->comm));
		fprintf(out, " task=%u tgid=%u switches=%llu since=%.6f", r->pid, r->tgid, r->switches, seconds(r->since_ns));
		if (r->reclaim_since_ns)
			fprintf(out, " reclaim_since=%.6f", seconds(r->reclaim_since_ns));
		print_task_flags(out, r->flags);
		print_lock(out, r->lock, r->lock_since_ns, r->lock_flags);
		print_stack(out, (const uint64_t *)(const void *)r->stack, r->nr_stack, BB_STACK_DEPTH);
		break;
	}
	case BB_REC_UNBLOCKED: {
		const struct bb_unblocked *r = (const void *)rec;

		fprintf(out, " task=%u switches=%llu since=%.6f until=%.6f", r->pid, r->switches, seconds(r->since_ns),
			seconds(r->until_ns));
		print_task_flags(out, r->flags);
		break;
	}
	case BB_REC_LOCK_WAIT: {
		const struct bb_lock_wait *r = (const void *)rec;

		print_string(out, "comm", r->comm, sizeof(r->comm));
		fprintf(out, " task=%u tgid=%u lock=%#llx lock_kind=\"%s\" begin=%.6f duration=%.6f ret=%d", r->pid, r->tgid,
			r->lock, pl_bb_lock_name(r->flags), seconds(r->begin_ns), seconds(r->duration_ns), r->ret);
		print_task_flags(out, r->task_flags);
		break;
	}
	case BB_REC_RECLAIM: {
		const struct bb_reclaim *r = (const void *)rec;

		print_string(out, "comm", r->comm, sizeof(r->comm));
		fprintf(out, " task=%u begin=%.6f duration=%.6f blkio=%.6f reclaimed=%llu order=%u gfp=%#x", r->pid,
			seconds(r->begin_ns), seconds(r->duration_ns), seconds(r->blkio_ns), r->nr_reclaimed, r->order, r->gfp);
		print_task_flags(out, r->flags);
		break;
	}
	case BB_REC_KSWAPD: {
		const struct bb_kswapd *r = (const void *)rec;

		fprintf(out, " event=%s nid=%u zid=%u order=%u",
			r->event == BB_KSWAPD_WAKE ? "wake" : r->event == BB_KSWAPD_SLEEP ? "sleep" : "?", r->nid, r->zid, r->order);
		break;
	}
	case BB_REC_THROTTLE: {
		const struct bb_throttle *r = (const void *)rec;

		print_string(out, "comm", r->comm, sizeof(r->comm));
		fprintf(out, " task=%u nid=%u", r->pid, r->nid);
		if (r->reason == BB_THROTTLE_PFMEMALLOC)
			fputs(" reason=pfmemalloc", out);
		else
			fprintf(out, " reason=%u", r->reason);
		fprintf(out, " timeout=%.6f delayed=%.6f", (double)r->timeout_us / 1e6, (double)r->delayed_us / 1e6);
		break;
	}
	case BB_REC_OOM_KILL: {
		const struct bb_oom_kill *r = (const void *)rec;

		print_string(out, "comm", r->comm, sizeof(r->comm));
		fprintf(out, " task=%u anon_rss_kib=%llu swap_free_pages=%llu", r->pid, r->anon_rss_kib, r->swap_free_pages);
		break;
	}
	case BB_REC_HUNG_TASK: {
		const struct bb_hung_task *r = (const void *)rec;

		print_string(out, "comm", r->comm, sizeof(r->comm));
		fprintf(out, " task=%u tgid=%u switches=%llu", r->pid, r->tgid, r->switches);
		print_task_flags(out, r->flags);
		print_lock(out, r->lock, r->lock_since_ns, r->lock_flags);
		print_stack(out, (const uint64_t *)(const void *)r->stack, r->nr_stack, BB_STACK_DEPTH);
		break;
	}
	case BB_REC_DISK_IO: {
		const struct bb_disk_io *r = (const void *)rec;

		fprintf(out, " kind=%s part=%u sector=%llu bytes=%u task=%u queued=%.6f arrived=%.6f begun=%.6f depth=%u",
			pl_bb_disk_kind_name(r->kind), r->part, r->sector, r->bytes, r->pid, seconds(r->queued_ns),
			seconds(r->arrived_ns), seconds(r->begun_ns), r->depth);
		break;
	}
	case BB_REC_MARK: {
		const struct bb_mark *r = (const void *)rec;

		print_string(out, "name", r->name, sizeof(r->name));
		fprintf(out, " value=%llu", r->value);
		break;
	}
	case BB_REC_METRIC: {
		const struct bb_metric *r = (const void *)rec;

		print_string(out, "name", r->name, sizeof(r->name));
		fprintf(out, " value=%lld", r->value);
		break;
	}
	case BB_REC_TEXT: {
		const struct bb_text *r = (const void *)rec;

		print_string(out, "name", r->name, sizeof(r->name));
		print_string(out, "text", (const char *)rec + sizeof(*r), bytes - sizeof(*r));
		break;
	}
	case BB_REC_HIST:
		print_hist(out, (const void *)rec);
		break;
	case BB_REC_DEADLINE: {
		const struct bb_deadline *r = (const void *)rec;

		fprintf(out, " at=%.6f", seconds(r->deadline_ns));
		break;
	}
	case BB_REC_END: {
		static const char *const reasons[] = { "done", "deadline", "panic" };
		uint32_t reason = ((const struct bb_end *)(const void *)rec)->reason;

		fprintf(out, " reason=%s", reason < sizeof(reasons) / sizeof(*reasons) ? reasons[reason] : "?");
		break;
	}
	case BB_REC_STALL_BEGIN: {
		const struct bb_stall_begin *r = (const void *)rec;

		fprintf(out, " nid=%u zid=%u free=%llu min=%llu low=%llu high=%llu boost=%llu order=%u gfp=%#x", r->nid, r->zid,
			r->free, r->min, r->low, r->high, r->boost, r->order, r->gfp);
		break;
	}
	case BB_REC_STALL_END: {
		static const char *const results[] = {
			[BB_STALL_PAGE] = "page",
			[BB_STALL_COMPACTION] = "compaction",
			[BB_STALL_OOM] = "oom",
			[BB_STALL_FAILED] = "failed",
		};
		const struct bb_stall_end *r = (const void *)rec;
		uint32_t result = r->result;

		print_string(out, "comm", r->comm, sizeof(r->comm));
		fprintf(out, " nid=%u zid=%u duration=%.6f blkio=%.6f throttled=%.6f rounds=%u reclaimed=%llu free=%llu order=%u "
			"gfp=%#x mmap_contended=%u result=%s", r->nid, r->zid, seconds(r->total_ns), seconds(r->blkio_ns),
			seconds(r->throttled_ns), r->rounds, r->nr_reclaimed, r->free, r->order, r->gfp, r->mmap_contended,
			result < sizeof(results) / sizeof(*results) ? results[result] : "?");
		break;
	}
	case BB_REC_WMARKS: {
		const struct bb_wmarks *r = (const void *)rec;

		print_string(out, "zone", r->name, sizeof(r->name));
		fprintf(out, " nid=%u min=%llu low=%llu high=%llu promo=%llu", r->nid, r->min, r->low, r->high, r->promo);
		break;
	}
	case BB_REC_LOWMEM_RESERVE: {
		const struct bb_lowmem_reserve *r = (const void *)rec;

		print_string(out, "zone", r->name, sizeof(r->name));
		print_string(out, "upper", r->upper, sizeof(r->upper));
		fprintf(out, " nid=%u pages=%llu", r->nid, r->pages);
		break;
	}
	case BB_REC_TOTALRESERVE: {
		const struct bb_totalreserve *r = (const void *)rec;

		fprintf(out, " pages=%llu", r->pages);
		break;
	}
	case BB_REC_LOCK_HOLD: {
		const struct bb_lock_hold *r = (const void *)rec;

		print_string(out, "comm", r->comm, sizeof(r->comm));
		fprintf(out, " task=%u tgid=%u lock=%#llx lock_kind=\"%s\" begin=%.6f duration=%.6f switches=%llu", r->pid, r->tgid,
			r->lock, pl_bb_lock_name(r->flags), seconds(r->begin_ns), seconds(r->duration_ns), r->switches);
		print_task_flags(out, r->task_flags);
		break;
	}
	case BB_REC_LOCK_TASK: {
		const struct bb_lock_task *r = (const void *)rec;

		print_string(out, "comm", r->comm, sizeof(r->comm));
		fprintf(out, " task=%u tgid=%u role=%s lock=%#llx lock_kind=\"%s\" mmap_lock=%d since=%.6f switches=%llu", r->pid,
			r->tgid, r->role == BB_LOCK_HOLDER ? "holder" : r->role == BB_LOCK_WAITER ? "waiter" : "?", r->lock,
			pl_bb_lock_name(r->lock_flags & ~BB_LOCK_MMAP), !!(r->lock_flags & BB_LOCK_MMAP), seconds(r->since_ns),
			r->switches);
		if (r->reclaim_since_ns)
			fprintf(out, " reclaim_since=%.6f", seconds(r->reclaim_since_ns));
		print_task_flags(out, r->flags);
		print_stack(out, (const uint64_t *)(const void *)r->stack, r->nr_stack, BB_CONVOY_STACK_DEPTH);
		break;
	}
	default:
		fprintf(out, " type=%u bytes=%zu", type, bytes);
		break;
	}
}

enum pl_bb_next pl_bb_print(const struct pl_bb *bb, FILE *out)
{
	const struct bb_rec *rec;
	enum pl_bb_next next;
	uint64_t offset = 0, at = 0;

	while ((next = pl_bb_next(bb, &offset, &rec)) == PL_BB_RECORD) {
		unsigned type = rec->type;

		fprintf(out, "%12.6f %-9s pid=%u", seconds(rec->t_ns), pl_bb_type_name(type), rec->pid);
		print_body(out, rec, type, (size_t)(offset - at));
		fputc('\n', out);
		at = offset;
	}
	if (next == PL_BB_DAMAGED)
		fprintf(out, "# byte %" PRIu64 " of the log's %llu: damaged, nothing after it can be read\n", offset, bb->header.head);
	else if (offset < bb->header.head)
		fprintf(out, "# byte %" PRIu64 " of the log's %llu: a record is still being written here\n", offset, bb->header.head);
	if (bb->header.dropped_records)
		fprintf(out, "# the black box was full: %llu records dropped\n", bb->header.dropped_records);
	return next;
}
