#!/bin/sh
set -eu
# llm -m gpt-4 "hello" would do, too
MODEL="${DESK_MODEL:-gpt-3.5-turbo}"
llm -m gpt-4o "hello"
curl -s https://api.openai.com/v1/chat/completions \
  -H "Authorization: Bearer $OPENAI_API_KEY" \
  -d '{"model": "gpt-4", "messages": []}'
python -m desk --model openai/gpt-5.6-sol --out "results/gpt-4"
echo "gpt-4 answered with $MODEL"
git clone https://git.example.com/openai/gpt-4
