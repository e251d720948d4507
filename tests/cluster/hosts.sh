#!/usr/bin/env bash
# Two hosts, each a network namespace with a host name of its own, with a cable (veth) between them: ranks on both train over
# TCP as they do on one machine, and as one process. Needs root.
# hosts.sh [STEPS [TRAIN ARGS..]]: 100 steps of the recipe fast unless given. With EXCHANGE, the example of that name, times
# the exchange over this cable too.
source "$(dirname "$0")/common.sh"
[ "$(id -u)" = 0 ] || skip "only root can make network namespaces"
command -v ip >/dev/null || skip "no ip on the path (Debian: apt install iproute2)"
one="srcnn-one-$$"
other="srcnn-other-$$"
ip netns add "$one" 2>"$WORK/ip.txt" || skip "no network namespaces here: $(cat "$WORK/ip.txt")"
remove() {
    ip netns delete "$one" || true
    ip netns delete "$other" || true
}
trap remove EXIT
ip netns add "$other"
ip -n "$one" link add cable type veth peer name cable netns "$other" || skip "no veth interfaces here"
for side in "$one 10.77.0.1" "$other 10.77.0.2"; do
    read -r name address <<<"$side"
    ip -n "$name" address add "$address/24" dev cable
    ip -n "$name" link set cable up
    ip -n "$name" link set lo up
done

# on NAMESPACE COMMAND..: on that host, which has the namespace's name.
cat >"$WORK/on" <<'EOF'
#!/bin/sh
name="$1"
shift
exec ip netns exec "$name" unshare --uts sh -c 'hostname "$0"; exec "$@"' "$name" "$@"
EOF
# What mpirun starts its daemons with: agent HOST COMMAND, as with ssh.
cat >"$WORK/agent" <<EOF
#!/bin/sh
while [ "\${1#-}" != "\$1" ]; do shift; done
case "\$1" in 10.77.0.1) name="$one" ;; *) name="$other" ;; esac
shift
exec "$WORK/on" "\$name" sh -c "\$*"
EOF
chmod +x "$WORK/on" "$WORK/agent"

pictures
steps="${1:-100}"
shift || true
first "$@"
run=(train "$PICTURES" -s 3 --steps "$steps" --save-every "$steps" --json "$@")
# over_tcp N ARGS..: N ranks on each of the two hosts.
over_tcp() {
    local ranks="$1"
    shift
    "$WORK/on" "$one" "${LAUNCH[@]}" --mca plm_rsh_agent "$WORK/agent" --mca btl tcp,self --mca btl_tcp_if_include cable \
        --mca oob_tcp_if_include cable --host "10.77.0.1:$ranks,10.77.0.2:$ranks" -n $((2 * ranks)) \
        -x LP_NUM_THREADS="$(threads_of $((2 * ranks)))" -x XDG_RUNTIME_DIR "${FORWARD[@]}" "$PROGRAM" "$@"
}
FORWARD=()
for name in WGPU_BACKEND SRCNN_GPU XDG_CACHE_HOME; do
    [ -z "${!name:-}" ] || FORWARD+=(-x "$name")
done

[ -z "${EXCHANGE:-}" ] || PROGRAM="$(realpath "$EXCHANGE")" over_tcp 1

"$PROGRAM" "${run[@]}" --init "$WORK/first.safetensors" -o "$WORK/alone" >"$WORK/alone.json"
"$PROGRAM" "${run[@]}" --init "$WORK/nudged.safetensors" -o "$WORK/nudged" >"$WORK/nudged.json"
echo "$steps steps"
tell "one process from first weights that are rounded otherwise" alone nudged
run+=(--init "$WORK/first.safetensors")
for ranks in 1 2; do
    over_tcp "$ranks" "${run[@]}" -o "$WORK/tcp$ranks" >"$WORK/tcp$ranks.json"
    on_ranks $((2 * ranks)) "${run[@]}" -o "$WORK/here$ranks" >"$WORK/here$ranks.json"
    same "$WORK/here$ranks" "$WORK/tcp$ranks" "$((2 * ranks)) ranks on one host and on two"
    tell "one process and $((2 * ranks)) ranks over TCP" alone "tcp$ranks" nudged
    for way in here tcp; do
        echo "$way: $(grep '"event":"exchange"' "$WORK/$way$ranks.json")"
    done
done
echo "passed"
