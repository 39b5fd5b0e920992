# shellcheck shell=bash disable=SC2154 # variables of tests/setup and tests/bench/run
# Completing a name by `kubectl`, which asks its server, beside `cki`, which reads files: ConfigMaps of a real API
# server on loopback, as many as the entries of an inventory.

kubectl_directory=$results/kubernetes
kubectl_servers=()

kubectl_names() {
  local count
  trap kubectl_stop RETURN
  kubectl_start || { show_log "$logs/kube-apiserver.log"; return 1; }
  for count in 1000 10000; do
    kubectl_config_maps "$count"
    kubectl_rows "$count"
  done
}

# The rows of one number of names.
kubectl_rows() { # count
  local kubectl=("KUBECONFIG=$kubectl_directory/config" "$kubectl") times=() names=() ours=() round inventory
  inventory=$results/growth/$1
  alone "$cki" --inventory "$inventory" list >/dev/null 2>&1
  alone "${kubectl[@]}" __complete get configmaps c9 >"$results/names" 2>&1 || true
  grep -q '^c999$' "$results/names" || { row 'completing by kubectl' - - - - - 'it does not offer c999'; cat "$results/names" >&2; }
  for round in $(seq "$growth_rounds"); do
    ours+=("$(seconds_of alone COMPLETE=fish "$cki" -- cki --inventory "$inventory" show c9)")
    times+=("$(seconds_of alone "${kubectl[@]}" __complete get configmaps c9)")
    names+=("$(seconds_of alone "${kubectl[@]}" get configmaps -o name)")
  done
  kubectl_row "completing one of $1 names" "$(least "${ours[@]}")" 'kubectl' "$(least "${times[@]}")"
  ours=()
  for round in $(seq "$growth_rounds"); do
    ours+=("$(seconds_of alone "$cki" --inventory "$inventory" list -o name)")
  done
  kubectl_row "printing $1 names" "$(least "${ours[@]}")" 'kubectl get -o name' "$(least "${names[@]}")"
}

kubectl_row() { # what, our seconds, compared with, their seconds
  ratio_row "$1" "$2" "$3" "$4" "$(awk "BEGIN { print $2 / $4 }")" 1
}

kubectl_start() {
  local etcd=http://127.0.0.1:23790 peer=http://127.0.0.1:23800
  rm -rf "$kubectl_directory"
  mkdir -p "$kubectl_directory"
  openssl genrsa -out "$kubectl_directory/sa.key" 2048 2>/dev/null
  echo 'bench-token,admin,1,system:masters' >"$kubectl_directory/tokens.csv"
  cat >"$kubectl_directory/config" <<-END
	apiVersion: v1
	kind: Config
	current-context: bench
	clusters: [{name: bench, cluster: {server: "https://127.0.0.1:26443", insecure-skip-tls-verify: true}}]
	users: [{name: bench, user: {token: bench-token}}]
	contexts: [{name: bench, context: {cluster: bench, user: bench}}]
	END
  "$kubernetes_bin/etcd" --data-dir="$kubectl_directory/etcd" --listen-client-urls="$etcd" \
    --advertise-client-urls="$etcd" --listen-peer-urls="$peer" --initial-advertise-peer-urls="$peer" \
    --initial-cluster="default=$peer" >"$logs/etcd.log" 2>&1 &
  kubectl_servers+=("$!")
  "$kubernetes_bin/kube-apiserver" --etcd-servers="$etcd" --bind-address=127.0.0.1 --secure-port=26443 \
    --insecure-port=0 --cert-dir="$kubectl_directory/certs" --service-cluster-ip-range=10.0.0.0/24 \
    --service-account-key-file="$kubectl_directory/sa.key" --service-account-issuer=https://bench.test \
    --service-account-signing-key-file="$kubectl_directory/sa.key" --authorization-mode=RBAC \
    --token-auth-file="$kubectl_directory/tokens.csv" >"$logs/kube-apiserver.log" 2>&1 &
  kubectl_servers+=("$!")
  until "$kubectl" --kubeconfig "$kubectl_directory/config" get --raw=/readyz >/dev/null 2>&1; do
    kill -0 "${kubectl_servers[@]}" 2>/dev/null || return 1
    sleep 0.2
  done
}

kubectl_stop() {
  kill "${kubectl_servers[@]}" 2>/dev/null || true
  wait "${kubectl_servers[@]}" 2>/dev/null || true
  kubectl_servers=()
  rm -rf "$kubectl_directory"
}

# Makes ConfigMaps until there are so many, over one connection.
kubectl_config_maps() { # count
  python3 - "$1" <<-'END'
	import http.client, json, ssl, sys
	server = http.client.HTTPSConnection("127.0.0.1", 26443, context=ssl._create_unverified_context())
	head = {"Authorization": "Bearer bench-token", "Content-Type": "application/json"}
	for number in range(int(sys.argv[1])):
	    name = {"metadata": {"name": f"c{number}"}}
	    server.request("POST", "/api/v1/namespaces/default/configmaps", json.dumps(name), head)
	    answer = server.getresponse()
	    answer.read()
	    if answer.status not in (201, 409):
	        sys.exit(f"{answer.status} {answer.reason}")
	END
}
