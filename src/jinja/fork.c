// Renderings of fewer elements of a list, told by the rendering of them all.
//
// A mask needs, for each answer, the text that the messages before it give with a generation prompt. Rendering each anew takes the square
// of their number. But until a template looks at where the list ends, it does the same for fewer elements. So at the loop over the list,
// where the shorter rendering would leave it, the rest of the template is run as if the list ended there; then all that this changed is
// put back and the loop goes on. What the template looked at before is watched (`seen`, `dead`): where it could have told the two
// apart, nothing is given, and the caller renders anew.
#include "base/util.h"
#include "jinja/ast.h"

enum { MOST_SPENT = 64 << 20 };     // memory that forks may take from the arena of one rendering

struct undo { struct undo *before; void *at; size_t size; _Alignas(16) unsigned char was[]; };

void fork_note(render *r, void *at, size_t size)
{
    if (!r->forked)
        return;
    struct undo *u = arena_alloc(&r->arena, sizeof *u + size);
    u->before = r->undo;
    u->at = at;
    u->size = size;
    memcpy(u->was, at, size);
    r->undo = u;
}

// ---- what the template looks at ----

static int name_of(const render *r, const node *value_of)
{
    for (int64_t i = 0; i < r->context->object.count; i++)
        if (&r->context->object.members[i].value == value_of)
            return (int)map_get(&r->j->name_map, r->context->object.members[i].key, -1);
    return -1;
}

static void watch(jinja_fork *k, jlist *l, int64_t offset)
{
    k->dead = k->dead || k->list_count == (int)COUNT(k->lists);
    if (k->dead)
        return;
    l->watched = true;
    l->offset = offset;
    k->lists[k->list_count++] = l;
}

void fork_begin(render *r)
{
    jinja_fork *k = r->fork;
    const int list = name_of(r, k->list);
    k->flag_name = name_of(r, k->flag);
    k->all = k->list->list.count;
    k->seen = 0;
    k->spent = 0;
    k->dead = list < 0;
    k->early = false;
    k->told = 0;
    k->loop = NULL;
    k->list_count = 0;
    if (k->dead)
        return;
    r->globals[list] = value_from_node(r, k->list, 0);
    watch(k, r->globals[list].list, 0);
}

static bool is_watched(value v) { return (v.kind == V_LIST || v.kind == V_TUPLE) && v.list->watched; }
static void see(jinja_fork *k, int64_t index) { k->seen = MAX(k->seen, index); }

// The value goes where its end may be looked at.
void fork_see(render *r, value v)
{
    jinja_fork *k = r->fork;
    if (is_watched(v) || (v.kind == V_LOOP && v.loop == k->loop))
        k->dead = true;
}

void fork_see_name(render *r, int name)
{
    if (name == r->fork->flag_name)
        r->fork->dead = true;
}

void fork_see_truth(render *r, value v)
{
    if (is_watched(v))
        see(r->fork, v.list->offset);
}

void fork_see_item(render *r, value object, value key)
{
    int64_t i;
    if (!is_watched(object) || !value_as_int(key, &i) || i < 0)
        fork_see(r, object);
    else if (i < object.list->count)
        see(r->fork, object.list->offset + i);
}

void fork_see_attribute(render *r, value object, str name)
{
    static const char *const free_names[] = { "index", "index0", "first", "depth", "depth0", "previtem", "cycle" };
    jinja_fork *k = r->fork;
    if (object.kind != V_LOOP || object.loop != k->loop) {
        fork_see(r, object);
        return;
    }
    for (size_t i = 0; i < COUNT(free_names); i++)
        if (str_is(name, free_names[i]))
            return;
    if (str_is(name, "last") || str_is(name, "nextitem"))
        see(k, k->offset + k->loop->index + 1);
    else
        k->dead = true;
}

// list[2:] ends where the list ends.
void fork_see_slice(render *r, value object, const value bounds[3], value slice)
{
    int64_t start;
    if (!is_watched(object))
        return;
    if (bounds[1].kind == V_MISSING && bounds[2].kind == V_MISSING && value_as_int(bounds[0], &start) && start >= 0 && slice.kind == V_LIST)
        watch(r->fork, slice.list, object.list->offset + MIN(start, object.list->count));
    else
        r->fork->dead = true;
}

// ---- the loop over the list ----

void fork_enter_loop(render *r, const stmt *s, value v, jloop *loop)
{
    jinja_fork *k = r->fork;
    if (!is_watched(v))
        return;
    k->dead = k->dead || s->test || s->recursive || k->loop || !r->body || !r->body->is_plain || r->out != r->root;
    if (!k->dead) {
        k->loop = loop;
        k->offset = v.list->offset;
    }
}

void fork_leave_loop(render *r, const jloop *loop)
{
    jinja_fork *k = r->fork;
    if (k->loop != loop)
        return;
    if (loop->index >= loop->count)
        k->dead = true;                                     // its end was seen
    else
        see(k, k->offset + loop->index);
    k->loop = NULL;
}

// What follows the loop, out to the end of the template.
static bool run_rest(render *r, jloop *loop, bool with_item)
{
    TRY(loop_finish(r, loop, with_item));
    for (const body_frame *b = r->body; b; b = b->before) {
        flow f = FLOW_ON;
        body_frame rest = *b;
        rest.at++;
        TRY(exec_rest(r, &rest, &f));
        r->depth--;
    }
    return true;
}

static void set_counts(jinja_fork *k, int64_t count)
{
    for (int i = 0; i < k->list_count; i++)
        k->lists[i]->count = MAX(count - k->lists[i]->offset, (int64_t)0);
}

static void roll_back(struct undo *u)
{
    for (; u; u = u->before)
        memcpy(u->at, u->was, u->size);
}

// Runs the rest as if the list had `count` elements and the flag were true. Its text goes behind what is there, and is cut off again.
static void run_fork(render *r, int64_t count, bool with_item)
{
    jinja_fork *k = r->fork;
    err why = {0};
    const render before = *r;
    const jloop loop = *k->loop;
    sink root = *r->root;
    jinja_run last = root.run_count ? root.runs[root.run_count - 1] : (jinja_run){0};
    value flag = k->flag_name < 0 ? value_none : r->globals[k->flag_name];
    r->fork = NULL;
    r->forked = true;
    r->undo = NULL;
    r->e = &why;
    r->out = r->root = &root;
    if (k->flag_name >= 0)
        r->globals[k->flag_name] = value_bool(true);
    set_counts(k, count);
    k->loop->count = count - k->offset;
    const bool ok = run_rest(r, k->loop, with_item);
    roll_back(r->undo);
    arena used = r->arena;
    k->spent += used.used - before.arena.used;
    *r = before;
    used.used = before.arena.used;                          // as if it had not been: limits are those of a rendering alone
    r->arena = used;
    *k->loop = loop;
    set_counts(k, k->all);
    if (k->flag_name >= 0)
        r->globals[k->flag_name] = flag;
    if (r->root->run_count)
        r->root->runs[r->root->run_count - 1] = last;
    const str all = { root.at ? root.at : "", root.size }, rest = str_from(all, r->root->size);
    k->take(k->self, count, r->root->size, ok ? &rest : NULL);
    k->told = count;
    k->dead = k->dead || k->spent > MOST_SPENT;
}

// Before an element: the rendering of those before it; and where the template looks ahead, of this one too, with the element run again.
void fork_at(render *r)
{
    jinja_fork *k = r->fork;
    const int64_t at = k->offset + k->loop->index;
    if (k->dead || at < 1)
        return;
    if (at > k->told && k->wanted(k->self, at)) {
        if (at > k->seen)
            run_fork(r, at, false);
        else
            k->early = true;
    }
    if (k->early && !k->dead && at + 1 < k->all && at + 1 > MAX(k->seen, k->told) && k->wanted(k->self, at + 1))
        run_fork(r, at + 1, true);
}
