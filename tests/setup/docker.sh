# shellcheck shell=bash disable=SC2154,SC2034 # the variables of the other files of this folder
# A Docker daemon of the tests' own: own socket, bridge, address range, data and pid file. One that
# the machine already runs is neither used nor touched.

docker_socket=$run/docker.sock
docker_home=$machine/docker
docker_pid=$docker_home/pid
docker_bridge=cki-$id

# Also empties it: each run begins alike.
docker_start() {
  mkdir -p "$docker_home"
  if engine_lives "$docker_pid" "$docker_socket" && engine_answers docker; then
    engine_empty docker
    said "$(docker_version), was running"
    return
  fi
  docker_clear
  docker_bridge_add
  docker_firewall_open
  local driver
  for driver in $(cat "$docker_home/driver" 2>/dev/null || echo overlay2 vfs); do
    if docker_launch "$driver"; then
      printf '%s\n' "$driver" >"$docker_home/driver"
      engine_empty docker
      said "$(docker_version), $driver, subnet $(engine_subnet).0.0/16"
      return
    fi
    docker_end
  done
  tail -n 30 "$docker_home/log"
  return 1
}

docker_launch() { # storage driver
  local subnet
  subnet=$(engine_subnet)
  # A configuration file, and namespaces in containerd, of our own: a daemon of the machine's may
  # have the usual ones.
  echo '{}' >"$docker_home/daemon.json"
  setsid dockerd --config-file "$docker_home/daemon.json" --host "unix://$docker_socket" \
    --pidfile "$docker_pid" --data-root "$docker_home/data" --exec-root "$run/docker" \
    --containerd-namespace "cki-test-$id" --containerd-plugins-namespace "cki-test-$id-plugins" \
    --bridge "$docker_bridge" --default-address-pool "base=$subnet.0.0/17,size=24" \
    --iptables="$(docker_firewall)" --storage-driver "$1" --shutdown-timeout 5 --log-level warn \
    >"$docker_home/log" 2>&1 </dev/null &
  engine_wait docker "$!"
}

docker_version() {
  engine_api docker /version | jq -r '"Docker " + .Version'
}

docker_stop() {
  # One that was killed is started once more: only it can take down the containers it left.
  [ ! -e "$docker_pid" ] || docker_start
  docker_clear
}

# Takes away what a daemon of ours leaves, or has left when it was killed.
docker_clear() {
  docker_end
  docker_firewall_close
  ip link delete "$docker_bridge" 2>/dev/null || true
  rm -f "$docker_socket"
}

docker_end() {
  engine_end "$docker_pid" "$docker_socket"
  # A daemon that was killed leaves its containerd, which the next one would wait for.
  engine_end "$run/docker/containerd/containerd.pid" "$run/docker/containerd"
}

docker_bridge_add() {
  # Docker makes its networks from the lower half of the range: the bridge is out of their way.
  ip link add name "$docker_bridge" type bridge
  ip address add "$(engine_subnet).255.1/24" dev "$docker_bridge"
  ip link set "$docker_bridge" up
}

# Whether our daemon may have the firewall. A second daemon throws the first one's rules away when
# it starts, so only if there is no other; published ports on loopback work without, too.
docker_firewall() {
  if [ -e "$run/firewall" ]; then echo true; else echo false; fi
}

docker_firewall_open() {
  iptables --wait -n -L FORWARD >/dev/null || return 0
  if ! pgrep -x dockerd >/dev/null; then
    # Noted so that it can be put back: the policy, and whether the chains were there before.
    { iptables --wait -S FORWARD | grep -m1 '^-P'
      iptables --wait -n -L DOCKER-USER >/dev/null 2>&1 && echo keep; } >"$run/firewall" || true
  elif ! iptables --wait -I FORWARD "${docker_rule[@]}"; then
    echo "the kernel cannot match bridged packets: another daemon's rules may stop ours"
  fi
}

# Another daemon's rules drop what is forwarded, and the kernel counts packets between two
# containers on one bridge as that: ours are let through.
docker_rule=(-m physdev --physdev-is-bridged -m comment --comment "cki-test-$id" -j ACCEPT)

docker_firewall_close() {
  while iptables --wait -D FORWARD "${docker_rule[@]}" 2>/dev/null; do :; done
  [ -e "$run/firewall" ] || return 0
  if ! grep -qx keep "$run/firewall" && ! pgrep -x dockerd >/dev/null; then
    docker_firewall_restore
  fi
  rm -f "$run/firewall"
}

# Removes the chains that our daemon brought, and the rules that lead to them or name its networks.
docker_firewall_restore() {
  local table rule chain
  for table in nat filter; do
    iptables-save --table "$table" | grep -E "^-A [A-Z]+ .*(DOCKER|$docker_bridge|$(engine_subnet)\.)" \
      | while read -r rule; do
        # The rules are words without quotes, as the daemon makes no comments.
        # shellcheck disable=SC2086
        iptables --wait --table "$table" -D ${rule#-A }
      done || true
    for chain in $(iptables-save --table "$table" | sed -n 's/^:\(DOCKER[^ ]*\) .*/\1/p'); do
      iptables --wait --table "$table" -F "$chain"
    done
    for chain in $(iptables-save --table "$table" | sed -n 's/^:\(DOCKER[^ ]*\) .*/\1/p'); do
      iptables --wait --table "$table" -X "$chain"
    done
  done
  # shellcheck disable=SC2046
  iptables --wait $(head -n 1 "$run/firewall")
}
