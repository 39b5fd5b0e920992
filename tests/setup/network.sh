# shellcheck shell=bash disable=SC2154,SC2034 # the variables of the other files of this directory
# A network of the tests' own: the engines and the tests live in a network namespace, which begins
# like that of a machine that has just booted, with no rule in its firewall and nothing forwarded. So
# each run tests what the first one on a new machine does, and neither sees nor touches what the
# machine itself has: its engines, their rules, its settings.

network_name=cki-test-$id
network=/run/netns/$network_name
# A second one stands for all that is outside: it says of any address that there is no way to it, at
# once. These are the addresses that documentation may use (RFC 5737).
network_outside=$network_name-outside
network_address=192.0.2.2
network_router=192.0.2.1

# Where the engines take their networks from. Nothing else is in there with them.
network_docker_pool=10.200.0.0/16
network_podman_pool=10.190.0.0/16

# Runs something in there.
network_do() { # command…
  nsenter --net="$network" -- "$@"
}

network_open() {
  network_close
  ip netns add "$network_name"
  ip netns add "$network_outside"
  ip link add outside netns "$network_name" type veth peer name inside netns "$network_outside"
  ip -n "$network_name" link set lo up
  ip -n "$network_name" address add "$network_address/24" dev outside
  ip -n "$network_name" link set outside up
  ip -n "$network_name" route add default via "$network_router"
  ip -n "$network_outside" address add "$network_router/24" dev inside
  ip -n "$network_outside" link set inside up
  ip -n "$network_outside" route add unreachable default
  nsenter --net="/run/netns/$network_outside" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward
    echo 0 >/proc/sys/net/ipv4/icmp_ratelimit'
  # A new namespace takes its settings from the machine's own, which an engine may have changed.
  network_do sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward
    cd /proc/sys/net/bridge 2>/dev/null || exit 0
    echo 1 >bridge-nf-call-iptables'
  network_is_new
  said "nothing forwarded, no rules, $network_address behind $network_router"
}

# Looks whether it is as on a machine that has just booted.
network_is_new() {
  local rules
  rules=$(network_do iptables --wait -S)
  [ "$rules" = $'-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT' ] || { echo "$rules"; return 1; }
  [ "$(network_do cat /proc/sys/net/ipv4/ip_forward)" = 0 ]
}

# When Docker finds that nothing is forwarded, it turns that on and drops what no rule accepts. Where
# the kernel has packets on a bridge pass the firewall, as most do, this takes the way from one
# container to another from all others who make networks. Podman writes no rule for internal networks,
# so a machine with both engines needs this one. The tests of what `cki` says without it start engines
# and firewalls of their own.
network_accept() {
  network_do iptables --wait -I FORWARD -s "$network_podman_pool" -d "$network_podman_pool" -j ACCEPT
  said "$(network_do iptables --wait -S FORWARD | head -n 1), Podman's networks accepted"
}

# With its last process, and this name, a namespace goes with all that is in it.
network_close() {
  local name
  for name in "$network_name" "$network_outside"; do
    [ ! -e "/run/netns/$name" ] || ip netns delete "$name"
  done
}
