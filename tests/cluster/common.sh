# Shared by the scripts beside it, which source it: the program, the launcher, the pictures, comparisons.
# PROGRAM is the program built with the feature mpi, PICTURES a folder of pictures to train on, WORK an empty folder.

set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
PROGRAM="$(realpath "${PROGRAM:-$here/../../target/release/srcnn-gpu}")"

skip() {
    echo "SKIPPED: $(basename "$0"): $*"
    exit 0
}

fail() {
    echo "FAILED: $(basename "$0"): $*" >&2
    exit 1
}

command -v mpirun >/dev/null || skip "no mpirun on the path (Debian: apt install openmpi-bin)"
command -v python3 >/dev/null || skip "no python3 on the path"
[ -x "$PROGRAM" ] || fail "$PROGRAM is not there: cargo build --release --features mpi"

WORK="${WORK:-$(mktemp -d)}"
mkdir -p "$WORK"
# Software adapters would remark on its absence.
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-$WORK}"
# OpenMPI: a machine of few cores may run more ranks than it has cores, and root may run them. Ranks get the time to tell
# why they end.
LAUNCH=(mpirun --oversubscribe --bind-to none --mca odls_base_sigkill_timeout 5)
[ "$(id -u)" != 0 ] || LAUNCH+=(--allow-run-as-root)

# Draws pictures where none are given.
pictures() {
    PICTURES="${PICTURES:-$WORK/pictures}"
    [ -d "$PICTURES" ] || python3 "$here/pictures.py" "$PICTURES"
}

# Its share of the cores for each of so many ranks on this machine.
threads_of() {
    local share=$(($(nproc) / $1))
    echo $((share > 0 ? share : 1))
}

# on_ranks N ARGS..: the program as so many ranks on this machine.
on_ranks() {
    local ranks="$1"
    shift
    "${LAUNCH[@]}" -n "$ranks" -x LP_NUM_THREADS="$(threads_of "$ranks")" "$PROGRAM" "$@"
}

# first TRAIN ARGS..: first weights for a comparison of runs, and the same with each number moved to a neighbor.
first() {
    "$PROGRAM" train "$PICTURES" -s 3 "$@" --steps 1 -o "$WORK/first" >"$WORK/first.txt"
    cp "$WORK/first/best.safetensors" "$WORK/first.safetensors"
    python3 "$here/nudge.py" "$WORK/first.safetensors" "$WORK/nudged.safetensors"
}

# tell WHAT A B [C]: how far two runs are apart; fails if C is given and they are much farther apart than A and C.
tell() {
    local what="$1" distance
    shift
    distance="$(python3 "$here/apart.py" "${@/#/$WORK/}")"
    echo "$what: $distance"
}

# same A B WHAT: two runs have ended with the same weights, bit for bit.
same() {
    cmp -s "$1/best.safetensors" "$2/best.safetensors" || fail "$3: the weights of $1 and $2 differ"
    echo "the same weights, bit for bit: $3"
}
