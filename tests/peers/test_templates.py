"""Templates made from a grammar (expressions x filters x tests x statements, over data of every type), rendered by Skiff and by jinja2
set up as transformers sets it up: the same texts, and the same refusals. COUNT templates from SEED; BUILD has tests/peers/template_dump."""
import json
import os
import random
import re
import resource
import struct
import subprocess
import sys
import warnings

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
from transformers.utils import chat_template_utils  # noqa: E402

warnings.filterwarnings("ignore")
DUMP = os.path.join(os.environ.get("BUILD", "build"), "tests/peers/template_dump")
COUNT = int(os.environ.get("COUNT", "4000"))
SEED = int(os.environ.get("SEED", "7"))
compiled = chat_template_utils._cached_compile_jinja_template

VARIABLES = {
    "s": "Hello World", "u": "Straße 漢字 éa ǅ", "e": "", "sp": "  two  words\n\tand lines \n", "q": "it's \"q\" <b>&amp;</b>", "c": "a,b,,c",
    "num": " 12 ", "hex": "0x1F", "dec": "3.75", "url": "see https://x.org/a?b=c&d, (www.y.com) or me@z.net.", "tags": "<p>a <!-- no -->b</p>&lt;&eacute;",
    "long": "The quick-brown fox -- jumps over the lazy_dog, well-known to x-y; extraordinarily-long-words-here.",
    "n": 7, "z": 0, "neg": -3, "f": 2.5, "g": -0.125, "t": True, "w": False, "no": None,
    "l": [3, 1, 2], "el": [], "ls": ["b", "A", "c", "a"], "lm": [1, "1", None, True, 2.5, [1], {"a": 1}], "ll": [[1, 2], [3, 4]], "lf": [1.5, -2, 0],
    "d": {"b": 1, "a": {"x": [1, 2]}, "items": 5, "k k": "<v>", "n": None}, "ed": {}, "pairs": [["a", 1], ["b", 2]],
    "rows": [{"k": "x", "v": 1}, {"k": "Y", "v": 2}, {"k": "x", "v": 3, "w": {"y": "q"}}, {"v": 0}],
    "messages": [{"role": "user", "content": "hi <there>"}, {"role": "assistant", "content": None, "tool_calls": [{"name": "f", "arguments": {"a": 1}}]}],
}
NAMES = list(VARIABLES) + ["missing"]
LITERALS = ["1", "0", "-1", "2", "3", "10", "2.0", "0.5", "'a'", "''", "'b c'", "' '", "'<i>'", "true", "false", "none", "[]", "{}", "()",
            "[1, 2, 3]", "['x', 'y']", "(1,)", "(1, 'a')", "{'k': 1}", "'%s-%d'", "'{}:{0}'", "'k'", "'v'", "'role'", "',' ", "range(4)", "'\\n'"]
BINARY = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or"]
# What a filter takes: its arguments by name, with expressions that make sense for them.
WORDS, SIZES, TRUTHS, PATHS = ["'a'", "' '", "'.'", "'<'", "s", "''"], ["0", "1", "2", "3", "5", "8", "-1", "20"], ["true", "false"], [
    "'k'", "'v'", "'w.y'", "0", "'0'", "'role'", "'missing'", "'content'"]
FILTERS = {
    "abs": [], "attr": [("name", ["'upper'", "'items'", "'k'", "'__class__'"])], "batch": [("linecount", SIZES), ("fill_with", ["0", "'-'", "none"])],
    "capitalize": [], "center": [("width", SIZES)], "count": [], "d": [("default_value", WORDS), ("boolean", TRUTHS)],
    "default": [("default_value", WORDS), ("boolean", TRUTHS)],
    "dictsort": [("case_sensitive", TRUTHS), ("by", ["'key'", "'value'"]), ("reverse", TRUTHS)], "e": [], "escape": [],
    "filesizeformat": [("binary", TRUTHS)], "first": [], "float": [("default", ["1.5", "'x'"])], "forceescape": [],
    "groupby": [("attribute", PATHS), ("default", ["'-'", "0"]), ("case_sensitive", TRUTHS)],
    "indent": [("width", SIZES + ["'> '"]), ("first", TRUTHS), ("blank", TRUTHS)],
    "int": [("default", ["5", "'x'"]), ("base", ["10", "16", "0", "2", "8"])], "items": [], "join": [("d", WORDS), ("attribute", PATHS)], "last": [],
    "length": [], "list": [], "lower": [], "max": [("case_sensitive", TRUTHS), ("attribute", PATHS)],
    "min": [("case_sensitive", TRUTHS), ("attribute", PATHS)], "pprint": [], "replace": [("old", WORDS), ("new", WORDS), ("count", SIZES)],
    "reverse": [], "round": [("precision", SIZES), ("method", ["'common'", "'ceil'", "'floor'"])], "safe": [],
    "slice": [("slices", SIZES), ("fill_with", ["0", "'-'", "none"])],
    "sort": [("reverse", TRUTHS), ("case_sensitive", TRUTHS), ("attribute", PATHS + ["'k,v'"])], "string": [], "striptags": [],
    "sum": [("attribute", PATHS), ("start", ["1", "2.5", "[]"])], "title": [],
    "tojson": [("ensure_ascii", TRUTHS), ("indent", ["2", "none", "0", "'\\t'"]), ("separators", ["(',', ':')", "none"]), ("sort_keys", TRUTHS)],
    "trim": [("chars", WORDS)], "truncate": [("length", SIZES), ("killwords", TRUTHS), ("end", WORDS), ("leeway", SIZES)],
    "unique": [("case_sensitive", TRUTHS), ("attribute", PATHS)], "upper": [], "urlencode": [],
    "urlize": [("trim_url_limit", SIZES), ("nofollow", TRUTHS), ("target", ["'_blank'"]), ("rel", ["'me'"]), ("extra_schemes", ["['ftp:']"])],
    "wordcount": [],
    "wordwrap": [("width", SIZES + ["12"]), ("break_long_words", TRUTHS), ("wrapstring", ["'|'", "none"]), ("break_on_hyphens", TRUTHS)],
    "xmlattr": [("autospace", TRUTHS)],
}
MAPPED = ["'upper'", "'int'", "'length'", "'string'", "'first'", "'tojson'", "attribute='k'", "attribute='v', default=0", "'default', 'x'",
    "'replace', 'a', 'b'", "'nope'", ""]
TESTS = ["defined", "undefined", "none", "boolean", "true", "false", "integer", "float", "number", "string", "mapping", "sequence", "iterable", "callable",
         "escaped", "odd", "even", "upper", "lower", "filter", "test"]
TESTS_OF = ["divisibleby", "sameas", "in", "eq", "==", "ne", "!=", "lt", "<", "le", "<=", "gt", ">", "ge", ">=", "equalto", "greaterthan", "lessthan"]
METHODS = {
    "str": ["upper()", "lower()", "strip()", "strip('a ')", "lstrip()", "rstrip('\\n')", "split()", "split(',')", "split(none, 1)",
    "split(sep=',', maxsplit=1)", "rsplit(',', 1)",
            "splitlines()", "splitlines(true)", "splitlines(keepends=true)", "replace('a', 'b')", "replace('l', '', 1)", "startswith('H')",
            "startswith(('a', 'H'))", "endswith('d')", "startswith('e', 1)",
            "find('o')", "rfind('o')", "index('o')", "rindex('z')", "count('l')", "count('')", "title()", "capitalize()", "swapcase()", "casefold()",
            "isdigit()", "isalpha()",
            "isalnum()", "isspace()", "isupper()", "islower()", "istitle()", "isdecimal()", "isnumeric()", "isidentifier()", "isprintable()", "isascii()",
            "center(20)",
            "center(20, '*')", "ljust(14, '.')", "rjust(14)", "zfill(14)", "join(['a', 'b'])", "join(l)", "partition(' ')", "rpartition('o')",
            "removeprefix('He')",
            "removesuffix('ld')", "expandtabs(4)", "format(1, k=2)", "encode()", "translate({})", "format_map({'k': 1})", "maketrans('a', 'b')"],
    "list": ["index(1)", "count(1)", "copy()", "append(1)", "pop()", "sort()", "index(9)", "extend([1])", "insert(0, 1)", "remove(1)", "reverse()",
    "clear()"],
    "dict": ["keys()", "values()", "items()", "get('b')", "get('zz', 3)", "get('zz')", "copy()", "pop('b')", "update({})", "setdefault('q', 1)",
    "get(key='b')", "clear()", "popitem()"],
    "int": ["bit_length()", "real", "imag", "numerator", "denominator", "conjugate()", "bit_count()", "is_integer()", "as_integer_ratio()",
    "to_bytes(2, 'big')"],
    "float": ["is_integer()", "real", "imag", "hex()", "as_integer_ratio()", "conjugate()"],
    "any": ["__class__", "__len__()", "x", "mro", "func_globals", "__init__", "_private", "name", "0", "1"],
}
TYPES = {"str": ["s", "u", "e", "sp", "q", "c", "num", "hex", "'a b'", "'%s'", "('<'|e)", "('x'|safe)"], "list": ["l", "el", "ls", "lm", "ll", "(1, 2)",
    "range(5)"],
         "dict": ["d", "ed", "rows[0]", "{'b': 2}"], "int": ["n", "z", "neg", "t"], "float": ["f", "g", "2.0"], "any": NAMES}


class Grammar:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def pick(self, some):
        return self.r.choice(some)

    def chance(self, p):
        return self.r.random() < p

    def arguments(self, parameters):
        """Some of a filter's arguments, the first by position, others by name; now and then a wrong one."""
        given, by_name = [], False
        for name, values in parameters:
            if self.chance(0.3) and given is not None:
                by_name = True
                continue
            v = self.pick(values) if self.chance(0.92) else self.atom()
            given.append(f"{name}={v}" if by_name or self.chance(0.2) else v)
            by_name = by_name or "=" in given[-1].split("'")[0]
        if self.chance(0.01):
            given.append(self.pick(["zz=1", "1", "**d", "*l"]))
        return "(" + ", ".join(given) + ")" if given or self.chance(0.1) else ""

    def atom(self):
        return self.pick(NAMES) if self.chance(0.65) else self.pick(LITERALS)

    def filtered(self, depth):
        x = self.operand(depth)
        for _ in range(self.r.randint(1, 2)):
            if self.chance(0.15):
                x += "|" + self.pick(["map", "select", "reject"]) + "(" + (self.pick(MAPPED) if self.chance(0.5) else f"'{self.pick(TESTS)}'") + ")"
            elif self.chance(0.1):
                more = "" if self.chance(0.4) else f", '{self.pick(TESTS_OF)}', {self.atom()}"
                x = f"{self.pick(['rows', 'messages', x])}|{self.pick(['selectattr', 'rejectattr'])}({self.pick(PATHS)}{more})"
            elif self.chance(0.06):
                x += "|format(" + ", ".join(self.atom() for _ in range(self.r.randint(0, 2))) + ")"
            else:
                name = self.pick(list(FILTERS))
                x += "|" + name + self.arguments(FILTERS[name])
        return x

    def operand(self, depth):
        x = self.expression(depth - 1) if depth > 0 and self.chance(0.5) else self.atom()
        return x if re.fullmatch(r"\w+|'[^']*'", x) else "(" + x + ")"

    def method(self):
        kind = self.pick(list(TYPES))
        rows = METHODS[kind] if self.chance(0.9) else METHODS[self.pick(list(METHODS))]
        return self.pick(TYPES[kind]) + "." + self.pick(rows)

    def item(self, depth):
        x = self.operand(depth)
        bounds = [self.pick(["", "1", "-1", "0", "2", "-2", "none"]) for _ in range(3)]
        return x + self.pick([f"[{self.atom()}]", f"[{bounds[0]}:{bounds[1]}]", "[::" + (bounds[2] or "-1") + "]", "[0]", "[-1]", "['k']", ".k", ".role",
        ".items", ".length"])

    def fill(self, form):
        return re.sub(r"\{\}", lambda m: self.pick(["n", "z", "3", "1", "-1"]) if self.chance(0.5) else self.atom(), form)

    def tested(self, depth):
        test = self.pick(TESTS) if self.chance(0.6) else f"{self.pick(TESTS_OF)}({self.atom()})"
        return f"{self.operand(depth)} is {self.pick(['', 'not '])}{test}"

    def expression(self, depth):
        x = lambda: self.operand(depth)  # noqa: E731
        kinds = [
            (4, lambda: self.filtered(depth)), (2, lambda: f"{x()} {self.pick(BINARY)} {x()}"), (2, self.method), (1.5, lambda: self.item(depth)),
            (1, lambda: self.fill(self.pick(CALLS))), (0.5, lambda: "not " + x()), (0.4, lambda: "-" + x()), (1.2, lambda: self.tested(depth)),
            (0.6, lambda: f"{x()} if {x()} else {x()}"), (0.3, lambda: f"{x()} if {x()}"), (0.3, lambda: f"{{{self.atom()}: {x()}}}"),
            (0.4, lambda: "[" + ", ".join(x() for _ in range(self.r.randint(0, 3))) + "]"), (0.2, lambda: f"({x()}, {x()})"),
            (0.2, lambda: f"{self.pick(['n', 'f', '2', 'neg'])} ** {self.pick(['2', '3', 'neg', 'f'])}"),
            (0.3, lambda: f"{self.atom()} < {self.atom()} <= {self.atom()}"),
        ]
        return self.r.choices([k for _, k in kinds], [w for w, _ in kinds])[0]()

    def body(self, depth):
        if depth > 0:
            return "".join(self.statement(depth - 1) for _ in range(self.r.randint(1, 2)))
        return self.pick(["<x>", "{{ s }}", "{{ v }}", "{{ loop.index }}", "\n  a\n"])

    def statement(self, depth):
        form = self.pick(["{{ «x» }}"] * 4 + STATEMENTS)
        made = {"«x»": lambda: self.expression(1), "«y»": lambda: self.pick(["v", "w2", "ns.a", "s"]), "«b»": lambda: self.body(depth)}
        return re.sub("«[xyb]»", lambda m: made[m.group()](), form)

    def template(self):
        return "".join(self.statement(2) for _ in range(1 if self.chance(0.6) else 3))


CALLS = ["range({})", "range({}, {})", "range(0, {}, {})", "dict(a={})", "dict({})", "namespace(x={})", "namespace(x={}).x",
         "cycler({}, {}).next()", "cycler({}).current", "joiner({})()", "joiner()()", "dict(pairs, b={})", "dict.fromkeys(ls, {})",
         "raise_exception({})", "namespace({})", "range(n)[{}]", "s({})", "dict(**d)", "cycler()", "range()"]
STATEMENTS = [
    "{% if «x» %}«b»{% elif «x» %}«b»{% else %}«b»{% endif %}", "{% for v in «x» %}«b»{% else %}E{% endfor %}",
    "{% for v, w2 in «x» %}«b»{{ v }}{% endfor %}", "{% for v in «x» if «x» %}{{ loop.index }}«b»{% endfor %}",
    "{% for v in ls %}{% if loop.last %}{% break %}{% endif %}{% if v == 'A' %}{% continue %}{% endif %}«b»{% endfor %}",
    "{% for v in [[1, [2]], 3] recursive %}{{ loop.depth }}{{ loop(v) if v is iterable else v }}{% endfor %}",
    "{% for v in ls %}{{ loop.cycle(1, 2) }}{{ loop.changed(v) }}{{ loop.revindex0 }}{{ loop.nextitem }}{{ loop.previtem is defined }}{% endfor %}",
    "{% set «y» = «x» %}{{ v }}", "{% set v %}«b»{% endset %}{{ v }}", "{% set v|upper %}«b»{% endset %}{{ v }}{{ v is escaped }}",
    "{% set v | replace('a', 'b') | «y» %}«b»{% endset %}", "{% set v, w2 = «x» %}{{ v }}{{ w2 }}",
    "{% set ns = namespace(a=«x») %}{% set ns.a = «x» %}{{ ns.a }}",
    "{% with v = «x», w2 = s %}«b»{{ v }}{% endwith %}{{ v }}", "{% filter upper %}«b»{% endfilter %}", "{% filter length %}«b»{% endfilter %}",
    "{% filter trim|indent(2) %}«b»{% endfilter %}",
    "{% filter escape %}«b»{% endfilter %}", "{% macro m(v, w2=«x») %}«b»[{{ v }}{{ w2 }}]{% endmacro %}{{ m(«x») }}{{ m(1, 2) }}",
    "{% macro m(v) %}{{ caller(v) if caller else '-' }}{{ varargs }}{{ kwargs }}{% endmacro %}{% call(v) m(«x») %}{{ v }}«b»{% endcall %}{{ m(1, 2, q=3) }}",
    "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}«b»{% endcall %}{{ m.name }}{{ m.arguments }}",
    "{% block a %}«b»{% endblock %}", "{% block a scoped %}«b»{% endblock a %}{{ self.a() }}",
    "{% for v in l %}{% block b scoped %}{{ v }}{% endblock %}{% endfor %}",
    "{% for v in l %}{% block c %}{{ v }}{{ s }}{% endblock %}{% endfor %}", "{% set v = «x» %}{% block d %}{{ v }}{% set v = 1 %}{% endblock %}{{ v }}",
    "{% block r required %} {% endblock %}", "{% block p %}{{ super() }}{% endblock %}",
    "{{ self.a is defined }}{% if w %}{% block i %}x«b»{% endblock %}{% endif %}{{ self.i() }}",
    "{% if «x» %}{% include 'x' %}{% endif %}", "{% include «x» ignore missing %}", "{% if w %}{% extends «x» %}{% endif %}«b»",
    "{% if «x» %}{% import 'a' as v %}{% endif %}",
    "{% if w %}{% from 'a' import b as v, c with context %}{% endif %}«b»", "{% include 'x' without context %}",
    "{% include el ignore missing with context %}«b»",
    "{% autoescape true %}«b»{{ «x» }}{{ q }}{% endautoescape %}{{ q }}", "{% autoescape false %}«b»{% endautoescape %}",
    "{% autoescape «x» %}{{ q }}{{ «x» }}{% endautoescape %}",
    "{% autoescape true %}{% macro m(v) %}<{{ v }}>{% endmacro %}{{ m(q) }}{{ m(«x») ~ q }}{% set v %}«b»<{% endset %}{{ v }}{% endautoescape %}",
    "{% autoescape true %}{{ q|«y» if w else ['<', q|safe]|join(q) }}{{ q|replace('<', '>') }}{{ {'a': q}|xmlattr }}{% endautoescape %}",
    "{% generation %}«b»{% endgeneration %}", "{% raw %}{{ x }}{% endraw %}", "{# «y» #}", "{%- print «x» -%}", "{% print «x», 1 %}",
    "{% do l.append(1) %}", "{% trans %}a{% endtrans %}", "{% set v = joiner('|') %}{% for w2 in l %}{{ v() }}{{ w2 }}{% endfor %}",
    "{% set v = cycler('a', 'b') %}{{ v.next() }}{{ v.next() }}{{ v.current }}{{ v.next() }}{% set w2 = v.reset() %}{{ v.current }}",
    "{{ '%s %r %5d|%-4s|%05.1f %x' % («x», s, n, c, f, 255) }}", "{{ '{:>5}|{!r}|{k}'.format(«x», s, k=n) }}",
]


def expected(template):
    try:
        return True, compiled(template).render(**json.loads(json.dumps(VARIABLES)))
    except (RecursionError, MemoryError):
        raise
    except Exception as why:  # whatever jinja2, or Python behind it, says
        return False, f"{type(why).__name__}: {why}"


def skiff(templates):
    variables = json.dumps(VARIABLES).encode()
    sent = b""
    for t in templates:
        t = t.encode()
        sent += struct.pack("<I", len(t)) + t + struct.pack("<I", len(variables)) + variables
    done = subprocess.run([DUMP], input=sent, stdout=subprocess.PIPE)
    at, answers = 0, []
    while at + 4 <= len(done.stdout):
        (size,) = struct.unpack_from("<I", done.stdout, at)
        answers.append((done.stdout[at + 4] == 1, done.stdout[at + 5:at + 4 + size].decode()))
        at += 4 + size
    if done.returncode or len(answers) != len(templates):
        print(f"FAIL template_dump: exit {done.returncode} after {len(answers)} templates: {templates[len(answers)]!r}")
        sys.exit(1)
    return answers


# Where Skiff differs and means to.
MEANT = [
    ("addresses of objects in memory", lambda got, want: want[0] and re.search(r"(at|of) 0x|<(class|built-in|function|method|bound)", want[1])),
    ("what prints as an address of memory", lambda got, want: not got[0] and "cannot be printed" in got[1]),
    ("parts of constants that have none: computed early, jinja2 is lenient", lambda got, want: not got[0] and "cannot be sliced" in got[1]),
    ("fractions where whole numbers are meant", lambda got, want: not got[0] and "whole number, got a float" in got[1]),
    ("complex numbers", lambda got, want: not got[0] and "raised to a fraction" in got[1]),
    ("bytes", lambda got, want: not got[0] and re.search("'(encode|to_bytes)'", got[1])),
    ("whole numbers beyond 64 bits", lambda got, want: want[0] and not got[0] and "beyond 64 bits" in got[1]),
]


def some(g):
    """COUNT templates with what jinja2 makes of them. Most that come of a grammar are refused: of those one in five is kept.
    Texts that grow without bound are no test of what is in them: what needs 4 GB and more is left out."""
    templates = {}
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, resource.RLIM_INFINITY))
    while len(templates) < COUNT:
        template = g.template()
        try:
            want = expected(template)
        except MemoryError:
            continue
        if want[0] or g.chance(0.2):
            templates[template] = want
    return list(templates.items())


def main():
    templates = some(Grammar(SEED))
    wrong, meant, texts, refusals = [], {}, 0, 0
    for (template, want), got in zip(templates, skiff([t for t, _ in templates])):
        if got == want or (not got[0] and not want[0]):
            texts += want[0]
            refusals += not want[0]
            continue
        why = next((name for name, holds in MEANT if holds(got, want)), None)
        if why:
            meant[why] = meant.get(why, 0) + 1
        else:
            wrong.append((template, got, want))
    for template, got, want in sorted(wrong, key=lambda w: len(w[0]))[:int(os.environ.get("SHOW", "10"))]:
        print(f"FAIL {template!r}\n     got  {got[1]!r}\n     want {want[1]!r}")
    print(f"{texts} texts and {refusals} refusals equal; meant to differ: {meant or 'none'} (seed {SEED})")
    print(f"{COUNT - len(wrong)} passed, {len(wrong)} failed")
    sys.exit(len(wrong) > 0)


main()
