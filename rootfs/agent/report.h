/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For the parts of the agent that build a record of their own. */
#ifndef AGENT_REPORT_H
#define AGENT_REPORT_H

#include <stddef.h>

#include "blackbox/format.h"

/* Write a record, which begins with a struct bb_rec: type and length are filled in. */
void report_record(void *record, enum bb_rec_type type, size_t bytes);

#endif
