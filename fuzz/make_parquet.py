# Writes the hand-made Parquet files of fuzz_parquet, which tests/unit/test_parquet.c reads too: every encoding and every form of nesting,
# those that no writer of today makes among them, and the same broken in one place each.     python fuzz/make_parquet.py
import os
import struct
import zlib

here = os.path.dirname(os.path.abspath(__file__))
folder = os.path.join(here, "corpus", "parquet")
os.makedirs(folder, exist_ok=True)
BOOLEAN, INT32, INT64, INT96, FLOAT, DOUBLE, BYTES, FIXED = range(8)
PLAIN, PLAIN_DICTIONARY, RLE, BIT_PACKED, DELTA, DELTA_LENGTH, DELTA_BYTES, RLE_DICTIONARY, SPLIT = 0, 2, 3, 4, 5, 6, 7, 8, 9
REQUIRED, OPTIONAL, REPEATED = range(3)
UTF8, MAP, MAP_KEY_VALUE, LIST, DECIMAL = 0, 1, 2, 3, 5


# ---- Thrift's compact protocol: a value is its type and bytes ----
def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def zigzag(n):
    return varint((n << 1) ^ (n >> 63) if n >= 0 else (-n << 1) - 1)


def i32(n):
    return 5, zigzag(n)


def i64(n):
    return 6, zigzag(n)


def binary(s):
    s = s.encode() if isinstance(s, str) else s
    return 8, varint(len(s)) + s


def truth(b):
    return (1 if b else 2), b""


def items(kind, values, count=None):
    count = len(values) if count is None else count
    return 9, (bytes([count << 4 | kind]) if count < 15 else bytes([240 | kind]) + varint(count)) + b"".join(v[1] for v in values)


def record(fields):
    out, last = b"", 0
    for number, (kind, data) in sorted(fields.items()):
        out += (bytes([(number - last) << 4 | kind]) if number - last < 16 else bytes([kind]) + zigzag(number)) + data
        last = number
    return 12, out + b"\0"


# ---- encodings ----
def bits(values, width):
    n = sum(v << (i * width) for i, v in enumerate(values))
    return n.to_bytes((len(values) * width + 7) // 8, "little")


def runs(values, width, packed=False):
    "Runs of equal values, or groups of eight in bits."
    if packed:
        padded = list(values) + [0] * (-len(values) % 8)
        return varint(len(padded) // 8 << 1 | 1) + bits(padded, width)
    out, i = b"", 0
    while i < len(values):
        n = next((k for k in range(i, len(values)) if values[k] != values[i]), len(values)) - i
        out += varint(n << 1) + values[i].to_bytes((width + 7) // 8, "little")
        i += n
    return out


def old_bits(values, width):
    "BIT_PACKED: the highest bit of a byte first."
    text = "".join(format(v, f"0{width}b") for v in values)
    text += "0" * (-len(text) % 8)
    return bytes(int(text[i:i + 8], 2) for i in range(0, len(text), 8))


def delta(values, block=128, minis=4):
    out = varint(block) + varint(minis) + varint(len(values)) + zigzag(values[0] if values else 0)
    steps = [b - a for a, b in zip(values, values[1:])]
    for i in range(0, len(steps), block):
        part = steps[i:i + block]
        least, size = min(part), block // minis
        groups = [[s - least for s in part[k:k + size]] for k in range(0, len(part), size)]
        widths = [max(x.bit_length() for x in g) for g in groups] + [0] * (minis - len(groups))
        out += zigzag(least) + bytes(widths) + b"".join(bits(g + [0] * (size - len(g)), w) for g, w in zip(groups, widths))
    return out


def plain(kind, values):
    if kind == BOOLEAN:
        return bits([int(v) for v in values], 1)
    if kind == BYTES:
        return b"".join(struct.pack("<I", len(v)) + v for v in values)
    return b"".join(v if isinstance(v, bytes) else struct.pack({INT32: "<i", INT64: "<q", FLOAT: "<f", DOUBLE: "<d"}[kind], v) for v in values)


def encode(encoding, kind, values):
    if encoding == RLE:
        data = runs([int(v) for v in values], 1)
        return struct.pack("<I", len(data)) + data
    if encoding == DELTA:
        return delta(values)
    if encoding == DELTA_LENGTH:
        return delta([len(v) for v in values]) + b"".join(values)
    if encoding == DELTA_BYTES:
        prefixes = [0] + [len(os.path.commonprefix([a, b])) for a, b in zip(values, values[1:])]
        rest = [v[n:] for n, v in zip(prefixes, values)]
        return delta(prefixes) + delta([len(v) for v in rest]) + b"".join(rest)
    if encoding == SPLIT:
        data = [plain(kind, [v]) for v in values]
        return b"".join(bytes(v[i] for v in data) for i in range(len(data[0])))
    return plain(kind, values)


# ---- compressions whose simplest form is written by hand ----
def lz4_block(data):
    n = len(data)
    return (bytes([n << 4]) if n < 15 else bytes([240]) + b"\xff" * ((n - 15) // 255) + bytes([(n - 15) % 255])) + data


def pack(codec, data):
    if codec == 1:
        return varint(len(data)) + bytes([61 << 2]) + struct.pack("<H", len(data) - 1) + data if data else b"\0"
    if codec == 2:
        z = zlib.compressobj(9, zlib.DEFLATED, 31)
        return z.compress(data) + z.flush()
    if codec == 5:
        block = lz4_block(data)
        return struct.pack(">II", len(data), len(block)) + block
    if codec == 6:
        return b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", len(data)) + (len(data) << 3 | 1).to_bytes(3, "little") + data
    return lz4_block(data) if codec == 7 else data


# ---- pages, columns, files ----
def page(kind, values, encoding=PLAIN, defs=None, reps=None, most=(1, 0), version=1, codec=0, crc=False, packed=False, levels=RLE, data=None,
         **broken):
    count = len(defs) if defs is not None else len(values) if values is not None else 0
    data = encode(encoding, kind, values) if data is None else data
    r, d = b"", b""
    for which, (given, m) in enumerate(((defs, most[0]), (reps, most[1]))):
        if given is None:
            continue
        width = m.bit_length()
        body = old_bits(given, width) if levels == BIT_PACKED else runs(given, width, packed)
        if version == 1 and levels == RLE:
            body = struct.pack("<I", len(body)) + body
        d, r = (body, r) if which == 0 else (d, body)
    size = len(r + d + data)
    nulls, rows = len([x for x in defs or [] if x != most[0]]), count if reps is None else reps.count(0)
    body = r + d + pack(codec, data) if version == 2 else pack(codec, r + d + data)
    inner = {1: i32(count), 2: i32(encoding), 3: i32(levels), 4: i32(levels)} if version == 1 else \
        {1: i32(count), 2: i32(nulls), 3: i32(rows), 4: i32(encoding), 5: i32(len(d)), 6: i32(len(r))}
    head = {1: i32(0 if version == 1 else 3), 2: i32(size), 3: i32(len(body)), (5 if version == 1 else 8): record({**inner, **broken.pop("inner", {})})}
    if crc:
        sum = zlib.crc32(body)
        head[4] = i32(sum - (1 << 32) if sum >> 31 else sum)
    head.update(broken.pop("head", {}))
    return record(head)[1] + broken.pop("body", body), count


def dictionary(kind, values, encoding=PLAIN, codec=0, count=None):
    data = plain(kind, values)
    body = pack(codec, data)
    return record({1: i32(2), 2: i32(len(data)), 3: i32(len(body)), 7: record({1: i32(len(values) if count is None else count), 2: i32(encoding)})})[1] \
        + body, None


def indices(at, width, packed=False):
    return bytes([width]) + runs(at, width, packed)


def element(name, kind=None, repetition=REQUIRED, children=None, converted=None, length=None, scale=None, logical=None):
    f = {4: binary(name)}
    for number, v in ((1, kind), (2, length), (3, repetition), (5, children), (6, converted), (7, scale)):
        if v is not None:
            f[number] = i32(v)
    if logical:
        f[10] = record({logical[0]: record(logical[1] if len(logical) > 1 else {})})
    return record(f)


def column(kind, path, *pages, codec=0, **broken):
    return kind, path, pages, codec, broken


def parquet(elements, rows, *groups, broken={}, tail=b"PAR1"):
    out, group_records, total = b"PAR1", [], 0
    for n, columns in zip(rows if isinstance(rows, list) else [rows], groups):
        chunks = []
        for kind, path, pages, codec, bad in columns:
            begin, at, first, values = len(out), None, None, 0
            for body, count in pages:
                if count is None:
                    at = len(out) if at is None else at
                else:
                    first = len(out) if first is None else first
                    values += count
                out += body
            meta = {1: i32(kind), 2: items(5, []), 3: items(8, [binary(p) for p in path.split(".")]), 4: i32(codec), 5: i64(values),
                    6: i64(len(out) - begin), 7: i64(len(out) - begin), 9: i64(first or 0)}
            if at:
                meta[11] = i64(at)
            chunks.append(record({2: i64(begin), 3: record({**meta, **bad.get("meta", {})}), **bad.get("chunk", {})}))
        group_records.append(record({1: items(12, chunks), 2: i64(len(out)), 3: i64(n)}))
        total += n
    root = element("schema", repetition=None, children=broken.get("children", top(elements)))
    footer = record({1: i32(1), 2: items(12, [root, *elements]), 3: i64(total), 4: items(12, group_records), 6: binary("by hand"),
                     **broken.get("footer", {})})[1]
    return out + footer + struct.pack("<I", broken.get("size", len(footer))) + tail


def top(elements):
    "How many of the elements are columns of the root: those that are nobody's child."
    return len(elements) - sum(getattr(e, "children", 0) for e in elements)


class Group(tuple):
    children = 0


def group(name, children, repetition=REQUIRED, **more):
    e = Group(element(name, None, repetition, children, **more))
    e.children = children
    return e


def put(name, data):
    with open(os.path.join(folder, name + ".parquet"), "wb") as f:
        f.write(data)


# ---- values ----
words = [b"user", b"assistant", b"user", b"", b"a longer text", b"a longer tale"]
numbers = [1, -1, 0, 2147483647, -2147483648, 7]
for name, encoding in (("plain", PLAIN), ("delta_length", DELTA_LENGTH), ("delta_bytes", DELTA_BYTES)):
    put(f"text_{name}", parquet([element("t", BYTES, converted=UTF8)], 6, [column(BYTES, "t", page(BYTES, words, encoding))]))
for name, encoding in (("plain", PLAIN), ("delta", DELTA), ("split", SPLIT)):
    put(f"int32_{name}", parquet([element("n", INT32)], 6, [column(INT32, "n", page(INT32, numbers, encoding))]))
    put(f"int64_{name}", parquet([element("n", INT64)], 6, [column(INT64, "n", page(INT64, [n << 31 for n in numbers], encoding))]))
many = [i * i - 37 * i for i in range(300)]
put("delta_blocks", parquet([element("n", INT64)], 300, [column(INT64, "n", page(INT64, many, DELTA))]))
for name, encoding in (("plain", PLAIN), ("split", SPLIT)):
    put(f"double_{name}", parquet([element("n", DOUBLE)], 3, [column(DOUBLE, "n", page(DOUBLE, [0.5, -2.0, 1e300], encoding))]))
    put(f"float_{name}", parquet([element("n", FLOAT)], 3, [column(FLOAT, "n", page(FLOAT, [0.5, -2.0, float("nan")], encoding))]))
for name, encoding in (("plain", PLAIN), ("rle", RLE)):
    put(f"truth_{name}", parquet([element("b", BOOLEAN)], 10, [column(BOOLEAN, "b", page(BOOLEAN, [True] * 9 + [False], encoding))]))
for name, encoding in (("old", PLAIN_DICTIONARY), ("new", RLE_DICTIONARY)):
    at = indices([0, 1, 0, 2, 2], 2, encoding == PLAIN_DICTIONARY)
    put(f"dictionary_{name}", parquet([element("t", BYTES, OPTIONAL, converted=UTF8)], 7,
        [column(BYTES, "t", dictionary(BYTES, words[:3], encoding & 2), page(BYTES, None, encoding, data=at, defs=[1] * 5),
                page(BYTES, [b"not"], defs=[0, 1]))]))
put("dictionary_one", parquet([element("t", BYTES, converted=UTF8)], 3,
    [column(BYTES, "t", dictionary(BYTES, [b"x"]), page(BYTES, [b"x"] * 3, RLE_DICTIONARY, data=indices([0, 0, 0], 0)))]))
for codec in (0, 1, 2, 5, 6, 7):
    for version in (1, 2):
        put(f"codec_{codec}_{version}", parquet([element("t", BYTES, OPTIONAL, converted=UTF8)], 5,
            [column(BYTES, "t", page(BYTES, words[:4], defs=[1, 1, 0, 1, 1], version=version, codec=codec, crc=True), codec=codec)]))
put("codec_5_raw", parquet([element("t", BYTES, converted=UTF8)], 6, [column(BYTES, "t", page(BYTES, words, codec=7), codec=5)]))
put("version_2_not_packed", parquet([element("t", BYTES, converted=UTF8)], 6,
    [column(BYTES, "t", page(BYTES, words, version=2, inner={7: truth(False)}), codec=6)]))
put("levels_in_bits", parquet([element("n", INT32, OPTIONAL)], 9, [column(INT32, "n", page(INT32, [1, 2], defs=[0, 1] + [0] * 6 + [1], packed=True))]))
put("levels_old", parquet([element("n", INT32, OPTIONAL)], 9,
    [column(INT32, "n", page(INT32, [1, 2], defs=[0, 1] + [0] * 6 + [1], levels=BIT_PACKED))]))
put("pages", parquet([element("n", INT32, OPTIONAL)], [4, 3],
    [column(INT32, "n", page(INT32, [1], defs=[1]), page(INT32, [], defs=[]), page(INT32, [2], defs=[0, 1, 0], version=2))],
    [column(INT32, "n", page(INT32, [5, 6, 7], defs=[1, 1, 1]))]))

# ---- what values mean ----
ms, us, ns = {1: record({})}, {2: record({})}, {3: record({})}


def unit(kind, u, utc):
    return kind, {1: truth(utc), 2: record(u)}


kinds = [("date", element("date", INT32, logical=(6,)), INT32, [0, -1, 19782, 2932897]),
         ("ms", element("ms", INT32, logical=unit(7, ms, True)), INT32, [0, 1, 86399999, 3600000]),
         ("us", element("us", INT64, converted=10), INT64, [0, -1, 1709251199999999, 1000]),
         ("ns", element("ns", INT64, logical=unit(8, ns, False)), INT64, [0, -1, 1709251199999999999, 1 - 2 ** 63]),
         ("int96", element("int96", INT96), INT96,
          [struct.pack("<qI", n, d) for n, d in ((0, 2440588), (5, 2440587), (86399 * 10**9, 2460370), (-1, 2440588))]),
         ("dec", element("dec", INT32, converted=DECIMAL, scale=2), INT32, [0, -1, 12345, 100]),
         ("wide", element("wide", FIXED, length=16, logical=(5, {1: i32(10), 2: i32(38)})), FIXED,
          [n.to_bytes(16, "big", signed=True) for n in (0, -1, 10**38 - 1, 10**10)]),
         ("u8", element("u8", INT32, converted=11), INT32, [0, 255, 128, 1]),
         ("u64", element("u64", INT64, logical=(10, {1: (3, b"\x40"), 2: truth(False)})), INT64, [0, -1, -(2 ** 63), 1]),
         ("half", element("half", FIXED, length=2, logical=(15,)), FIXED, [b"\0\0", b"\0\x3c", b"\x01\0", b"\0\xfc"]),
         ("uuid", element("uuid", FIXED, length=16, logical=(14,)), FIXED, [bytes(range(16))] * 4),
         ("interval", element("interval", FIXED, length=12, converted=21), FIXED, [struct.pack("<III", 14, 3, 4005)] * 4),
         ("bytes", element("bytes", BYTES), BYTES, [b"", b"a", b"ab", b"abc"])]
for name, e, kind, values in kinds:
    put(f"kind_{name}", parquet([e], 4, [column(kind, name, page(kind, values))]))
put("kind_null", parquet([element("null", INT32, OPTIONAL, logical=(11,))], 2, [column(INT32, "null", page(INT32, [], defs=[0, 0]))]))

# ---- nesting ----
text = dict(kind=BYTES, converted=UTF8)
role = [b"user", b"assistant"]


def two(most, path, **more):
    "[['user', 'assistant'], [], ['user']]: without nulls anywhere."
    return column(BYTES, path, page(BYTES, role + role[:1], defs=[most, most, most - 1, most], reps=[0, 1, 0, 0], most=(most, 1), **more))


put("list_three", parquet([group("l", 1, OPTIONAL, converted=LIST), group("list", 1, REPEATED), element("element", BYTES, OPTIONAL, converted=UTF8)], 4,
    [column(BYTES, "l.list.element", page(BYTES, role, defs=[3, 2, 3, 1, 0, 3][:5], reps=[0, 1, 1, 0, 0], most=(3, 1)),
            page(BYTES, role[:1], defs=[3], reps=[0], most=(3, 1)))]))
put("list_two", parquet([group("l", 1, converted=LIST), element("element", BYTES, REPEATED, converted=UTF8)], 3, [two(1, "l.element")]))
put("list_array", parquet([group("l", 1, converted=LIST), group("array", 1, REPEATED), element("role", BYTES, converted=UTF8)], 3, [two(1, "l.array.role")]))
put("list_tuple", parquet([group("l", 1, converted=LIST), group("l_tuple", 1, REPEATED), element("role", BYTES, converted=UTF8)], 3,
    [two(1, "l.l_tuple.role")]))
put("list_bag", parquet([group("l", 1, converted=LIST), group("bag", 1, REPEATED), element("array_element", BYTES, converted=UTF8)], 3,
    [two(1, "l.bag.array_element")]))
put("list_struct", parquet([group("l", 1, converted=LIST), group("item", 2, REPEATED), element("role", BYTES, converted=UTF8),
                            element("content", BYTES, converted=UTF8)], 3, [two(1, "l.item.role"), two(1, "l.item.content", version=2)]))
put("list_repeated", parquet([element("l", BYTES, REPEATED, converted=UTF8)], 3, [two(1, "l")]))
put("list_group_repeated", parquet([group("l", 1, REPEATED), element("role", BYTES, converted=UTF8)], 3, [two(1, "l.role")]))
put("list_of_lists", parquet([group("l", 1, converted=LIST), group("list", 1, REPEATED), group("element", 1, converted=LIST),
                              group("list", 1, REPEATED), element("element", INT32)], 3,
    [column(INT32, "l.list.element.list.element", page(INT32, [1, 2, 3, 4], defs=[2, 2, 1, 2, 0, 2], reps=[0, 2, 1, 1, 0, 0], most=(2, 2)))]))
for name, converted, inner in (("new", MAP, None), ("old", MAP_KEY_VALUE, None), ("older", MAP, MAP_KEY_VALUE)):
    put(f"map_{name}", parquet([group("m", 1, OPTIONAL, converted=converted), group("key_value", 2, REPEATED, converted=inner),
                                element("key", BYTES, converted=UTF8), element("value", INT32, OPTIONAL)], 4,
        [column(BYTES, "m.key_value.key", page(BYTES, [b"a", b"b", b"a", b"c"], defs=[2, 2, 2, 2, 1, 0], reps=[0, 1, 1, 0, 0, 0], most=(2, 1))),
         column(INT32, "m.key_value.value", page(INT32, [1, 3, 4], defs=[3, 2, 3, 3, 1, 0], reps=[0, 1, 1, 0, 0, 0], most=(3, 1)))]))
put("map_numbers", parquet([group("m", 1, converted=MAP), group("map", 2, REPEATED), element("key", INT32), element("value", BOOLEAN)], 1,
    [column(INT32, "m.map.key", page(INT32, [5, -6], defs=[1, 1], reps=[0, 1], most=(1, 1))),
     column(BOOLEAN, "m.map.value", page(BOOLEAN, [True, False], defs=[1, 1], reps=[0, 1], most=(1, 1)))]))
put("map_keys_only", parquet([group("m", 1, converted=MAP), group("key_value", 1, REPEATED), element("key", BYTES, converted=UTF8)], 3,
    [two(1, "m.key_value.key")]))
put("structs", parquet([group("s", 2, OPTIONAL), element("a", INT32, OPTIONAL), group("t", 1, OPTIONAL), element("b", INT32)], 4,
    [column(INT32, "s.a", page(INT32, [1, 2], defs=[2, 0, 1, 2], most=(2, 0))), column(INT32, "s.t.b", page(INT32, [3], defs=[2, 0, 1, 1], most=(2, 0)))]))
chat = [group("messages", 1, OPTIONAL, logical=(3,)), group("list", 1, REPEATED), group("element", 2, OPTIONAL), element("role", BYTES, OPTIONAL, logical=(1,)),
        element("content", BYTES, OPTIONAL, logical=(1,))]


def chats(defs=(4, 4), reps=(0, 1), path="messages.list.element.role", **more):
    return [column(BYTES, path, page(BYTES, role[:sum(d == 4 for d in defs)], defs=list(defs), reps=list(reps), most=(4, 1), **more)),
            column(BYTES, "messages.list.element.content", page(BYTES, [b"Hello", b"Good morning"], defs=[4, 4], reps=[0, 1], most=(4, 1)))]


put("chat", parquet(chat, 1, chats()))

# ---- broken in one place ----
t, n = [element("t", BYTES, converted=UTF8)], [element("n", INT32)]
good = parquet(t, 6, [column(BYTES, "t", page(BYTES, words, crc=True))])
put("bad_cut", good[:-20])
put("bad_short", good[:10])
put("bad_magic", good[:-4] + b"PAR2")
put("bad_encrypted", good[:-4] + b"PARE")
put("bad_footer_size", parquet(t, 6, [column(BYTES, "t", page(BYTES, words))], broken={"size": 1 << 30}))
put("bad_footer", good[:-30] + b"\xff" * 10 + good[-20:])
put("bad_crc", good.replace(b"a longer text", b"a longer test"))
put("bad_utf8", parquet(chat, 1, [chats()[0], column(BYTES, "messages.list.element.content",
    page(BYTES, [b"Hello", b"Good \xff morning"], defs=[4, 4], reps=[0, 1], most=(4, 1)))]))
put("bad_rows", parquet(t, 6, [column(BYTES, "t", page(BYTES, words))], broken={"footer": {3: i64(7)}}))
put("bad_offset", parquet(t, 6, [column(BYTES, "t", page(BYTES, words), meta={9: i64(1 << 40)})]))
put("bad_chunk_size", parquet(t, 6, [column(BYTES, "t", page(BYTES, words), meta={7: i64(1 << 40)})]))
put("bad_chunk_short", parquet(t, 6, [column(BYTES, "t", page(BYTES, words), meta={7: i64(40)})]))
put("bad_values", parquet(t, 6, [column(BYTES, "t", page(BYTES, words), meta={5: i64(9)})]))
put("bad_type", parquet(t, 6, [column(BYTES, "t", page(BYTES, words), meta={1: i32(2)})]))
put("bad_path", parquet(t, 6, [column(BYTES, "u", page(BYTES, words))]))
put("bad_codec", parquet(t, 6, [column(BYTES, "t", page(BYTES, words), codec=3)]))
put("bad_codec_number", parquet(t, 6, [column(BYTES, "t", page(BYTES, words), meta={4: i32(77)})]))
put("bad_elsewhere", parquet(t, 6, [column(BYTES, "t", page(BYTES, words), chunk={1: binary("other.parquet")})]))
put("bad_encrypted_column", parquet(t, 6, [column(BYTES, "t", page(BYTES, words), chunk={8: record({1: record({})})})]))
put("bad_encoding", parquet(t, 6, [column(BYTES, "t", page(BYTES, words, inner={2: i32(1)}))]))
put("bad_encoding_type", parquet(t, 6, [column(BYTES, "t", page(BYTES, words, inner={2: i32(5)}))]))
put("bad_page_type", parquet(t, 6, [column(BYTES, "t", page(BYTES, words, head={1: i32(9)}))]))
put("bad_page_size", parquet(t, 6, [column(BYTES, "t", page(BYTES, words, head={3: i32(1 << 29)}))]))
put("bad_page_negative", parquet(t, 6, [column(BYTES, "t", page(BYTES, words, head={2: i32(-5)}))]))
put("bad_page_count", parquet(t, 6, [column(BYTES, "t", page(BYTES, words, inner={1: i32(1 << 30)}))]))
put("bad_page_fewer", parquet(t, 6, [column(BYTES, "t", page(BYTES, words, inner={1: i32(2)}))]))
put("bad_page_missing", parquet(t, 9, [column(BYTES, "t", page(BYTES, words), meta={5: i64(9)})]))
put("bad_text_size", parquet(t, 2, [column(BYTES, "t", page(BYTES, None, data=b"\x01\0\0\0a\xff\xff\xff\x7fb", inner={1: i32(2)}), meta={5: i64(2)})]))
for codec in (1, 2, 5, 6, 7):
    put(f"bad_codec_{codec}", parquet(t, 6, [column(BYTES, "t", page(BYTES, words, codec=codec, body=b"\x31nothing of the kind"
                                                                     + bytes(20), head={3: i32(40)}), codec=codec)]))
    put(f"bad_claim_{codec}", parquet(t, 6, [column(BYTES, "t", page(BYTES, words, codec=codec, head={2: i32(1 << 30)}), codec=codec)]))
put("bad_levels_size", parquet([element("n", INT32, OPTIONAL)], 2, [column(INT32, "n", page(INT32, None, data=struct.pack("<I", 1 << 31), inner={1: i32(2)}),
                                                                            meta={5: i64(2)})]))
put("bad_levels_end", parquet([element("n", INT32, OPTIONAL)], 9, [column(INT32, "n", page(INT32, [1], defs=[1], inner={1: i32(9)}), meta={5: i64(9)})]))
put("bad_levels_large", parquet(chat, 1, chats(defs=(4, 5))))
put("bad_levels_second", parquet(t, 6, [column(BYTES, "t", page(BYTES, words, version=2, inner={5: i32(1 << 30), 6: i32(1 << 30)}))]))
put("bad_first_repeated", parquet(chat, 1, chats(reps=(1, 1))))
put("bad_lengths_differ", parquet(chat, 1, chats(defs=(4,), reps=(0,))))
put("bad_null_differs", parquet(chat, 1, chats(defs=(4, 2))))
put("bad_more_rows", parquet(chat, 1, chats(defs=(4, 4, 4), reps=(0, 1, 0))))
put("bad_no_dictionary", parquet(t, 3, [column(BYTES, "t", page(BYTES, [b"x"] * 3, RLE_DICTIONARY, data=indices([0, 0, 0], 0)))]))
put("bad_dictionary_index", parquet(t, 3, [column(BYTES, "t", dictionary(BYTES, words[:2]), page(BYTES, [b"x"] * 3, RLE_DICTIONARY,
                                                                                                 data=indices([0, 1, 2], 2)))]))
put("bad_dictionary_count", parquet(t, 3, [column(BYTES, "t", dictionary(BYTES, words[:2], count=1 << 28), page(BYTES, [b"x"] * 3, RLE_DICTIONARY,
                                                                                                                data=indices([0, 1, 2], 2)))]))
put("bad_dictionary_twice", parquet(t, 3, [column(BYTES, "t", dictionary(BYTES, words[:2]), dictionary(BYTES, words[:2]),
                                                  page(BYTES, [b"x"] * 3, RLE_DICTIONARY, data=indices([0, 1, 1], 1)))]))
put("bad_delta_block", parquet(n, 6, [column(INT32, "n", page(INT32, None, DELTA, data=b"\x80\x01\0\x06\0", inner={1: i32(6)}), meta={5: i64(6)})]))
put("bad_delta_width", parquet(n, 6, [column(INT32, "n", page(INT32, None, DELTA, data=b"\x80\x01\x04\x06\0\0\x60\0\0\0" + bytes(99), inner={1: i32(6)}),
                                             meta={5: i64(6)})]))
put("bad_delta_count", parquet(n, 6, [column(INT32, "n", page(INT32, [1, 2], DELTA, inner={1: i32(6)}), meta={5: i64(6)})]))
put("bad_prefix", parquet(t, 2, [column(BYTES, "t", page(BYTES, None, DELTA_BYTES, data=delta([0, 9]) + delta([1, 1]) + b"ab", inner={1: i32(2)}),
                                        meta={5: i64(2)})]))
put("bad_split", parquet(n, 2, [column(INT32, "n", page(INT32, None, SPLIT, data=b"12345", inner={1: i32(2)}), meta={5: i64(2)})]))
put("bad_no_columns", parquet([], 3, []))
put("bad_tree", parquet([element("a", children=9), element("b", INT32)], 1, [], broken={"children": 1}))
put("bad_twice", parquet([element("a", INT32), element("a", INT32)], 1, [column(INT32, "a", page(INT32, [1])), column(INT32, "a", page(INT32, [2]))]))
put("bad_kind", parquet([element("d", BYTES, logical=(6,))], 6, [column(BYTES, "d", page(BYTES, words))]))
put("bad_variant", parquet([group("v", 2, logical=(16,)), element("metadata", BYTES), element("value", BYTES)], 6,
                           [column(BYTES, "v.metadata", page(BYTES, words)), column(BYTES, "v.value", page(BYTES, words))]))
deep = [group(f"g{i}", 1, OPTIONAL) for i in range(120)] + [element("x", INT32)]
put("bad_deep", parquet(deep, 1, [column(INT32, ".".join([f"g{i}" for i in range(120)] + ["x"]), page(INT32, [], defs=[0], most=(120, 0)))]))
put("bad_many_nulls", parquet([group("l", 1, OPTIONAL, converted=LIST), group("list", 1, REPEATED), element("element", INT32, OPTIONAL)], 1,
    [column(INT32, "l.list.element", page(INT32, None, data=struct.pack("<I", 8) + b"\x02\0" + varint(((1 << 30) - 1) << 1) + b"\x01"
                                          + struct.pack("<I", 6) + varint((1 << 30) << 1) + b"\x02", inner={1: i32(1 << 30)}), meta={5: i64(1 << 30)})]))
put("bad_name", parquet([element("a\nb", BYTES, converted=UTF8)], 1, [column(BYTES, "a\nb", page(BYTES, [b"\x80"]))]))
put("bad_name_twice", parquet([element("a\nb", INT32)] * 2, 1, [column(INT32, "a\nb", page(INT32, [1]))] * 2))
put("bad_groups", parquet(t, 6, [column(BYTES, "t", page(BYTES, words))], broken={"footer": {4: items(6, [i64(6)])}}))
put("int32_delta_wraps", parquet(n, 2, [column(INT32, "n", page(INT32, None, DELTA, data=delta([2147483647, 2147483648]), inner={1: i32(2)}),
                                               meta={5: i64(2)})]))
put("bad_lengths_shift", parquet(chat, 2, [column(BYTES, f"messages.list.element.{name}", page(BYTES, [b"a", b"b", b"c"], defs=[4] * 3, reps=reps,
                                                                                               most=(4, 1)))
                                           for name, reps in (("role", [0, 1, 0]), ("content", [0, 0, 1]))]))
put("bad_many_empty", parquet([group("l", 1, converted=LIST), group("list", 1, REPEATED), group("element", 1, converted=LIST),
                               group("list", 1, REPEATED), element("element", INT32)], 1,
    [column(INT32, "l.list.element.list.element", page(INT32, None, data=struct.pack("<I", 8) + b"\x02\0" + varint(((1 << 30) - 1) << 1) + b"\x01"
                                                       + struct.pack("<I", 6) + varint((1 << 30) << 1) + b"\x01", inner={1: i32(1 << 30)}),
            meta={5: i64(1 << 30)})]))
two_texts = [element("t", BYTES, converted=UTF8), element("u", BYTES, converted=UTF8)]
put("bad_overlap", parquet(two_texts, 6, [column(BYTES, "t", page(BYTES, words), meta={7: i64(150), 9: i64(4)}), column(BYTES, "u", page(BYTES, words),
                                                                                                            meta={7: i64(150), 9: i64(4)})]))

# ---- what is said twice: bytes that are too many, and counts that are others ----
maybe, three = [element("n", INT32, OPTIONAL)], [1, 0, 1]


def spare(kind, encoding, data, count):
    name, fields = ("t", t) if kind == BYTES else ("n", n) if kind == INT32 else ("b", [element("b", BOOLEAN)])
    return parquet(fields, count, [column(kind, name, page(kind, None, encoding, data=data, inner={1: i32(count)}), meta={5: i64(count)})])


put("bad_spare_plain", spare(INT32, PLAIN, plain(INT32, [1, 2, 3]), 2))
put("bad_spare_texts", spare(BYTES, PLAIN, plain(BYTES, words), 5))
put("bad_spare_truths", spare(BOOLEAN, PLAIN, b"\x07\x07", 3))
put("bad_spare_runs", spare(BOOLEAN, RLE, struct.pack("<I", 2) + b"\x08\x01", 3))
put("bad_spare_delta", spare(INT32, DELTA, delta([1, 2, 3]), 2))
put("bad_spare_delta_bytes", spare(INT32, DELTA, delta([1, 2, 3]) + b"\1", 3))
put("bad_spare_lengths", spare(BYTES, DELTA_LENGTH, delta([1, 1]) + b"abc", 2))
put("bad_spare_prefixes", spare(BYTES, DELTA_BYTES, delta([0, 0, 0]) + delta([1, 1]) + b"ab", 2))
put("bad_spare_split", spare(INT32, SPLIT, bytes(12), 2))
put("bad_spare_indices", parquet(t, 3, [column(BYTES, "t", dictionary(BYTES, words[:2]), page(BYTES, [b"x"] * 3, RLE_DICTIONARY,
                                                                                              data=indices([0, 1, 1, 1], 1)))]))
put("bad_spare_dictionary", parquet(t, 3, [column(BYTES, "t", dictionary(BYTES, words[:3], count=2), page(BYTES, [b"x"] * 3, RLE_DICTIONARY,
                                                                                                          data=indices([0, 1, 1], 1)))]))
put("bad_spare_levels", parquet(maybe, 3, [column(INT32, "n", page(INT32, [1, 2], defs=three + [0], inner={1: i32(3)}), meta={5: i64(3)})]))
put("bad_spare_page", parquet(t, 6, [column(BYTES, "t", page(BYTES, words), page(BYTES, words[:1]), meta={5: i64(6)})]))
put("bad_spare_gzip", parquet(t, 6, [column(BYTES, "t", page(BYTES, words, codec=2, body=pack(2, plain(BYTES, words)) + bytes(3),
                                                             head={3: i32(len(pack(2, plain(BYTES, words))) + 3)}), codec=2)]))
put("bad_size_not_packed", parquet(t, 6, [column(BYTES, "t", page(BYTES, words, version=2, inner={7: truth(False)}, head={2: i32(1)}), codec=1)]))
put("bad_nulls_page", parquet(maybe, 3, [column(INT32, "n", page(INT32, [1, 2], defs=three, version=2, inner={2: i32(2)}))]))
put("bad_rows_page", parquet(maybe, 3, [column(INT32, "n", page(INT32, [1, 2], defs=three, version=2, inner={3: i32(2)}))]))
put("bad_nulls", parquet(maybe, 3, [column(INT32, "n", page(INT32, [1, 2], defs=three), meta={12: record({3: i64(0)})})]))
put("bad_text_bytes", parquet(t, 6, [column(BYTES, "t", page(BYTES, words), meta={16: record({1: i64(41)})})]))
put("bad_levels_def", parquet(maybe, 3, [column(INT32, "n", page(INT32, [1, 2], defs=three), meta={16: record({3: items(6, [i64(2), i64(1)])})})]))
put("bad_levels_count", parquet(maybe, 3, [column(INT32, "n", page(INT32, [1, 2], defs=three), meta={16: record({3: items(6, [i64(3)])})})]))
put("bad_levels_rep", parquet(chat, 1, [column(BYTES, "messages.list.element.role", page(BYTES, role[:2], defs=[4, 4], reps=[0, 1], most=(4, 1)),
                                               meta={16: record({2: items(6, [i64(2), i64(0)])})}), chats()[1]]))
put("said_twice", parquet(maybe, 3, [column(INT32, "n", page(INT32, [1, 2], defs=three, version=2), meta={12: record({3: i64(1)}), 16: record(
    {2: items(6, [i64(3)]), 3: items(6, [i64(1), i64(2)])})})]))
put("bad_annotations", parquet([element("t", BYTES, converted=UTF8, logical=(5,))], 6, [column(BYTES, "t", page(BYTES, words))]))
put("bad_annotations_unit", parquet([element("t", INT64, converted=9, logical=(8, {1: truth(True), 2: record({2: record({})})}))], 1,
                                    [column(INT64, "t", page(INT64, [1]))]))
put("padded_plain", spare(BYTES, PLAIN, plain(BYTES, words) + bytes(8), 6))
put("padded_levels", parquet(maybe, 3, [column(INT32, "n", page(INT32, [1, 2], defs=three + [1] * 29, packed=True, inner={1: i32(3)}), meta={5: i64(3)})]))
put("text_bytes_shared", parquet(t, 6, [column(BYTES, "t", page(BYTES, words, DELTA_BYTES), meta={16: record({1: i64(33)})})]))
