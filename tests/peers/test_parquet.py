# Parquet through `skiff data cat` against pyarrow's to_pylist: types, nesting, encodings, compressions, page versions, nulls; files of
# DuckDB, polars, fastparquet and datasets; the same files cut off and altered.      python tests/peers/test_parquet.py [what]
import base64
import datetime
import decimal
import glob
import json
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
import uuid
import zlib

import pyarrow as pa
import pyarrow.parquet as pq

SKIFF = os.environ.get("SKIFF", "build/skiff")
work = tempfile.mkdtemp(prefix="skiff-parquet-")
counts = {True: 0, False: 0}
random.seed(7)


def check(what, ok, quiet=False):
    counts[bool(ok)] += 1
    if not ok or not quiet:
        print(("ok      " if ok else "FAILED  ") + what, flush=True)
    return ok


# ---- both sides in one form ----

class Number(str):
    "Digits as they stand in JSON."


def key_text(k):
    k = form(k)
    return k if isinstance(k, str) and not isinstance(k, Number) else json.dumps(k) if k is None or isinstance(k, bool) else \
        str(k) if isinstance(k, Number) else repr(k)


def form(v, t=None):
    if isinstance(v, (bool, str)) or v is None:
        return v
    if isinstance(v, int):
        return Number(v)
    if isinstance(v, float):
        return v if math.isfinite(v) else None
    if isinstance(v, decimal.Decimal):
        return Number(format(v, "f"))
    if isinstance(v, bytes):
        return base64.b64encode(v).decode()
    if isinstance(v, uuid.UUID):
        return str(v)
    if isinstance(v, datetime.datetime) and v.tzinfo:
        v = v.astimezone(datetime.timezone.utc)
    if isinstance(v, (datetime.date, datetime.time)):       # pandas' Timestamp too
        return v.isoformat()
    if isinstance(v, dict):
        return {k: form(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        if t is not None and pa.types.is_map(t):
            return {key_text(k): form(x, t.item_type) for k, x in v}
        return [form(x) for x in v]
    if hasattr(v, "as_py"):
        return form(v.as_py())
    raise TypeError(f"{type(v)}: {v!r}")


def typed(v, t):
    "As form, with the types of maps and of what lies in them."
    if v is None:
        return None
    if pa.types.is_map(t):
        return {key_text(k): typed(x, t.item_type) for k, x in v}
    if pa.types.is_list(t) or pa.types.is_large_list(t) or pa.types.is_fixed_size_list(t):
        return [typed(x, t.value_type) for x in v]
    if pa.types.is_struct(t):
        return {t.field(i).name: typed(v[t.field(i).name], t.field(i).type) for i in range(t.num_fields)}
    if pa.types.is_duration(t):
        return v
    return form(v)


def same(got, want):
    if isinstance(want, float):
        return isinstance(got, Number) and float(got) == want and ("." in got or "e" in got)
    if type(got) is not type(want):
        return False
    if isinstance(want, dict):
        return list(got) == list(want) and all(same(got[k], want[k]) for k in want)
    if isinstance(want, list):
        return len(got) == len(want) and all(map(same, got, want))
    return got == want


def cat(path, *args):
    r = subprocess.run([SKIFF, "data", "cat", path, *args], capture_output=True)
    return r.returncode, r.stdout, r.stderr.decode()


def rows_of(out):
    return [json.loads(x, parse_int=Number, parse_float=Number) for x in out.decode().split("\n")[:-1]]


def wanted(table):
    if "pandas" not in sys.modules and any(is_nano(f.type) for f in table.schema):
        import pandas  # noqa: F401
    names = table.schema.names
    columns = [[typed(v.as_py() if not isinstance(v, (pa.TimestampScalar, pa.Time64Scalar)) else nano(v), f.type) for v in table.column(i)]
               for i, f in enumerate(table.schema)]
    return [dict(zip(names, row)) for row in zip(*columns)]


def is_nano(t):
    return (pa.types.is_timestamp(t) or pa.types.is_time64(t)) and t.unit == "ns"


def nano(v):
    "Python's own times end at microseconds."
    if not v.is_valid:
        return None
    if pa.types.is_time64(v.type) and v.type.unit == "ns":
        n = v.value
        t = datetime.time(n // 3600 // 10**9, n // 60 // 10**9 % 60, n // 10**9 % 60, n // 1000 % 10**6).isoformat()
        return t if n % 1000 == 0 else t.split(".")[0] + f".{n % 10**9:09}"
    return v.as_py()


def compare(what, path, table=None, quiet=True):
    code, out, error = cat(path)
    if code:
        return check(f"{what}: {error.strip()}", False)
    got, want = rows_of(out), wanted(pq.read_table(path) if table is None else table)
    ok = same(got, want)
    if not ok:
        bad = next((i for i, (a, b) in enumerate(zip(got, want)) if not same(a, b)), min(len(got), len(want)))
        keep = os.path.join(tempfile.gettempdir(), "skiff-parquet-failed.parquet")
        shutil.copy(path, keep)
        print(f"  {keep}: {len(got)} of {len(want)} rows; row {bad + 1}:\n  got  {got[bad:bad + 1]}\n  want {want[bad:bad + 1]}")
    return check(what, ok, quiet)


# ---- values of every type ----
utc = datetime.timezone.utc
moments = [datetime.datetime(1970, 1, 1), datetime.datetime(2024, 2, 29, 23, 59, 59, 999999), datetime.datetime(1, 1, 1),
           datetime.datetime(9999, 12, 31, 23, 59, 59), datetime.datetime(1969, 12, 31, 23, 59, 59, 1), datetime.datetime(1900, 3, 1, 4, 5, 6, 7000)]
near = [m for m in moments if 1700 < m.year < 2200]
texts = ["", "a", "Ein längerer Text mit 🙂 und\nZeilen", "x" * 300, "\x01\"\\", "same", "same", "prefix one", "prefix two"]


def whole(bits, signed=True):
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    return lambda: random.choice([low, high, 0, 1, random.randint(low, high), random.randint(0, 9)])


def digits(precision, scale):
    return lambda: (decimal.Decimal(random.choice([0, 1, -1, 10 ** precision - 1, 1 - 10 ** precision, random.randint(0, 10 ** precision - 1)]))
                    .scaleb(-scale, decimal.Context(prec=100)))


def one_of(values):
    return lambda: random.choice(values)


def seconds(ms):
    return lambda: datetime.time(random.randint(0, 23), random.randint(0, 59), random.randint(0, 59), random.choice([0, random.randint(0, 999) * ms]))


TYPES = {
    "bool": (pa.bool_(), lambda: random.random() < .5),
    **{f"int{b}": (getattr(pa, f"int{b}")(), whole(b)) for b in (8, 16, 32, 64)},
    **{f"uint{b}": (getattr(pa, f"uint{b}")(), whole(b, False)) for b in (8, 16, 32, 64)},
    "half": (pa.float16(), one_of([0.0, -0.5, 65504.0, 2.0 ** -24, float("inf"), float("nan"), 1.5, 0.0999755859375])),
    "float": (pa.float32(), one_of([0.0, 0.10000000149011612, -3.5, 3.4028234663852886e38, 1e-45, float("inf"), float("nan")])),
    "double": (pa.float64(), lambda: random.choice([0.1, -0.0, 1e300, 5e-324, 2.0, float("-inf"), random.random()])),
    "string": (pa.string(), one_of(texts)),
    "large_string": (pa.large_string(), one_of(texts)),
    "string_view": (pa.string_view(), one_of(texts)),
    "dictionary": (pa.dictionary(pa.int32(), pa.string()), one_of(texts)),
    "binary": (pa.binary(), lambda: random.randbytes(random.randint(0, 9))),
    "large_binary": (pa.large_binary(), lambda: random.randbytes(random.randint(0, 9))),
    "fixed": (pa.binary(7), lambda: random.randbytes(7)),
    "decimal32": (pa.decimal32(9, 2), digits(9, 2)),
    "decimal64": (pa.decimal64(18, 0), digits(18, 0)),
    "decimal128": (pa.decimal128(5, 2), digits(5, 2)),
    "decimal128 wide": (pa.decimal128(38, 10), digits(38, 10)),
    "decimal128 all": (pa.decimal128(20, 20), digits(20, 20)),
    "decimal256": (pa.decimal256(76, 30), digits(76, 30)),
    "date32": (pa.date32(), lambda: random.choice(moments).date()),
    "date64": (pa.date64(), lambda: random.choice(moments).date()),
    "time32 s": (pa.time32("s"), seconds(0)),
    "time32 ms": (pa.time32("ms"), seconds(1000)),
    "time64 us": (pa.time64("us"), seconds(999)),
    "time64 ns": (pa.time64("ns"), lambda: random.randint(0, 86400 * 10**9 - 1)),
    **{f"timestamp {u} {z}": (pa.timestamp(u, z), one_of([m.replace(microsecond=m.microsecond if u == "us" else m.microsecond // 1000 * 1000
                                                                    if u == "ms" else 0) for m in moments]))
       for u in ("s", "ms", "us") for z in (None, "UTC", "Europe/Berlin") if z != "Europe/Berlin" or u == "us"},
    "timestamp ns": (pa.timestamp("ns"), lambda: random.choice([0, 1, -1, 10**18 + 123456789, random.randint(-2**62, 2**62), 5000])),
    "timestamp ns UTC": (pa.timestamp("ns", "UTC"), lambda: random.randint(-2**62, 2**62)),
    "null": (pa.null(), lambda: None),
    "uuid": (pa.uuid(), lambda: uuid.uuid4().bytes),
    "json": (pa.json_(), lambda: json.dumps({"a": random.random()})),
}
if "Europe" in str(TYPES):
    TYPES["timestamp us Europe/Berlin"] = (pa.timestamp("us", "Europe/Berlin"), one_of([m.replace(tzinfo=utc) for m in near]))


def values(make, nulls, n):
    return [None if nulls and random.random() < nulls else make() for _ in range(n)]


def array(name, n, nulls):
    t, make = TYPES[name]
    v = values(make, nulls, n)
    if isinstance(t, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(t, pa.array(v, t.storage_type))
    return pa.array(v, t)


number = 0


def write(table, **options):
    global number
    number += 1
    path = f"{work}/{number}.parquet"
    pq.write_table(table, path, **options)
    return path


def encodings_of(t):
    if pa.types.is_integer(t) or pa.types.is_temporal(t) and not pa.types.is_duration(t):
        return ["PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"]
    if pa.types.is_float32(t) or pa.types.is_float64(t) or pa.types.is_float16(t) or pa.types.is_decimal(t):
        return ["PLAIN", "BYTE_STREAM_SPLIT"]
    if pa.types.is_boolean(t):
        return ["PLAIN", "RLE"]
    if pa.types.is_fixed_size_binary(t):
        return ["PLAIN", "BYTE_STREAM_SPLIT", "DELTA_BYTE_ARRAY"]
    if pa.types.is_string(t) or pa.types.is_large_string(t) or pa.types.is_binary(t) or pa.types.is_large_binary(t):
        return ["PLAIN", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"]
    return ["PLAIN"]


CODECS = ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]


def test_types():
    for name in TYPES:
        fine = True
        for encoding in ["dictionary", *encodings_of(TYPES[name][0])]:
            for version in ("1.0", "2.0"):
                for nulls in (0, .3, 1):
                    a = array(name, 157, nulls)
                    t = pa.table({"a": a, "rows": pa.array(range(157))})
                    how = {"use_dictionary": True} if encoding == "dictionary" else {"use_dictionary": False, "column_encoding": {"a": encoding}}
                    path = write(t, compression=random.choice(CODECS), data_page_version=version, row_group_size=random.choice([50, 1000]),
                                 data_page_size=random.choice([1, 100, 1 << 20]), write_batch_size=random.choice([7, 1024]),
                                 write_page_checksum=random.random() < .5, store_decimal_as_integer=random.random() < .5,
                                 store_schema=name not in ("json", "uuid") or random.random() < .5, **how)
                    if name == "null" and encoding == "dictionary":
                        t = None
                    fine &= compare(f"{name}, {encoding}, pages {version}, {nulls:.0%} null", path)
        check(f"{name}: every encoding", fine)


def test_codecs():
    chats = [{"messages": [{"role": "user", "content": random.choice(texts) * random.randint(1, 50)}, {"role": "assistant", "content": None}]}
             for _ in range(500)]
    t = pa.Table.from_pylist(chats)
    for codec in CODECS:
        fine = True
        for version in ("1.0", "2.0"):
            for dictionary in (True, False):
                for page in (100, 1 << 20):
                    fine &= compare(f"{codec}, pages {version}", write(t, compression=codec, data_page_version=version,
                                                                       use_dictionary=dictionary, data_page_size=page))
        check(f"{codec}: chats", fine)


# ---- any nesting ----
def random_type(depth):
    kind = random.choice(["leaf"] * 2 + ["list", "struct", "map", "fixed"] if depth else ["leaf"])
    if kind == "leaf":
        name = random.choice([n for n in TYPES if n not in ("dictionary", "uuid", "json", "null", "string_view", "timestamp ns", "timestamp ns UTC",
                                                            "time64 ns", "half", "date64")])
        t, make = TYPES[name]
        return t, make
    if kind == "struct":
        parts = [random_type(depth - 1) for _ in range(random.randint(1, 3))]
        nulls = [random.random() < .7 for _ in parts]
        t = pa.struct([pa.field(f"f{i}", p[0], nullable=n) for i, (p, n) in enumerate(zip(parts, nulls))])
        return t, lambda: {f"f{i}": None if n and random.random() < .2 else p[1]() for i, (p, n) in enumerate(zip(parts, nulls))}
    inner, make = random_type(depth - 1)
    if kind == "map":
        key, make_key = TYPES[random.choice(["string", "int64", "date32", "bool"])]
        return pa.map_(key, inner), lambda: list({make_key(): maybe(make) for _ in range(random.randint(0, 4))}.items())
    nullable = random.random() < .7
    item = pa.field("element", inner, nullable=nullable)
    one = (lambda: maybe(make)) if nullable else make
    if kind == "fixed":
        return pa.list_(item, 2), lambda: [one(), one()]
    big = random.random() < .3
    return (pa.large_list if big else pa.list_)(item), lambda: [one() for _ in range(random.choice([0, 0, 1, 2, 5]))]


def maybe(make):
    return None if random.random() < .2 else make()


def test_nesting(times=400):
    fine = True
    for i in range(times):
        parts = [random_type(random.randint(1, 4)) for _ in range(random.randint(1, 3))]
        n = random.randint(1, 120)
        t = pa.Table.from_arrays([pa.array([maybe(p[1]) for _ in range(n)], p[0]) for p in parts], names=[f"c{k}" for k in range(len(parts))])
        path = write(t, compression=random.choice(CODECS), data_page_version=random.choice(["1.0", "2.0"]), row_group_size=random.choice([7, 50, 1000]),
                     data_page_size=random.choice([1, 100, 1 << 20]), write_batch_size=random.choice([3, 1024]), use_dictionary=random.random() < .5,
                     use_compliant_nested_type=random.random() < .5, version=random.choice(["1.0", "2.4", "2.6"]),
                     write_page_index=random.random() < .5, use_byte_stream_split=False)
        fine &= compare(f"nesting {i}: {t.schema}", path, t)       # pyarrow does not read all that it writes: fewer rows, nulls it refuses
    check(f"{times} tables of any nesting", fine)


def test_old():
    t = pa.table({"a": pa.array(near * 10, pa.timestamp("ns"))})
    compare("INT96", write(t, use_deprecated_int96_timestamps=True), quiet=False)
    empty = pa.table({"a": pa.array([], pa.string())})
    code, _, error = cat(write(empty))
    check(f"no rows: {error.strip().split('/')[-1]}", code == 2 and "holds no rows" in error)
    compare("an empty row group between", write_groups([[1], [], [2]]), quiet=False)
    path = write(pa.table({"a": [1, 2, 3]}))
    shutil.copy(path, work + "/named.jsonl")
    compare("known by its content", work + "/named.jsonl", quiet=False)
    compare("many columns", write(pa.table({f"c{i}": [i, None] for i in range(3000)})), quiet=False)
    compare("a large row", write(pa.table({"a": ["x" * 50_000_000, "y"], "b": [[1.5] * 2_000_000, None]})), quiet=False)
    compare("two million nulls", write(pa.table({"a": pa.array([None] * 2_000_000, pa.int32())})), quiet=False)
    code, out, error = cat(write(pa.table({"a": [b"a", b"\xff"]}).cast(pa.schema([("a", pa.binary())]))))
    check("binary that is no text", code == 0 and out == b'{"a": "YQ=="}\n{"a": "/w=="}\n')


def write_groups(groups):
    global number
    number += 1
    path = f"{work}/{number}.parquet"
    schema = pa.schema([("a", pa.int64())])
    with pq.ParquetWriter(path, schema) as w:
        for g in groups:
            w.write_table(pa.table({"a": g}, schema), row_group_size=1)
    return path


# ---- other writers ----
def test_duckdb():
    import duckdb
    query = """select i, i % 3 = 0 as b, (i * 1.5)::float as f, (i / 7)::double as d, (i % 100)::tinyint as t, (i * 1000)::uinteger as u,
        (i * 123456789012)::ubigint as ub, (i * 1.25)::decimal(18, 4) as dec, (i * 1.25)::decimal(38, 4) as wide, (i % 900 * .5)::decimal(4, 1) as small,
        'text ' || (i % 10) as s, case when i % 4 then 'long text number ' || i end as n, encode('b' || i) as blob, date '2020-02-28' + i::int as day,
        time '01:02:03.000004' + to_seconds(i) as at, timestamp '2020-01-01 00:00:00' + to_microseconds(i) as ts,
        (timestamp '2020-01-01 00:00:00' + to_seconds(i))::timestamptz as tz, timestamp_s '2020-01-01 00:00:00' as tss,
        (timestamp '2020-01-01 00:00:00')::timestamp_ms as tms, [i, null, i + 1] as l, case when i % 5 then [] end as e,
        [{'role': 'user', 'content': 'q' || i}, {'role': 'assistant', 'content': null}] as messages, {'a': {'b': [[i]]}} as st,
        map {'k' || i: i, 'x': null} as m, null as nothing, case when i % 2 then 'red' else 'blue' end::varchar as colour
        from range(5000) r(i)"""
    base = duckdb.sql("set timezone = 'UTC'") or duckdb
    for codec in ("uncompressed", "snappy", "gzip", "zstd", "lz4_raw", "brotli"):
        for version in ("v1", "v2"):
            path = f"{work}/duck-{codec}-{version}.parquet"
            base.sql(f"copy ({query}) to '{path}' (format parquet, codec {codec}, parquet_version {version}, row_group_size 2048)")
            compare(f"DuckDB, {codec}, {version}", path, quiet=False)
    path = f"{work}/duck-more.parquet"
    base.sql(f"copy (select uuid() as u, interval '1 month 2 days 3 seconds' as i from range(3)) to '{path}'")
    code, out, error = cat(path)
    want = [str(x) for x in duckdb.sql(f"select u from '{path}'").fetchnumpy()["u"]]
    got = rows_of(out)
    check(f"DuckDB, uuid and interval {error}", [r["u"] for r in got] == want and all(r["i"] == "P1M2DT3.000S" for r in got))


def test_others():
    chats = [{"messages": [{"role": "user", "content": f"question {i}"}, {"role": "assistant", "content": "answer " * (i % 9)}], "id": i,
              "score": i / 3, "tags": ["a", None] if i % 2 else []} for i in range(3000)]
    import datasets
    datasets.disable_progress_bars()
    path = f"{work}/datasets.parquet"
    datasets.Dataset.from_list(chats).to_parquet(path)
    code, out, error = cat(path)
    check(f"datasets {error}", [json.loads(x) for x in out.decode().splitlines()] == chats)
    import polars
    for codec in ("uncompressed", "snappy", "gzip", "brotli", "zstd", "lz4"):
        for version in ("1.0", "2.0") if "data_page_version" in polars.DataFrame.write_parquet.__doc__ else (None,):
            path = f"{work}/polars-{codec}.parquet"
            polars.DataFrame(chats).with_columns(polars.col("id").cast(polars.Datetime("us")).alias("when")).write_parquet(
                path, compression=codec, row_group_size=700, data_page_size=2000, **({"data_page_version": version} if version else {}))
            compare(f"polars, {codec}", path, quiet=False)
    import fastparquet
    import pandas
    frame = pandas.DataFrame({"s": ["text", None, "other"] * 100, "i": range(300), "f": [.5, None, 2.0] * 100, "b": [True, False, True] * 100,
                              "t": pandas.Timestamp("2024-01-02 03:04:05.678") + pandas.to_timedelta(range(300), "h"),
                              "c": pandas.Categorical(["x", "y", "z"] * 100)})
    for codec in ("UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD", "LZ4_RAW", "BROTLI"):
        path = f"{work}/fast-{codec}.parquet"
        fastparquet.write(path, frame, compression=codec, row_group_offsets=[0, 100], object_encoding="utf8")
        compare(f"fastparquet, {codec}", path, quiet=False)
    # Files of forms that no writer of today makes, as far as pyarrow reads them too.
    for path in sorted(glob.glob("fuzz/corpus/parquet/*.parquet")):
        # Broken on purpose; intervals, which pyarrow gives as bytes; BIT_PACKED levels, whose bits pyarrow takes from the other end than the
        # format says ("from the most significant bit of each byte").
        if os.path.basename(path).startswith(("bad_", "kind_interval", "levels_old")):
            continue
        try:
            wanted(pq.read_table(path))
        except Exception as why:
            print(f"        pyarrow does not read {os.path.basename(path)}: {str(why).splitlines()[0][:100]}")
            continue
        compare(f"by hand: {os.path.basename(path)}", path, quiet=False)


# ---- what is cut off, altered ----
def test_damage():
    chats = [{"messages": [{"role": "user", "content": f"question {i} " + random.choice(texts)}, {"role": "assistant", "content": "answer"}],
              "n": i, "f": i / 7} for i in range(400)]
    t = pa.Table.from_pylist(chats)
    kinds = [dict(compression=c, data_page_version=v, use_dictionary=d, column_encoding=None if d else {"n": "DELTA_BINARY_PACKED", "f": "BYTE_STREAM_SPLIT"})
             for c in CODECS for v in ("1.0", "2.0") for d in (True, False)]
    crashes = named = silent = errors = 0
    for how in kinds:
        path = write(t, row_group_size=100, write_page_checksum=True, **how)
        whole_file = open(path, "rb").read()
        footer = len(whole_file) - 8 - int.from_bytes(whole_file[-8:-4], "little")
        for i in range(60):
            data = bytearray(whole_file)
            if i < 15:
                data = data[:random.randint(4, len(data) - 1)]
            else:
                at = random.randint(4, footer - 1) if i < 45 else random.randint(footer, len(data) - 9)
                data[at] ^= 1 << random.randint(0, 7)
            open(path, "wb").write(data)
            r = subprocess.run([SKIFF, "data", "cat", path], capture_output=True, timeout=60)
            error = r.stderr.decode(errors="replace")
            if r.returncode not in (0, 2) or (r.returncode and len(error.strip().splitlines()) != 1):
                crashes += 1
                shutil.copy(path, os.path.join(tempfile.gettempdir(), "skiff-parquet-crashed.parquet"))
                print(how, i, r.returncode, error)
            if 15 <= i < 45:
                errors += r.returncode == 2
                named += "row group " in error and "column " in error
                silent += r.returncode == 0 and r.stdout != b"" and rows_of(r.stdout) != rows_of(cat(write(t, **how))[1])
    check("cut and altered files: exit 2 and one line", crashes == 0)
    check(f"altered pages with a checksum are never read as other rows ({silent})", silent == 0)
    check(f"altered pages: {named} of {errors} errors name row group and column", named == errors > 20 * len(kinds))
    path = write(t, compression="none", use_dictionary=False, write_page_checksum=True)
    data = bytearray(open(path, "rb").read())
    at = data.find(b"question 5 ")
    data[at] ^= 1
    open(path, "wb").write(data)
    code, _, error = cat(path)
    want = f"{path}: row group 1, column messages.list.element.content: page 1: its bytes do not match its checksum (CRC-32); the file is " \
           "damaged, fetch it again"
    check("the text of such an error", code == 2 and error.strip().endswith(want))


def pyarrow_reads(data):
    "Its rows; None: an error."
    try:
        return pq.read_table(pa.BufferReader(data), page_checksum_verification=True, use_threads=False).to_pylist()
    except Exception:
        return None


def test_altered():
    "One byte after the other changed: what a checksum covers is noticed, and whatever pyarrow notices; what is noticed is named."
    tool = os.path.join(os.environ.get("BUILD", "build"), "tests/peers/parquet_altered")
    chats = [{"messages": [{"role": "user", "content": f"question {i} " + random.choice(texts)}, {"role": "assistant", "content": "answer"}][:i % 3],
              "n": None if i % 5 == 0 else i, "tag": random.choice(["a", "bb", None])} for i in range(60)]
    t = pa.Table.from_pylist(chats)
    for codec in CODECS:
        for crc in (True, False):
            found, unnamed, silent, missed, crashed = 0, 0, 0, 0, 0
            for version, dictionary in (("1.0", True), ("2.0", True), ("1.0", False), ("2.0", False)):
                path = write(t, compression=codec, data_page_version=version, use_dictionary=dictionary, write_page_checksum=crc, row_group_size=40,
                             data_page_size=300, write_batch_size=8)
                whole_file = open(path, "rb").read()
                footer = len(whole_file) - 8 - int.from_bytes(whole_file[-8:-4], "little")
                r = subprocess.run([tool, path, "5"], capture_output=True, text=True, errors="replace", timeout=600)
                crashed += r.returncode != 0
                for line in r.stdout.splitlines():
                    at, change, what = line.split(" ", 2)
                    if int(at) >= footer:
                        continue
                    found += what.startswith("error")
                    unnamed += what.startswith("error") and not ("row group " in what and "column " in what)
                    if what == "other":
                        silent += 1
                        data = bytearray(whole_file)
                        data[int(at)] ^= int(change)
                        missed += silent % 4 == 0 and pyarrow_reads(bytes(data)) is None
            check(f"{codec}, {'with' if crc else 'without'} checksums: {found} changes of pages are noticed and named, {silent} are not, of which "
                  f"pyarrow notices {missed}", not crashed and not unnamed and not missed and (not silent or not crc) and found > 100)


# ---- the same chats in every form make the same tokens ----
def test_tokenize():
    import gzip
    import zstandard
    chats = [{"messages": [{"role": "user", "content": f"question {i} " + random.choice(texts)}, {"role": "assistant", "content": f"answer {i}"}]}
             for i in range(9000)]
    lines = "".join(json.dumps(c) + "\n" for c in chats).encode()
    files = {"chats.jsonl": lines, "chats.jsonl.gz": gzip.compress(lines), "chats.jsonl.zst": zstandard.compress(lines)}
    for name, data in files.items():
        open(f"{work}/{name}", "wb").write(data)
    pq.write_table(pa.Table.from_pylist(chats), f"{work}/chats.parquet", row_group_size=1000, data_page_size=5000)
    model = glob.glob("fixtures/smollm2/*.gguf")[0]
    made = {}
    for name in (*files, "chats.parquet"):
        out = f"{work}/cache-{name}"
        r = subprocess.run([SKIFF, "tokenize", f"{work}/{name}", "--model", model, "--output", out, "--json"], capture_output=True, text=True)
        totals = json.loads(r.stdout or "{}")
        totals.pop("output_path", None)
        shards = [open(f, "rb").read() for f in sorted(glob.glob(out + "/*.tok"))]
        head = 16 + 64          # magic, version, size of the vocabulary and the key, which names the source
        made[name] = (totals, [s[head:-64] for s in shards])
        check(f"{name}: {totals.get('kept')} of {totals.get('rows')} rows in {len(shards)} shards {r.stderr.strip() if r.returncode else ''}",
              totals.get("kept") == 9000)
    for name in (*list(files)[1:], "chats.parquet"):
        check(f"{name}: the tokens of chats.jsonl", made[name] == made["chats.jsonl"])
    chats[7000]["messages"][1]["content"] = 5
    chats = [{"messages": [{**m, "content": None if m["content"] == 5 else m["content"]} for m in c["messages"]]} for c in chats]
    pq.write_table(pa.Table.from_pylist(chats), f"{work}/bad.parquet", row_group_size=1000)
    r = subprocess.run([SKIFF, "tokenize", f"{work}/bad.parquet", "--model", model, "--output", f"{work}/cache-bad"], capture_output=True, text=True)
    error = r.stderr.strip().splitlines()[-1]
    check(f"a chat without its answer: {error.replace(work, '')}", "bad.parquet: row 7001" in error)


for name, test in sorted((n, f) for n, f in globals().items() if n.startswith("test_") and callable(f)):
    if len(sys.argv) < 2 or sys.argv[1] in name:
        test()
shutil.rmtree(work)
print(f"{counts[True]} passed, {counts[False]} failed")
sys.exit(counts[False] > 0)
