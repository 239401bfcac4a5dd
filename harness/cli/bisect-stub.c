#include "cli/bisect.h"
enum pl_status pl_bisect_settings(struct pl_bisect *b, struct pl_error *err){(void)b;return pl_fail(err,PL_HOST,"-");}
enum pl_status pl_bisect_effects(struct pl_bisect *b, struct pl_error *err){(void)b;return pl_fail(err,PL_HOST,"-");}
enum pl_status pl_bisect_commits(struct pl_bisect *b, struct pl_error *err){(void)b;return pl_fail(err,PL_HOST,"-");}
