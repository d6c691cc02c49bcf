// What runs beside what. A kind of step says how many cores it keeps busy: none (it waits for the network), one slot, or all of them.
// Steps start in the order of the graph while their cores fit; one step alone always fits. A training that was given `threads` takes
// that many, and then its planned memory must fit, too.
#include "base/cores.h"
#include "base/util.h"
#include "run/decide.h"
#include "train/memory.h"

static int64_t threads_of(const exec_step *s)
{
    const node *alone = node_get(s->settings, "threads"), *trained = node_get(node_get(s->settings, "sft_config"), "threads");
    const node *n = node_is(alone, NODE_INT) ? alone : trained;
    return node_is(n, NODE_INT) ? n->integer : 0;
}

void budget_open(jobs *j)
{
    j->cores = cores_usable();
    j->memory = memory_available();
    for (int i = 0; i < j->count; i++) {
        job *b = &j->items[i];
        bool all = b->step->kind->cores == CORES_ALL;
        b->cores = all ? (int)threads_of(b->step) : b->step->kind->cores;
        if (all && b->cores <= 0)
            b->cores = j->cores;
        b->cores = MIN(b->cores, j->cores);
    }
}

// What a training needs is known when its tokens are, which is when it may start.
static int64_t memory_of(job *b)
{
    if (!b->memory && b->step->kind->memory)
        b->memory = b->step->kind->memory(b->step);
    return b->memory;
}

// Asked only where something else is at work; what that takes was not asked for when it started alone.
static bool memory_fits(const jobs *j, job *b)
{
    int64_t taken = 0;
    if (!b->step->kind->memory)
        return true;
    for (int i = 0; i < j->count; i++)
        if (j->items[i].outcome == OUTCOME_RUNNING)
            taken += memory_of(&j->items[i]);
    return !taken || !j->memory || taken + memory_of(b) <= j->memory;
}

bool budget_allows(const jobs *j, job *b)
{
    int running = 0, cores = 0;
    for (int i = 0; i < j->count; i++)
        if (j->items[i].outcome == OUTCOME_RUNNING) {
            running++;
            cores += j->items[i].cores;
        }
    if (running >= MAX(1, j->options->max_concurrent))
        return false;
    return !b->cores || !cores || (cores + b->cores <= j->cores && memory_fits(j, b));
}
