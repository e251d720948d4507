#!/usr/bin/env bash
# Ranks killed at random moments: whatever happens, a run that is resumed ends with the weights of an undisturbed one.
# kills.sh [KILLS [RANKS]]: 20 kills of 3 ranks unless given. SEED repeats a series.
source "$(dirname "$0")/common.sh"
pictures
kills="${1:-20}"
ranks="${2:-3}"
RANDOM="${SEED:=$$}"
echo "SEED=$SEED"
settings=(--arch 3-1-3 --filters 4-4 --batch 8 --patch 15 --stride 9 --steps 600 --save-every 25 --eval-every 200)
settings+=(--val "$WORK/val")
mkdir -p "$WORK/val"
find "$PICTURES" -maxdepth 1 -type f | sort | head -n 2 | xargs -I{} cp {} "$WORK/val/"

# The first run compiles kernels, which drivers keep.
for run in first whole; do
    begun="$(date +%s%N)"
    on_ranks "$ranks" train "$PICTURES" -s 3 "${settings[@]}" -o "$WORK/$run" >"$WORK/$run.txt" 2>&1
done
# Kills fall into this time from a start: all of a run, preparations included.
whole=$((($(date +%s%N) - begun) / 1000000))

killed=0
runs=0
codes=""
while :; do
    if [ -e "$WORK/run/config.toml" ]; then
        args=(--resume "$WORK/run")
    else
        args=("$PICTURES" -s 3 "${settings[@]}" -o "$WORK/run")
    fi
    "${LAUNCH[@]}" -n "$ranks" -x LP_NUM_THREADS="$(threads_of "$ranks")" "$PROGRAM" train "${args[@]}" \
        >"$WORK/out.txt" 2>"$WORK/err.txt" &
    launcher=$!
    if [ "$killed" -lt "$kills" ]; then
        moment=$((RANDOM % whole))
        sleep "$((moment / 1000)).$(printf %03d $((moment % 1000)))"
        mapfile -t pids < <(ps -o pid= --ppid "$launcher" | tr -d ' ')
        if [ "${#pids[@]}" = "$ranks" ]; then
            kill -KILL "${pids[$((RANDOM % ranks))]}" 2>/dev/null && killed=$((killed + 1))
        fi
    fi
    code=0
    wait "$launcher" || code=$?
    codes="$codes $code"
    [ "$code" != 0 ] || {
        same "$WORK/whole" "$WORK/run" "an undisturbed run and run $((runs + 1))"
        runs=$((runs + 1))
        rm -r "$WORK/run"
        [ "$killed" -lt "$kills" ] || break
    }
done
echo "$killed kills, $runs runs; exit codes of the launcher:$codes"
echo "passed"
