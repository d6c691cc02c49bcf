// A program: one optimizer step (or one forward pass) as a flat list of calls, recorded once. The CPU
// engine walks the list, the XLA engine translates it. Recording never fails at the call: the first
// mistake is kept and `program_finish` returns it. docs/architecture.md has the contract.
#pragma once
#include <stddef.h>

#include "base/err.h"
#include "base/text.h"
#include "engine/op.h"
#include "engine/tensor.h"

enum { MAX_ARGS = 10, MAX_NUMBERS = 5, MAX_DEPTH = 4, LETTERS = 26 };

// What a tensor is for. The first five keep their bytes from step to step and can be read and written
// between steps; the others live only from the first to the last call that names them.
// STATE is kept like a weight but not trained: a cache of keys and values.
typedef enum kind { INPUT, WEIGHT, MOMENT, STATE, OUTPUT, GRADIENT, ACTIVATION, KINDS } kind;

static inline bool kind_kept(kind k) { return k <= OUTPUT; }

// A place in a stack: the variable of a recorded loop, or a constant when `loop` is 0.
typedef struct turn {
    int32_t loop;
    int64_t at, step, left;
} turn;

typedef struct value {
    const char *name;
    kind kind;
    type type;
    shape shape;
    tensor of;                      // a view: element `at` of this stack
    turn at;
    int first, last;                // plan: the calls between which its memory is its own
    int64_t offset;                 // plan: in bytes, within kept or within scratch memory
} value;

typedef struct call {
    op op;
    mode mode;
    tensor arg[MAX_ARGS];
    float number[MAX_NUMBERS];      // constants of the program: eps, betas
    int32_t loop;                   // of OP_LOOP and OP_END
    // From the table, when recorded:
    int args;
    char access[MAX_ARGS];          // '=', '+', '!', or ' ' for only read
    int64_t dim[LETTERS], count;    // sizes by letter; elements of `*`
} call;

typedef enum order { FORWARD, REVERSE } order;

typedef struct loop {
    int begin, end;                 // its OP_LOOP and OP_END
    int64_t count;
    order order;
    tensor bound;                   // when not {0}: an I32 scalar; min(count, bound) turns are run, from index 0
} loop;

typedef struct program {
    value *values;                  // [0] is no tensor
    call *calls;
    loop *loops;                    // [0] is no loop
    int value_count, call_count, loop_count;
    int32_t open[MAX_DEPTH];        // loops being recorded
    int depth;
    type compute;                   // F32 or BF16: the type of activations that feed matrix products
    bool unroll;                    // record every loop (without a bound) as copies of its body; for tests
    int64_t kept, scratch, unshared;// plan, in bytes: kept, shared by lifetime, the same without sharing
    err error;
} program;

void program_open(program *p, type compute);
void program_close(program *p);

tensor program_tensor(program *p, kind k, type t, const char *name, shape s);   // `name` must outlive p
tensor program_like(program *p, kind k, const char *name, tensor t);
tensor program_at(program *p, tensor stack, turn i);

// LOOP (p, layer, layers, FORWARD) { … program_at(p, stack, layer) … }    Not to be left by `break`.
#define LOOP(p, i, n, order) for (turn i = program_loop(p, n, order); program_more(p, &(i)); )
turn program_loop(program *p, int64_t n, order o);
// Runs only the first `bound` turns (an I32 scalar tensor, read when the loop begins), always forward.
#define LOOP_BOUND(p, i, n, bound) for (turn i = program_loop_bound(p, n, bound); program_more(p, &(i)); )
turn program_loop_bound(program *p, int64_t n, tensor bound);
bool program_more(program *p, turn *i);

// Checks the whole list and plans its memory. After this the program does not change.
bool program_finish(program *p, err *e) MUST_CHECK;

void program_call(program *p, call c);
void program_print(const program *p, text *out);
void program_plan(program *p);
void program_print_plan(const program *p, text *out);

static inline const value *program_value(const program *p, tensor t) { return &p->values[t.id]; }
int32_t program_base(const program *p, tensor t);       // the id of the stack that a view looks into
tensor program_find(const program *p, const char *name);// a base tensor by name; {0} when there is none
static inline int64_t program_bytes(const program *p, tensor t)
{
    const value *v = program_value(p, t);
    return type_size(v->type) * shape_count(v->shape);
}

// Does the value cross from one turn of the loop to the next, or into or out of the loop?
bool program_carries(const program *p, int32_t id, int32_t base);
bool program_writes(const program *p, int32_t id, int32_t base);
const char *op_name(op o);

// The type in which a matrix product reads it (both factors alike, but F32 by BF16 in matmul_nt):
// BF16 for an F32 weight of a BF16 program (through the engine's copy, or rounded where it is read).
type program_operand(const program *p, tensor t);
bool program_copied(const program *p, tensor base);     // does some product read this base through such a copy?
int64_t program_copies(const program *p);               // bytes of all of them

// The functions that model code calls, one for each row.
#define LIST(...) __VA_ARGS__
#define X(id, spec, params, args, ...)                                        \
    static inline void op_##id params                                         \
    {                                                                         \
        program_call(p, (call){ .op = OP_##id, .arg = { LIST args }, __VA_ARGS__ }); \
    }
OPS(X)
#undef X
