#!/usr/bin/env bash
# 1, 2 and 4 ranks on this machine train as one process: within rounding, and bit for bit the same each time.
# ranks.sh [STEPS [TRAIN ARGS..]]: 200 steps of the recipe fast unless given.
#
# What rounding does in so many steps is measured: one process trains from the same weights, each moved to a neighboring
# number.
source "$(dirname "$0")/common.sh"
pictures
steps="${1:-200}"
shift || true
first "$@"
# A checkpoint in the middle and one at the end.
run=(train "$PICTURES" -s 3 --steps "$steps" --save-every $((steps / 2)) --json "$@")

"$PROGRAM" "${run[@]}" --init "$WORK/first.safetensors" -o "$WORK/alone" >"$WORK/alone.json"
"$PROGRAM" "${run[@]}" --init "$WORK/nudged.safetensors" -o "$WORK/nudged" >"$WORK/nudged.json"
echo "$steps steps"
tell "one process from first weights that are rounded otherwise" alone nudged
run+=(--init "$WORK/first.safetensors")
for ranks in 1 2 4; do
    for turn in a b; do
        on_ranks "$ranks" "${run[@]}" -o "$WORK/$ranks$turn" >"$WORK/$ranks$turn.json"
    done
    same "$WORK/${ranks}a" "$WORK/${ranks}b" "$ranks ranks, twice"
    tell "one process and $ranks ranks" alone "${ranks}a" nudged
    grep '"event":"exchange"' "$WORK/${ranks}a.json" || true
done
same "$WORK/alone" "$WORK/1a" "one process and 1 rank"

# With another number of ranks from the middle on.
{
    "${LAUNCH[@]}" -n 2 "$PROGRAM" "${run[@]}" -o "$WORK/changed" &
    launcher=$!
    while [ ! -e "$WORK/changed/last.ckpt" ] && kill -0 "$launcher" 2>/dev/null; do sleep 0.05; done
    kill -TERM "$launcher" 2>/dev/null || true
    code=0
    wait "$launcher" || code=$?
} >"$WORK/changed.json" 2>"$WORK/changed.txt"
on_ranks 4 train --resume "$WORK/changed" --json >"$WORK/goes_on.json"
step="$(sed -n 's/.*"event":"start".*"step":\([0-9]*\).*/\1/p' "$WORK/goes_on.json")"
tell "one process, and 2 ranks (ended by SIGTERM, exit code $code) from which 4 have taken over at step ${step:-$steps}" \
    alone changed nudged
echo "passed"
