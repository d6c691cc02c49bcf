// Llama 3: a header with the role, the trimmed text, <|eot_id|>; BOS before the first message. No form for tool calls.
#include "text/chat_parts.h"

const char template_llama3[] =
    "{% for turn in messages %}"
    "{% if turn.tool_calls %}{{ raise_exception('llama3 has no form for tool calls; use chat_template = \"qwen2.5\"') }}{% endif %}"
    "{% if loop.first %}{{ bos_token }}{% endif %}"
    "<|start_header_id|>{{ turn.role }}<|end_header_id|>\n\n"
    "{% if turn.content is string %}{{ turn.content.strip() }}"
    "{% else %}{% set parts %}{% for part in turn.content or [] %}{{ part.text }}{% endfor %}{% endset %}{{ parts | trim }}{% endif %}"
    "<|eot_id|>"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}";
