// ChatML: every message between <|im_start|>role and <|im_end|>. It has no form for tool calls, so it refuses them.
#include "text/chat_parts.h"

const char template_chatml[] =
    "{% for turn in messages %}"
    "{% if turn.tool_calls %}{{ raise_exception('chatml has no form for tool calls; use chat_template = \"qwen2.5\"') }}{% endif %}"
    "<|im_start|>{{ turn.role }}\n"
    "{% if turn.content is string %}{{ turn.content }}"
    "{% else %}{% for part in turn.content or [] %}{{ part.text }}{% endfor %}{% endif %}"
    "<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
