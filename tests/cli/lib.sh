# For tests of the program from outside. SKIFF is the program; each test works in $dir, a folder of its own.
set -u
cd "$(dirname "$0")/../.." || exit 1
: "${SKIFF:=$PWD/build/skiff}"
root=$PWD
model=$root/fixtures/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export SKIFF_PROGRESS=0
passed=0 failed=0 name=

# tests/run sends SIGQUIT when its limit of time is over: one that hangs says where.
trap 'echo "stopped after: ${name:-its beginning}"; exit 131' QUIT

# ok NAME CONDITION…: the condition is a command
ok()
{
    name=$1
    shift
    if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED $name"; fi
}

# run ARGS…: the program's stdout in $dir/out, stderr in $dir/err, exit code in $code
run()
{
    "$SKIFF" "$@" > "$dir/out" 2> "$dir/err" < "${stdin:-/dev/null}"
    code=$?
}

# refuses NAME CODE TEXT ARGS…: exits with CODE and says one line on stderr that holds TEXT
refuses()
{
    name=$1 want=$2 text=$3
    shift 3
    run "$@"
    lines=$(grep -c '^skiff: ' "$dir/err")
    if [ $code -eq "$want" ] && grep -qF -- "$text" "$dir/err" && [ "$lines" -eq 1 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $name: exit $code (want $want), expected one line with: $text"
        sed 's/^/    /' "$dir/err" | tail -n 5
    fi
}

# says NAME TEXT: stdout holds the text
says()
{
    if grep -qF -- "$2" "$dir/out"; then passed=$((passed + 1)); else
        failed=$((failed + 1)); echo "FAILED $1: expected on stdout: $2"; head -n 5 "$dir/out" | sed 's/^/    /'; fi
}

# appears COMMAND…: until the command succeeds, for two minutes at most
appears()
{
    naps=0
    until "$@" 2> /dev/null; do
        [ $naps -lt 1200 ] || return 1
        sleep 0.1
        naps=$((naps + 1))
    done
}

# ends JOB: waits until that job of this shell has ended; one that does not in two minutes is killed. Its exit code in $code
ends()
{
    naps=0
    while [ $naps -lt 1200 ] && grep -q '^State:.[^Z]' "/proc/$1/status" 2> /dev/null; do
        sleep 0.1
        naps=$((naps + 1))
    done
    kill -9 "$1" 2> /dev/null
    wait "$1"
    code=$?
}

finish()
{
    echo "$passed passed, $failed failed"
    [ $failed -eq 0 ]
    exit
}
