"""Conversations that end with the assistant, of every kind that a chat template tells apart, for test_masks.py and test_render.py."""
from render_chats import A, CONVERSATIONS, S, T2, TL, U, W, call, parts

ODD = ["Hello!", "", " ", "\n\nTwo lines\nbefore and after\n\n", "  spaces  around  ", "naïve café 漢字 🙂", "<b>&amp;</b> \"quotes\" 'x' \\ back",
       "```python\nprint('<|x|>')\n```", "1. one\n2. two\n\n| a | b |\n|---|---|", "{{ not jinja }} {% raw %}", "a\tb\r\nc", "e\u0301 \u200d \ufeff."]

PLAIN = [dict(messages=[U("What about %d?" % i), A(text)]) for i, text in enumerate(ODD)]
PLAIN += [dict(messages=[U(text), A("An answer to %d." % i)]) for i, text in enumerate(ODD)]
PLAIN += [dict(messages=[S, U("q"), A(text)]) for text in ODD[:4]]
PLAIN += [dict(messages=[U("a"), A(x), U("b"), A(y)]) for x, y in zip(ODD, ODD[1:] + ODD[:1])]
PLAIN += [dict(messages=[U("same"), A("same"), U("same"), A("same"), U("same"), A("same")]),
          dict(messages=[m for i in range(8) for m in (U("question %d" % i), A("answer %d" % i))])]

TOOLS = [
    dict(messages=[U("w?"), A("", tool_calls=[call("get_weather", {"city": "Rome"})]), TL("sun", tool_call_id="call00001", name="get_weather"),
                   A("Sunny.")], tools=[W]),
    dict(messages=[S, U("w?"), A("I look.", tool_calls=[call("get_weather", {"city": "Rome"}), call("search", {"q": "x", "tags": []}, "call00002")]),
                   TL("sun", tool_call_id="call00001", name="get_weather"), TL("none", tool_call_id="call00002", name="search"), A("Sunny."),
                   U("thanks"), A("welcome")], tools=[W, T2]),
    dict(messages=[U("w?"), A("", tool_calls=[call("get_weather", {"city": "Rome"})])], tools=[W]),
    dict(messages=[U("w?"), A("", tool_calls=[call("get_weather", {"city": "a"})]), TL("1", tool_call_id="call00001", name="get_weather"),
                   A("", tool_calls=[call("get_weather", {"city": "b"})]), TL("2", tool_call_id="call00001", name="get_weather"), A("Both.")],
         tools=[W]),
]
REASONING = [
    dict(messages=[U("q"), A("ans", reasoning_content="because")]),
    dict(messages=[U("q"), A("ans", reasoning_content="because"), U("r"), A("other", reasoning_content="so")]),
    dict(messages=[U("q"), A("<think>\nhm\n</think>\n\nans")]),
    dict(messages=[U("q"), A("<think>\nhm\n</think>\n\nans"), U("r"), A("<think>\nha\n</think>\n\nother")]),
    dict(messages=[U("q"), A("ans", reasoning_content="")]),
]
# As vision models' templates want them: every content in parts.
PARTS = [dict(messages=[dict(m, content=parts(m["content"])) for m in row["messages"]]) for row in PLAIN]

ENDED = [row for row in CONVERSATIONS if not row.get("add_generation_prompt") and row["messages"][-1]["role"] == "assistant"]
ALL = PLAIN + TOOLS + REASONING + ENDED
