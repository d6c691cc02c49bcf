// Values of the template language: Python's, as far as templates can see them. Text knows where each byte came from.
#pragma once
#include <time.h>

#include "jinja/jinja.h"

typedef enum value_kind {
    V_MISSING,                      // no value: an argument that was not given
    V_UNDEFINED, V_NONE, V_BOOL, V_INT,
    V_BIG,                          // a whole number beyond 64 bits: its digits
    V_FLOAT, V_TEXT, V_LIST, V_TUPLE, V_DICT,
    V_VIEW,                         // dict.keys(), .values(), .items()
    V_RANGE,
    V_ITERATOR,                     // what filters like map give: read once
    V_NAMESPACE, V_MACRO, V_METHOD, V_FUNCTION, V_LOOP, V_CYCLER, V_JOINER,
    V_SELF, V_BLOCK,                // `self`, self.name
} value_kind;

typedef struct value value;
typedef struct render render;
struct expr;
struct stmt;
struct body;
struct arguments;
struct json_format;

typedef struct jtext {
    str s;
    int64_t chars;                  // characters; -1: not counted yet
    const jinja_run *runs;          // NULL: all of it has the mark of the value
    int64_t run_count;
} jtext;

struct value {
    uint8_t kind;
    bool safe;                      // V_TEXT: passed through |safe or |escape (Markup); V_DICT: a namespace's
    int32_t mark;                   // where it came from; 0: the template
    union {
        bool truth;
        int64_t integer;
        double number;
        jtext *text;                // V_TEXT, V_BIG
        struct jlist *list;         // V_LIST, V_TUPLE
        struct jdict *dict;         // V_DICT, V_NAMESPACE
        struct jview *view;
        struct jrange *range;
        struct jiterator *iterator;
        struct jundefined *undefined;
        struct jmacro *macro;
        struct jmethod *method;
        const struct function_row *function;
        struct jloop *loop;
        struct jcycler *cycler;
        const struct stmt *block;
    };
};

// Lists and dicts that stand for nodes of the context are filled when first looked into.
typedef struct jlist {
    value *items;
    int64_t count;
    const node *source;
    int32_t mark;
    bool watched;                   // fork.c: the list of which fewer elements are rendered too, or its end from `offset` on
    int64_t offset;
} jlist;
typedef struct jpair { value key, value; } jpair;
typedef struct jdict { jpair *pairs; int64_t count, room; const node *source; int32_t mark; } jdict;
typedef enum view_part { VIEW_KEYS, VIEW_VALUES, VIEW_ITEMS } view_part;
typedef struct jview { value dict; view_part part; } jview;
typedef struct jrange { int64_t start, stop, step, count; } jrange;
// What stops it after its items: the filters that give one compute them at once, but an error counts only when it is reached.
typedef struct jiterator { value *items; int64_t count, next; const char *name; const err *failure; } jiterator;
typedef struct jundefined { const char *hint; str name; value object; bool unsafe; } jundefined;
typedef struct jcycler { value *items; int64_t count, next; value separator; bool used; } jcycler;

typedef struct named_value { str name; value v; bool used; } named_value;
typedef struct call_args { value *list; named_value *named; int count, named_count; } call_args;

// Rows of the tables of filters, tests, methods and functions. `params`: names between blanks; `?` after one: may be
// left out; a leading "/": by position only; "*": the function reads `raw` itself.
typedef bool row_run(render *r, value *self, value *a, const call_args *raw, value *out);
typedef struct function_row { const char *name, *params; row_run *run; } function_row;
typedef struct jmethod { value self; const function_row *row; } jmethod;

typedef struct jbinding { int name; value v; } jbinding;
typedef struct scope {
    struct scope *parent;
    jbinding *vars;
    int count, room;
    bool kept;                      // a macro remembers it
} scope;

typedef struct jmacro { const struct stmt *node; scope *scope; str name; } jmacro;

typedef struct jloop {
    value *items;
    int64_t count, index, depth;
    bool completed;                 // a round reached the end of the body
    value last_changed;
    const struct stmt *node;        // recursive loops: what to run again
    scope *scope;
} jloop;

typedef struct call_frame { const char *what; str name; int32_t line, column; const struct call_frame *before; } call_frame;

// Text in the making. Neighbouring bytes with the same mark share a run.
typedef struct sink {
    render *r;
    char *at;
    size_t size, room;
    jinja_run *runs;
    int64_t run_count, run_room;
} sink;

// A body being run, at its statement `at`. Plain: outside loops, macros and captures, so that what follows is the rest of each.
typedef struct body_frame {
    struct body_frame *before;
    const struct stmt *const *items;
    int count, at;
    bool is_plain;
} body_frame;

// Renderings of the first elements of a list of the context, with a member that is false made true: fork.c.
typedef struct jinja_fork {
    const node *list, *flag;        // values of members of the context
    bool (*wanted)(void *self, int64_t count);
    // The first `shared` bytes are those of the rendering of all; `rest` follows them. NULL: that rendering fails.
    void (*take)(void *self, int64_t count, size_t shared, const str *rest);
    void *self;
    // the rendering's own
    jlist *lists[4];                // the list and its ends
    int list_count, flag_name;
    int64_t all, offset;            // elements of the list; where the loop's list begins in it
    jloop *loop;                    // over the list, being run
    int64_t told;                   // the last count that was
    int64_t seen;                   // with this many elements or fewer the template could have gone another way
    bool dead, early;               // nothing more is told; elements are looked at before their time
    size_t spent;
} jinja_fork;

struct render {
    const jinja *j;
    arena arena;
    err *e;
    jinja_limits limits;
    int64_t steps;
    int depth, calls;
    uint64_t random;                // state of what chooses; 0: not begun
    int32_t line, column;           // of what is being computed
    const call_frame *frame;
    sink *out, *root;               // where text goes now; the output itself
    scope *scope, *base;            // base: what blocks see
    bool escape;                    // inside {% autoescape true %}
    const node *context;
    value *globals;                 // of the context, by name number, once looked up
    int32_t (*mark)(void *self, const node *text);
    void *self;
    struct timespec now;
    size_t watch;                   // when the output reaches this size, watch_line is set
    int32_t watch_line;
    body_frame *body;
    jinja_fork *fork;               // NULL: not wanted
    bool forked;                    // inside a fork: changes of what was there are noted
    struct undo *undo;
};

enum { MARK_GENERATION = 1 << 30 };  // OR-ed to the marks of what stands inside {% generation %}

// render.c: errors and limits. All return false.
bool jinja_fail(render *r, const char *fmt, ...) PRINTF(2, 3);
bool jinja_stop(render *r, err_code code, const char *fmt, ...) PRINTF(3, 4);
bool jinja_step(render *r, int64_t steps);              // false when a limit is reached
uint64_t jinja_random(render *r, uint64_t below);
bool jinja_enter(render *r);                            // one level deeper; r->depth-- undoes it
bool jinja_render_at(const jinja *j, const node *context, int32_t (*mark)(void *, const node *), void *self,
                     const jinja_limits *limits, struct timespec now, size_t watch, int32_t *watch_line, jinja_fork *fork,
                     jinja_output *out, err *e);

// text.c
value text_value(render *r, str s, int32_t mark);       // the bytes are not copied
value text_copy(render *r, str s, int32_t mark);
value text_char_value(const char *literal);             // not for output: a static empty text
bool sink_bytes(sink *s, const void *bytes, size_t size, int32_t mark);
bool sink_str(sink *s, str bytes, int32_t mark);
bool sink_value(sink *s, value text, int32_t or_mark);  // a V_TEXT
bool sink_part(sink *s, value text, size_t begin, size_t end, int32_t or_mark);
value sink_text(sink *s);
int32_t text_mark_at(value text, size_t at);
value text_part(render *r, value text, size_t begin, size_t end);   // bytes
int64_t text_chars(value text);
size_t text_offset(value text, int64_t index);          // byte of a character; the size at the end
static inline str text_str_of(value v) { return v.text->s; }
static inline bool value_is_text(value v) { return v.kind == V_TEXT; }

// value.c
extern const value value_none;
value value_bool(bool b);
value value_int(int64_t i);
value value_float(double d);
value value_undefined(render *r, const char *hint);
value value_undefined_name(render *r, str name);
value value_undefined_of(render *r, value object, str name);
value value_unsafe(render *r, value object, str name);
bool undefined_fail(render *r, value v);                // the error of using it
value value_from_node(render *r, const node *n, int32_t mark);
value value_list(render *r, value *items, int64_t count, value_kind kind);
value value_iterator(render *r, value *items, int64_t count, const char *name);
value value_dict(render *r);
void list_fill(render *r, jlist *l);
void dict_fill(render *r, jdict *d);
bool dict_put(render *r, jdict *d, value key, value v); // false: the key cannot be one
void dict_put_name(render *r, jdict *d, str key, value v);
value *dict_find(render *r, jdict *d, value key);       // NULL: not there
value *dict_find_name(render *r, jdict *d, str key);
bool value_truth(render *r, value v);
const char *value_type(value v);                        // as Python names it
bool value_items(render *r, value v, value **items, int64_t *count);    // as iter() gives them; an iterator is used up
bool value_iterable(value v);
bool iterator_end(render *r, const jiterator *i);         // fails with its failure
bool value_length(render *r, value v, int64_t *count);
bool value_hashable(render *r, value v);

// compare.c
bool value_equal(render *r, value a, value b, bool *equal);
bool value_order(render *r, value a, value b, int *order, const char *op);     // < 0, 0, > 0; fails when there is no order
bool value_contains(render *r, value seq, value v, bool *in);
bool value_sort(render *r, value *keys, int64_t *order, int64_t count, bool descending);

// print.c: str() and repr() of Python
bool print_value(render *r, sink *s, value v);
bool text_escape(render *r, value v, value *out);       // Markup is left alone; filter_text.c
bool print_repr(render *r, sink *s, value v);
bool value_to_text(render *r, value v, value *out);
void print_float(double d, char out[40]);
bool print_json(render *r, sink *s, value v, const struct json_format *f, int depth);  // json.c

// number.c
bool value_binary(render *r, int op, value a, value b, value *out);
bool value_negate(render *r, value v, value *out);
bool value_as_int(value v, int64_t *out);               // bool and int
bool value_as_number(value v, double *out);             // bool, int, big, float
bool number_parse_int(str s, int base, value *out, render *r);  // as Python's int(); false: it is none
value number_part(value v, str name);                  // method_number.c
bool number_parse_float(str s, double *out);

// format.c
bool format_percent(render *r, value format, value args, value *out);
extern row_run format_braces, format_map, run_pprint, run_maketrans, run_translate;

// attribute.c
value value_attribute(render *r, value v, str name, int32_t mark);      // a.b
bool value_item(render *r, value v, value key, value *out);             // a[b]
bool value_slice(render *r, value v, value start, value stop, value step, value *out);
bool attribute_path_or(render *r, value item, value path, const value *otherwise, value *out);
bool attribute_path(render *r, value item, value path, value *out);     // "a.b.0" as filters take it

// call.c
bool bind_args(render *r, const char *what, const function_row *row, const call_args *c, value *a);
bool call_value(render *r, value f, const call_args *c, value *out);
bool call_row(render *r, const char *what, const function_row *row, value *self, const call_args *c, value *out);
enum { MOST_PARAMETERS = 6 };

// Tables.
const function_row *filter_find(str name);
const function_row *test_find(str name);
const function_row *method_find(value v, str name, bool *changes);      // changes: it would modify its object
const function_row *global_find(str name);
extern const function_row dict_fromkeys, lipsum_row;
void filter_names(const char **names, size_t *count);   // room for TABLE_NAMES
void test_names(const char **names, size_t *count);
enum { TABLE_NAMES = 128 };
extern const function_row filters_of_text[], filters_of_lists[], filters_of_items[], filters_of_numbers[], filters_of_html[],
    filters_of_layout[], filters_of_chance[];
extern const function_row methods_of_text[], methods_of_text_case[], methods_of_dict[], methods_of_list[], methods_of_range[];
extern const function_row methods_of_cycler[], methods_of_loop[], methods_of_int[], methods_of_float[];

// case.c: letters, as Python's str sees them
bool letter_is_space(uint32_t c);
bool letter_is_alpha(uint32_t c);
bool letter_is_decimal(uint32_t c);
bool letter_is_digit(uint32_t c);
bool letter_is_numeric(uint32_t c);
bool letter_is_printable(uint32_t c);
bool letter_is_upper(uint32_t c);
bool letter_is_lower(uint32_t c);
typedef enum text_case { CASE_UPPER, CASE_LOWER, CASE_TITLE, CASE_CAPITALIZE, CASE_SWAP, CASE_FOLD } text_case;
bool text_change_case(render *r, value text, text_case how, value *out);
bool sink_char_case(sink *s, str text, size_t at, int length, text_case how, int32_t mark);     // UPPER, LOWER or TITLE of one

// eval.c, jinja_exec.c
bool eval(render *r, const struct expr *x, value *out);
bool eval_kept(render *r, const struct expr *x, value *out);   // the caller tells fork.c what it looks at
bool eval_args(render *r, const struct arguments *a, call_args *out);
typedef enum flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE } flow;
bool exec_body(render *r, const struct stmt *const *items, int count, flow *f);
bool exec_root(render *r, const struct body *b, flow *f);
bool exec_rest(render *r, body_frame *b, flow *f);     // from its statement `at` on
bool exec_capture(render *r, const struct body *b, scope *own, flow *f, value *out);  // what a body prints
bool exec_call(render *r, const struct stmt *s);
value macro_value(render *r, const struct stmt *s, str name);
value macro_arguments(render *r, const jmacro *m);      // names
bool exec_macro(render *r, jmacro *m, const call_args *c, value *out);
bool exec_loop(render *r, const struct stmt *s, scope *outer, value items, int64_t depth, flow *f);
bool loop_finish(render *r, jloop *loop, bool with_item);  // as if it ended now, or after its element
void scope_set(render *r, int name, value v);
scope *scope_new(render *r, scope *parent);
value scope_get(render *r, int name);
bool exec_assign(render *r, const struct expr *target, value v);
bool is_escaping(const render *r, uint8_t escapes);     // of a statement or an expression
bool print_output(render *r, value v, uint8_t escapes);

// block.c
bool exec_autoescape(render *r, const struct stmt *s, flow *f);
bool exec_block(render *r, const struct stmt *s);
bool exec_block_here(render *r, const struct stmt *s);
bool exec_load(render *r, const struct stmt *s);
value block_value(render *r, str name);                 // V_MISSING: there is none
bool block_call(render *r, value block, const call_args *c, value *out);

// fork.c
void fork_begin(render *r);
void fork_note(render *r, void *at, size_t size);       // before something is changed that was there before a fork
void fork_see(render *r, value v);
void fork_see_name(render *r, int name);
void fork_see_truth(render *r, value v);
void fork_see_item(render *r, value object, value key);
void fork_see_attribute(render *r, value object, str name);
void fork_see_slice(render *r, value object, const value bounds[3], value slice);
void fork_enter_loop(render *r, const struct stmt *s, value v, jloop *loop);
void fork_leave_loop(render *r, const jloop *loop);
void fork_at(render *r);
