// The formulas of the table, plainly, in double: one function for each row.
#pragma once
#include "engine/program.h"

// `at` has the address of each argument, NULL for one that is not wanted; `c` has sizes by letter and the constants.
typedef void ref_op(const call *c, void *const *at);
extern ref_op *const ref_ops[OP_LOOP];
