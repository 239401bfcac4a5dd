// SPDX-License-Identifier: GPL-3.0-or-later
/* Who waits for whom: from a wait to the task that has to end it, and from that one on; and the fingerprint of that. */
#include "analyse/finder.h"

#include <stdlib.h>
#include <string.h>

/* Links of a chain that a fingerprint names: what lies deeper is chance. */
#define FINGERPRINT_LINKS 3

static const struct facts_span *lock_wait_at(const struct finder *finder, uint32_t pid, uint64_t t_ns)
{
	for (size_t i = 0; i < finder->facts.waits.nr; i++) {
		const struct facts_span *span = &finder->facts.waits.list[i];

		if (span->pid == pid && span->begin_ns <= t_ns && span->end_ns > t_ns)
			return span;
	}
	return NULL;
}

static void link_io(const struct finder *finder, struct pl_wait_link *link, uint64_t t_ns)
{
	const struct facts_span *request = facts_at(&finder->facts.requests, link->pid, t_ns);

	if (request) {
		const struct bb_disk_io *io = (const void *)request->rec;

		link->io = (struct pl_convoy_io){ io->kind, io->bytes, finder_s(t_ns - request->begin_ns) };
	}
}

static void link_does(struct pl_wait_link *link, enum pl_wait_kind kind, uint64_t since_ns, uint64_t t_ns)
{
	link->does = kind;
	link->since_s = finder_s(since_ns);
	link->so_far_s = finder_s(t_ns > since_ns ? t_ns - since_ns : 0);
}

/* What a task does at a time. *lock: what it waits for if that is a lock; *whom: who ends its wait. */
static void look_at(const struct finder *finder, struct pl_wait_link *link, uint64_t t_ns, uint64_t *lock,
		    enum pl_stack_role *whom)
{
	const struct facts_span *lock_wait = lock_wait_at(finder, link->pid, t_ns);
	const struct facts_span *stall = facts_at(&finder->facts.stalls, link->pid, t_ns);
	const struct bb_rec *rec = finder_stack_near(finder, link->pid, t_ns);
	const char *names[BB_CONVOY_STACK_DEPTH];
	size_t nr = finder_names(finder, rec, names);
	const struct facts_span *sleep = facts_at(&finder->facts.blocked, link->pid, t_ns);
	const __u64 *stack;

	*lock = 0;
	*whom = PL_ROLE_NONE;
	finder_comm(finder, link->pid, rec, link->comm);
	link->nr_stack = finder_stack(rec, &stack);
	link->stack = stack;
	link->inside = stall ? "direct reclaim" : pl_stack_inside(names, nr);
	link_io(finder, link, t_ns);
	if (lock_wait) {
		const struct wait wait = { .kind = PL_WAIT_LOCK,
					   .lock = finder_lock_wait(lock_wait->rec)->lock,
					   .rec = lock_wait->rec };

		*lock = wait.lock;
		link_does(link, PL_WAIT_LOCK, lock_wait->begin_ns, t_ns);
		finder_name(finder, &wait, link->name);
		return;
	}

	struct wait wait = { .rec = rec };

	if (rec)
		finder_classify(finder, rec, finder_flags(rec), &wait);
	if (stall) {
		link_does(link, PL_WAIT_RECLAIM, stall->begin_ns, t_ns);
		link->asleep_in = wait.class ? wait.class->name : NULL;
		snprintf(link->name, sizeof(link->name), "direct reclaim");
	} else if (rec && rec->type == BB_REC_BLOCKED) {
		link_does(link, wait.kind, sleep ? sleep->begin_ns : finder_blocked(rec)->since_ns, t_ns);
		finder_name(finder, &wait, link->name);
		link->what = wait.class ? wait.class->what : NULL;
		*whom = wait.class ? wait.class->whom : PL_ROLE_NONE;
	} else {
		link->does = PL_WAIT_NONE;
	}
}

/* Who holds the lock at a time: who has held it for the longest. 0: not recorded. */
static uint32_t holder_at(const struct finder *finder, uint64_t lock, uint64_t t_ns, size_t *nr_others)
{
	const struct facts *facts = &finder->facts;
	uint64_t begin_ns = UINT64_MAX;
	uint32_t pid = 0;
	size_t nr = 0;

	for (size_t i = 0; i < facts->holds.nr; i++) {
		const struct facts_span *span = &facts->holds.list[i];

		if (((const struct bb_lock_hold *)(const void *)span->rec)->lock != lock || span->begin_ns > t_ns ||
		    span->end_ns <= t_ns)
			continue;
		nr++;
		if (span->begin_ns >= begin_ns)
			continue;
		begin_ns = span->begin_ns;
		pid = span->pid;
	}
	/* Holds are written when they end: of a log that was cut off there are the convoys. */
	for (size_t i = 0; i < facts->parts.nr && !nr; i++) {
		const struct facts_span *span = &facts->parts.list[i];
		const struct bb_lock_task *part = finder_lock_task(span->rec);

		if (part->lock == lock && part->role == BB_LOCK_HOLDER && span->begin_ns <= t_ns &&
		    span->end_ns + BB_CONVOY_STEP_NS > t_ns && span->begin_ns < begin_ns) {
			begin_ns = span->begin_ns;
			pid = span->pid;
		}
	}
	*nr_others = nr ? nr - 1 : 0;
	return pid;
}

/* Who of this role is the likeliest: who has been in direct reclaim for the longest, or else asleep. 0: nobody. */
static uint32_t role_at(const struct finder *finder, enum pl_stack_role role, uint32_t but, uint64_t t_ns,
			size_t *nr_others)
{
	const struct facts_spans *blocked = &finder->facts.blocked;
	uint64_t best_ns = UINT64_MAX;
	uint32_t pid = 0, last = 0;
	bool best_reclaims = false;
	size_t nr = 0;

	for (size_t i = 0; i < blocked->nr; i++) {
		const struct facts_span *span = &blocked->list[i];
		const char *names[BB_CONVOY_STACK_DEPTH];

		if (span->pid == but || (nr && span->pid == last) || span->begin_ns > t_ns + FINDER_SLACK_NS ||
		    span->end_ns + FINDER_SLACK_NS < t_ns ||
		    !pl_stack_has_role(names, finder_names(finder, span->rec, names), finder_blocked(span->rec)->comm,
				       role))
			continue;

		const struct facts_span *stall = facts_at(&finder->facts.stalls, span->pid, t_ns);
		uint64_t since_ns = stall ? stall->begin_ns : span->begin_ns;

		nr++;
		last = span->pid;
		if (pid &&
		    (best_reclaims > (stall != NULL) || (best_reclaims == (stall != NULL) && since_ns >= best_ns)))
			continue;
		pid = span->pid;
		best_ns = since_ns;
		best_reclaims = stall != NULL;
	}
	*nr_others = nr ? nr - 1 : 0;
	/* A kernel thread that does not sleep at the moment is known by its name. */
	for (size_t i = 0; i < finder->nr_comms && !pid; i++)
		if (finder->comms[i].pid != but && pl_stack_has_role(NULL, 0, finder->comms[i].comm, role))
			pid = finder->comms[i].pid;
	return pid;
}

static void first_link(const struct finder *finder, const struct pl_wait *told, uint64_t t_ns,
		       struct pl_wait_link *link)
{
	const char *names[BB_CONVOY_STACK_DEPTH];

	*link = (struct pl_wait_link){
		.pid = told->pid,
		.relation = "",
		.does = told->kind,
		.what = told->what,
		.since_s = told->since_s,
		.so_far_s = finder_s(t_ns) - told->since_s,
		.inside = told->kind == PL_WAIT_RECLAIM
				  ? "direct reclaim"
				  : pl_stack_inside(names, pl_stack_names(finder->bb, finder->symbols, told->stack,
									  told->nr_stack, names)),
		.nr_stack = told->nr_stack,
		.stack = told->stack,
	};
	memcpy(link->comm, told->comm, sizeof(link->comm));
	memcpy(link->name, told->name, sizeof(link->name));
	link_io(finder, link, t_ns);
}

static enum pl_stack_role whom_of(const struct finder *finder, const struct pl_wait *wait)
{
	const char *names[BB_CONVOY_STACK_DEPTH];
	size_t nr = pl_stack_names(finder->bb, finder->symbols, wait->stack, wait->nr_stack, names);
	const struct pl_wait_class *class = wait->kind == PL_WAIT_CLASS ? pl_stack_wait(names, nr) : NULL;

	return class ? class->whom : PL_ROLE_NONE;
}

void finder_make_chain(const struct finder *finder, struct pl_wait_group *group)
{
	const struct pl_wait *told = &group->told;
	uint64_t at_ns = told->until_ns > told->since_ns ? told->until_ns - 1 : told->since_ns, lock = told->lock;
	enum pl_stack_role whom = whom_of(finder, told);

	if (told->reported_ns)
		at_ns = told->reported_ns;
	else if (finder->timeout_ns && told->until_ns - told->since_ns > finder->timeout_ns)
		at_ns = told->since_ns + finder->timeout_ns;
	group->chain_at_s = finder_s(at_ns);
	group->chain = pl_calloc(PL_WAIT_CHAIN_MAX, sizeof(*group->chain));
	first_link(finder, told, at_ns, &group->chain[group->nr_chain++]);
	while (group->nr_chain < PL_WAIT_CHAIN_MAX && (lock || whom != PL_ROLE_NONE)) {
		struct pl_wait_link *link = &group->chain[group->nr_chain];
		const struct pl_wait_link *last = link - 1;

		link->relation = lock ? "holder" : pl_stack_role_name(whom);
		link->pid = lock ? holder_at(finder, lock, at_ns, &link->nr_others)
				 : role_at(finder, whom, last->pid, at_ns, &link->nr_others);
		if (!link->pid)
			break;
		for (size_t i = 0; i < group->nr_chain; i++)
			group->chain_is_round |= group->chain[i].pid == link->pid;
		if (group->chain_is_round)
			break;
		look_at(finder, link, at_ns, &lock, &whom);
		group->nr_chain++;
	}
}

static void print_activity(struct pl_buf *text, const struct pl_wait_link *link)
{
	if (link->inside && link->does != PL_WAIT_LOCK)
		pl_buf_printf(text, " in %s", link->inside);
	else if (link->does == PL_WAIT_NONE)
		pl_buf_printf(text, " runs");
	else
		pl_buf_printf(text, " %s %s", link->does == PL_WAIT_SLEEP ? "in" : "waits for", link->name);
}

void finder_fingerprint(const struct finder *finder, const struct pl_wait_group *group,
			char fingerprint[PL_FINGERPRINT_MAX])
{
	const struct pl_wait *told = &group->told;
	const char *names[BB_CONVOY_STACK_DEPTH];
	struct pl_buf text = { 0 };
	enum pl_stack_role whom = whom_of(finder, told);
	char entry[PL_WAIT_NAME_MAX];

	pl_buf_printf(&text, "%s", told->name);
	if (told->kind == PL_WAIT_CLASS && group->chain[0].inside)
		pl_buf_printf(&text, " in %s", group->chain[0].inside);
	for (size_t i = 1; i < group->nr_chain && i <= FINGERPRINT_LINKS; i++) {
		pl_buf_printf(&text, "%s %s", i == 1 ? ":" : ",", group->chain[i].relation);
		print_activity(&text, &group->chain[i]);
	}
	if (group->nr_chain == 1 && (told->lock || whom != PL_ROLE_NONE))
		pl_buf_printf(&text, ": %s unknown", told->lock ? "holder" : pl_stack_role_name(whom));
	pl_stack_entry(names, pl_stack_names(finder->bb, finder->symbols, told->stack, told->nr_stack, names), entry,
		       sizeof(entry));
	pl_buf_printf(&text, " | %s", entry);
	snprintf(fingerprint, PL_FINGERPRINT_MAX, "%s", text.text);
	pl_buf_free(&text);
}
