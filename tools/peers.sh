#!/bin/sh
# The peers' tests: real clients in a virtual environment of their own (build/peers), versions pinned in
# tests/peers/requirements.txt. PEERS=folder uses another environment that has them.
cd "$(dirname "$0")/.." || exit 1
tools/setup.sh build peers || exit 1
tools/fixtures.sh || exit 1
venv=${PEERS:-build/peers}
if [ ! -x "$venv/bin/python" ] || ! cmp -s tests/peers/requirements.txt "$venv/requirements.done"; then
    if [ -z "${PEERS:-}" ]; then
        echo "peers: installing into $venv (a few minutes)"
        python3 -m venv "$venv" && "$venv/bin/pip" install -q --disable-pip-version-check -r tests/peers/requirements.txt || exit 1
        cp tests/peers/requirements.txt "$venv/requirements.done"
    fi
fi
export SMOL=${SMOL:-$PWD/build/smollm2-hf} TOKENIZERS_PARALLELISM=false HF_HUB_OFFLINE=1 PYTHONDONTWRITEBYTECODE=1
if [ ! -f "$SMOL/config.json" ]; then
    echo "peers: transformers reads the GGUF into $SMOL"
    "$venv/bin/python" tests/peers/smollm2_base.py fixtures/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf "$SMOL" > build/smollm2-hf.log 2>&1 \
        || { tail -n 20 build/smollm2-hf.log; exit 1; }
fi
mkdir -p build/peer-tests
for t in tests/peers/test_*.py; do
    printf '#!/bin/sh\nexec "%s" "%s"\n' "$(realpath -s "$venv/bin/python")" "$PWD/$t" > "build/peer-tests/$(basename "$t" .py)"
done
chmod +x build/peer-tests/*
# shellcheck disable=SC2046
LIMIT=${LIMIT:-1200} exec tests/run $(for t in tests/peers/test_*.py; do echo "build/peer-tests/$(basename "$t" .py)"; done)
