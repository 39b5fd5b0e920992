# shellcheck shell=bash disable=SC2154,SC2034 # the variables of the other files of this directory
# A Docker daemon of the tests' own: own socket, network, data and pid file. One that the machine
# already runs is neither used nor touched.

docker_socket=$run/docker.sock
docker_home=$machine/docker
docker_pid=$docker_home/pid

# Also empties it, in case it was running: `tests/run --env` is begun alike each time.
docker_start() {
  mkdir -p "$docker_home"
  if engine_lives "$docker_pid" "$docker_socket" && engine_answers docker; then
    engine_empty docker
    said "$(docker_version), was running"
    return
  fi
  docker_clear
  local driver
  for driver in overlay2 vfs; do
    if docker_launch "$driver"; then
      engine_empty docker
      said "$(docker_version), $driver"
      return
    fi
    docker_end
  done
  tail -n 30 "$docker_home/log"
  return 1
}

docker_launch() { # storage driver
  # A configuration file, and namespaces in containerd, of our own: a daemon of the machine's may
  # have the usual ones.
  echo '{}' >"$docker_home/daemon.json"
  nsenter --net="$network" -- setsid dockerd --config-file "$docker_home/daemon.json" --host "unix://$docker_socket" \
    --pidfile "$docker_pid" --data-root "$docker_home/data" --exec-root "$run/docker" \
    --containerd-namespace "cki-test-$id" --containerd-plugins-namespace "cki-test-$id-plugins" \
    --default-address-pool "base=$network_docker_pool,size=24" \
    --storage-driver "$1" --shutdown-timeout 5 --log-level warn \
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
  rm -f "$docker_socket"
}

docker_end() {
  engine_end "$docker_pid" "$docker_socket"
  # A daemon that was killed leaves its containerd, which the next one would wait for.
  engine_end "$run/docker/containerd/containerd.pid" "$run/docker/containerd"
}
