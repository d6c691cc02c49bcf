# For tests on emulated CPUs. RUN is the command that runs programs there, UNIT the folder of the programs.
cd "$(dirname "$0")/../.." || exit 1
passed=0 failed=0 said=$(mktemp)
trap 'rm -f "$said"' EXIT

# some PROGRAM NAME…: those of its tests whose names contain one of these
some()
{
    program=$1
    shift
    for name in "$@"; do
        # shellcheck disable=SC2086
        last=$(${RUN:?} "${UNIT:?}/$program" "$name" 2> "$said" | tail -n 1)
        case $last in
        [1-9]*" passed, 0 failed") passed=$((passed + ${last%% *})) ;;
        *) failed=$((failed + 1)); echo "FAILED $program $name: $last"; tail -n 20 "$said" ;;
        esac
    done
}

finish()
{
    echo "$passed passed, $failed failed"
    [ $failed -eq 0 ]
    exit
}
