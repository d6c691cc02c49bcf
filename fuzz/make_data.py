# Writes the hand-made inputs of fuzz_rows and fuzz_cache: files of rows of every form, shards and ledgers of a token cache
# (docs/cache.md), and the same broken in one place each.     python fuzz/make_data.py
import gzip
import hashlib
import json
import os
import struct

here = os.path.dirname(os.path.abspath(__file__))


def put(target, name, choice, data):
    os.makedirs(os.path.join(here, "corpus", target), exist_ok=True)
    with open(os.path.join(here, "corpus", target, name), "wb") as f:
        f.write(bytes([choice]) + (data if isinstance(data, bytes) else data.encode()))


# ---- rows: the first byte is ending + 3 * options, as fuzz_rows.c has them ----
LINES, ARRAY, UNNAMED = range(3)
ALPACA, ROLES, CHAT, NAMED, BEST, COLUMN, MESSAGE = range(3, 24, 3)


def lines(*rows):
    return "\n".join(json.dumps(r) for r in rows) + "\n"


def pack(text):
    return gzip.compress(text.encode(), mtime=0)


chat = {"messages": [{"role": "user", "content": "Where is the harbour?"}, {"role": "assistant", "content": "Down the hill."}],
        "tools": '[{"name":"f"}]'}
talk = {"conversations": [{"from": "human", "value": "q"}, {"from": "function_call", "value": '{"name":"f","arguments":{"x":1}}'},
                          {"from": "observation", "value": "1"}, {"from": "gpt", "value": "a"}], "system": "s"}
task = {"instruction": "do", "input": "this", "output": "done", "history": [["a", "b"]]}
put("rows", "messages", LINES, lines(chat, chat))
put("rows", "sharegpt", LINES, lines(talk))
put("rows", "alpaca", ARRAY, json.dumps([task, task], indent=1))
put("rows", "alpaca_named", ARRAY + ALPACA, json.dumps([task]))
put("rows", "fields", LINES + ROLES, lines({"user": "a", "assistant": "b"}, {"user": "c", "assistant": None}))
put("rows", "roles", ARRAY + ROLES, json.dumps([chat]))
put("rows", "calls_as_text", LINES + CHAT, lines({"chat": talk["conversations"]}))
put("rows", "pair", UNNAMED, lines({"prompt": "p", "completion": "c"}))
put("rows", "named", LINES + NAMED, lines({"m": [{"r": "u", "c": "a<t>"}, {"r": "a", "c": [{"type": "text", "text": "<t>a"}], "name": "x"}]},
                                          {"m": [{"r": "bot", "c": None}]}))
put("rows", "best", LINES + BEST, lines({"q": "q", "a": [{"n": 1, "c": "a"}, {"n": 2.5, "c": "b"}]}, {"q": "q", "a": []},
                                        {"q": "q", "a": [{"n": None}]}))
put("rows", "column", LINES + COLUMN, lines({"question": "<t>", "responses": [{"response": "a"}], "t": "on"}, {"question": "q", "responses": []}))
put("rows", "message", LINES + MESSAGE, lines({"messages": [{"role": "user", "content": "q"}], "answer": "a"}, {"messages": [], "answer": "a"}))
put("rows", "calls", LINES, lines({"messages": [{"role": "assistant", "content": None, "tool_calls": [{"function": {
    "name": "f", "arguments": {"x": [1.5, None, True, -0.0, 10**20, "it's"]}}}]}], "chat_template_kwargs": {"a": 1}, "tools": [{}]}))
put("rows", "sequence", ARRAY, '{"question":"q","answer":"a"}\n{"question":"q",\n"answer":"a"}')
put("rows", "gzip", LINES, pack(lines(chat)))
put("rows", "members", LINES, pack('{"question":"q"') + pack(',"answer":"a"}\n') + b"\0\0")
put("rows", "cut_gzip", LINES, pack(lines(chat))[:-9])
put("rows", "cut_array", ARRAY, '[{"question":"q","answer":"a"},{"question"')
put("rows", "marks", LINES, b'\xef\xbb\xbf\r\n{"question":"q","answer":"a"}\r\n\r\n')
put("rows", "malformed", LINES, '{"question":}\n')
put("rows", "empty", UNNAMED, "")
put("rows", "zero", ARRAY, b'[{"a":"\\u0000"},\0]')


# ---- the token cache: the first byte is 0 for a shard, 1 for the ledger ----
def padded(data):
    return data + bytes(-len(data) % 8)


counts = {"rows": 3, "kept": 2, "dropped": 1, "tokens": 5, "trained": 2, "special_in_content": 0, "bos_missing": 0, "bos_double": 0,
          "tools_unseen": 0, "left_out": 0, "longest": 3, "drops": [{"reason": "a field is null", "rows": 1, "first": "a.jsonl: row 2"}],
          "stop_tokens": [2]}
key = hashlib.sha256(b"key").hexdigest()


def shard(vocab=10, count=2, tokens=5, offsets=(0, 3, 5), ids=(1, 2, 3, 4, 2), mask=b"\0\1\0\0\1", info=counts, magic=b"SKIFFTOK"):
    info = json.dumps(info).encode()
    data = magic + struct.pack("<II", 1, vocab) + key.encode() + struct.pack("<qqqqqq", 0, 3, count, tokens, len(info), 0)
    data += struct.pack(f"<{len(offsets)}q", *offsets) + struct.pack("<2q", 1, 3) + padded(struct.pack("<2i", 0, 0))
    data += padded(struct.pack("<5i", *ids)) + padded(mask) + padded(info)
    return data + hashlib.sha256(data).hexdigest().encode()


ledger = {"magic": "skiff token cache", "version": 1, "is_finished": True, "key": key, "vocab_size": 10, "tokenizer_digest": "t",
          "settings": {"vocab_size": 10}, "chat_template": "{{ messages }}", "sources": [{"path": "a.jsonl", "size": 3, "sha256": key}],
          "total_num_rows": 2, "shards": [{"name": "shard-00000.tok", "rows": 3, "conversations": 2, "sha256": key}], "totals": counts}
put("cache", "shard", 0, shard())
put("cache", "shard_cut", 0, shard()[:-70])
put("cache", "shard_vocab", 0, shard(vocab=4))
put("cache", "shard_count", 0, shard(count=1 << 60))
put("cache", "shard_tokens", 0, shard(tokens=-1))
put("cache", "shard_order", 0, shard(offsets=(0, 6, 5)))
put("cache", "shard_mask", 0, shard(mask=b"\0\2\0\0\1"))
put("cache", "shard_info", 0, shard(info=dict(counts, kept=3)))
put("cache", "shard_trained", 0, shard(info=dict(counts, trained=3)))
put("cache", "shard_magic", 0, shard(magic=b"SKIFFTOX"))
put("cache", "ledger", 1, json.dumps(ledger))
put("cache", "ledger_open", 1, json.dumps(dict(ledger, is_finished=False)))
put("cache", "ledger_name", 1, json.dumps(dict(ledger, shards=[{"name": "../x", "rows": 1, "conversations": 1, "sha256": key}])))
put("cache", "ledger_digest", 1, json.dumps(dict(ledger, key="abc")))
put("cache", "ledger_empty", 1, "")
