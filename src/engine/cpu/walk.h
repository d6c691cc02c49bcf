// Walks the list of a program: where each tensor lies at this moment, and what comes next.
#pragma once
#include "engine/program.h"

typedef struct walk {
    const program *p;
    char **base;                    // by value: where a base lies
    int64_t *turn, *turns;          // by loop: the index it is at, how many there are in this step
    int64_t size[TYPES];            // bytes of an element (the ref engine holds F32 and BF16 as double)
} walk;

bool walk_open(walk *w, const program *p, err *e) MUST_CHECK;
void walk_close(walk *w);           // not what base[] points to

void *walk_address(const walk *w, tensor t);            // NULL for {0}

// Calls run(self, call) for each, in order; stops and returns false when it does.
typedef bool walk_call(void *self, const call *c, err *e);
bool walk_step(walk *w, walk_call *run, void *self, err *e) MUST_CHECK;

// Are the I32 arguments of a call within the sizes of what they index? `at` has the addresses of its arguments.
bool walk_check_indices(const program *p, const call *c, void *const *at, err *e) MUST_CHECK;

// For an engine's read and write: a run of elements of a kept tensor. NULL and `e` when there is no such run.
char *walk_elements(const walk *w, tensor t, int64_t from, int64_t count, err *e);
