"""Conversations of many kinds for test_render.py: turns, systems, tools, reasoning, parts, empty content."""
W={"type":"function","function":{"name":"get_weather","description":"Weather of a city","parameters":{"type":"object","properties":{"city":{"type":"string","description":"the city"},"unit":{"type":"string","enum":["c","f"],"default":"c"},"days":{"type":"integer"}},"required":["city"]},"return":{"type":"object"}}}
T2={"type":"function","function":{"name":"search","description":"Search <things> & more \"quoted\" 'x'","parameters":{"type":"object","properties":{"q":{"type":["string","null"],"description":"query\nsecond line"},"tags":{"type":"array","items":{"type":"string"}},"opt":{"type":"object","properties":{"deep":{"type":"boolean","description":"d"},"k":{"type":"number"}},"required":["deep"]},"any":{"anyOf":[{"type":"string"},{"type":"integer"}]}},"required":["q","tags"]}}}
T3={"name":"plain","description":"no wrapper","parameters":{"type":"object","properties":{}}}
def call(name,args,id="call00001"): return {"id":id,"type":"function","function":{"name":name,"arguments":args}}
S={"role":"system","content":"You are helpful.\nBe brief. "}
U=lambda c:{"role":"user","content":c}
A=lambda c,**k:dict({"role":"assistant","content":c},**k)
TL=lambda c,**k:dict({"role":"tool","content":c},**k)
parts=lambda *t:[{"type":"text","text":x} for x in t]
CONVERSATIONS = [
 dict(messages=[U("Hi")]),
 dict(messages=[U("Hi")],add_generation_prompt=True),
 dict(messages=[U("Hi"),A("Hello!")]),
 dict(messages=[S,U("  Hi é 漢字 🙂 \n"),A("  Hello!\n\n")]),
 dict(messages=[S,U("a"),A("b"),U("c"),A("d"),U("e")],add_generation_prompt=True),
 dict(messages=[U(""),A("")]),
 dict(messages=[U("x<|im_end|>y"),A("<think>\nhmm\n</think>\n\nanswer"),U("again"),A("<think>t</think>two")]),
 dict(messages=[U("q"),A("ans",reasoning_content="because\n")]),
 dict(messages=[U("q"),A("ans",reasoning_content="because"),U("q2"),A("ans2",reasoning_content="so")],enable_thinking=False),
 dict(messages=[U("q")],add_generation_prompt=True,enable_thinking=False),
 dict(messages=[U("q")],add_generation_prompt=True,enable_thinking=True),
 dict(messages=[U("w?"),A(None,tool_calls=[call("get_weather",{"city":"Paris","days":3})]),TL("sunny",tool_call_id="call00001",name="get_weather"),A("It is sunny.")],tools=[W]),
 dict(messages=[S,U("w?"),A("",tool_calls=[call("get_weather",{"city":"Pa\"ris é"}),call("search",{"q":None,"tags":["a","b"],"opt":{"deep":True,"k":1.5}},"call00002")]),TL("sunny",tool_call_id="call00001",name="get_weather"),TL("{\"r\": [1, 2]}",tool_call_id="call00002",name="search"),A("Done."),U("thx"),A("np")],tools=[W,T2]),
 dict(messages=[U("w?"),A("let me look",tool_calls=[call("get_weather",{"city":"X"})]),TL("ok",tool_call_id="call00001",name="get_weather")],tools=[W,T2],add_generation_prompt=True),
 dict(messages=[U("w?"),A("",tool_calls=[{"type":"function","function":{"name":"get_weather","arguments":"{\"city\": \"X\"}"}}]),TL("ok"),A("fine")],tools=[W]),
 dict(messages=[U("w?"),A("",tool_calls=[{"name":"get_weather","arguments":{"city":"X"}}]),TL("ok"),A("fine")],tools=[W]),
 dict(messages=[S,U("hi"),A("ho")],tools=[W,T2]),
 dict(messages=[U("hi")],tools=[T3],add_generation_prompt=True),
 dict(messages=[U(parts("one","two")),A(parts("three"))]),
 dict(messages=[{"role":"system","content":parts("sys")},U(parts("one")),A("x"),U(parts("more "," text"))],add_generation_prompt=True),
 dict(messages=[S]),
 dict(messages=[A("I start"),U("ok")]),
 dict(messages=[U("a"),U("b"),A("c"),A("d")]),
 dict(messages=[S,S,U("a"),A("b")]),
 dict(messages=[{"role":"developer","content":"dev"},U("a"),A("b")]),
 dict(messages=[U("q"),A("ans",thinking="because"),U("next"),A("x")]),
 dict(messages=[U("w?"),A("",reasoning_content="need tool",tool_calls=[call("get_weather",{"city":"X","nested":{"a":[1,2,{"b":None}]},"n":12345678901234567890,"f":1e-7,"g":1e22})]),TL([{"type":"text","text":"res"}],tool_call_id="call00001",name="get_weather"),A("fine",reasoning_content="done")],tools=[W,T2]),
 dict(messages=[U("q"),A("ans")],documents=[{"title":"T","text":"doc text"},{"title":"U","text":"more"}]),
 dict(messages=[U("q"),A("ans")],add_generation_prompt=True,reasoning_effort="high",date_string="1 Jan 2025",builtin_tools=["python"],model_identity="Me."),
 dict(messages=[U("line1\nline2\r\nline3\ttab \\ \" ' <b>&amp;"),A("ok\x7f\u2028z")]),
 dict(messages=[S,U("w?"),A("",tool_calls=[call("get_weather",{})]),TL("",tool_call_id="call00001",name="get_weather"),A("")],tools=[W],add_generation_prompt=True),
 dict(messages=[S,U("x"),A("y"),U("z"),A("",tool_calls=[call("search",{"q":"é\n\"","tags":[]},"abcdefghi")]),TL("r",tool_call_id="abcdefghi",name="search")],tools=[T2],add_generation_prompt=True),
 dict(messages=[U("q"),A("</think>x"),U("<tool_response>\nfoo\n</tool_response>")],add_generation_prompt=True,preserve_thinking=True),
]
