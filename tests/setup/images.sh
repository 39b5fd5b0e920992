# shellcheck shell=bash disable=SC2154,SC2034 # the variables of the other files of this directory
# The images of the tests. None can be pulled, so they are made of Debian's packages, once, into one
# archive that both engines load: layers and their descriptions as `docker save` writes them.

images_home=$machine/images
images_archive=$images_home/images.tar

images_busybox=localhost/cki-test/busybox:1
images_python=localhost/cki-test/python:1
# What is inside these is Debian's version. The templates pin images by digests that only the
# published ones have, so tests say that these are to be taken instead.
images_rabbitmq=docker.io/library/rabbitmq:3.13
images_postgres=localhost/cki-test/postgres:1
images_valkey=localhost/cki-test/valkey:1

# Changes with anything that the images are made of; it is in their labels.
images_recipe=$(cat "$root/tests/setup/images.sh" "$root"/tests/setup/images/* \
  | sha256sum | cut -c1-12)

# The names as the engines show them: Docker leaves out its own registry.
images_names() {
  printf '%s\n' "$images_busybox" "${images_busybox%:*}:latest" "$images_python" "$images_rabbitmq" \
    "${images_rabbitmq#docker.io/library/}" "$images_postgres" "$images_valkey"
}

images_build() {
  if [ "$(cat "$images_home/recipe" 2>/dev/null)" = "$images_recipe" ]; then
    said "busybox, python, rabbitmq, postgres, valkey ($(du -h "$images_archive" | cut -f1))"
    return
  fi
  # What an interrupted run left may still have /proc mounted inside.
  machine_unmount
  rm -rf "$images_home/making" "$images_home/recipe"
  mkdir -p "$images_home/making/archive" "$images_home/debs"
  images_make_busybox
  images_make_python
  images_make_rabbitmq
  images_make_databases
  images_pack
  rm -rf "$images_home/making"
  echo "$images_recipe" >"$images_home/recipe"
  said "made busybox, python, rabbitmq, postgres, valkey ($(du -h "$images_archive" | cut -f1))"
}

# Loads the archive into an engine that lacks it. What the engine already has is left alone.
images_load() { # docker | podman
  if [ "$(images_loaded "$1")" -lt 5 ]; then
    engine_api "$1" /images/load -X POST -H 'Content-Type: application/x-tar' -T "$images_archive"
    [ "$(images_loaded "$1")" -ge 5 ] || return 1
    said loaded
  else
    said 'all there'
  fi
}

images_loaded() { # docker | podman
  engine_api "$1" /images/json --get --data-urlencode "filters={\"label\":[\"cki-test.recipe=$images_recipe\"]}" \
    | jq --arg ours "$(images_names)" '($ours | split("\n")) as $ours
        | [.[] | select([(.RepoTags // [])[] | IN($ours[])] | any)] | length'
}

images_make_busybox() {
  local tree=$images_home/making/busybox applet
  mkdir -p "$tree"/{bin,dev,etc,proc,root,sys,tmp,usr/bin,var/tmp}
  chmod 1777 "$tree/tmp" "$tree/var/tmp"
  cp /bin/busybox "$tree/bin/busybox"
  for applet in $("$tree/bin/busybox" --list); do
    [ -e "$tree/bin/$applet" ] || ln -s busybox "$tree/bin/$applet"
  done
  printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'nobody:x:65534:65534:nobody:/:/bin/sh' >"$tree/etc/passwd"
  printf '%s\n' 'root:x:0:' 'nogroup:x:65534:' >"$tree/etc/group"
  images_layer busybox "$tree" .
  images_describe busybox '{"Cmd": ["sh"]}' busybox
}

images_make_python() {
  local tree=$images_home/making/tree
  # debootstrap fetches by itself, and has to be told how apt does.
  eval "$(apt-config shell http_proxy Acquire::http::Proxy)"
  [ -z "${http_proxy-}" ] || export http_proxy
  debootstrap --variant=minbase --include=python3,python3-pika --cache-dir="$images_home/debs" \
    "$(images_codename)" "$tree" "$(images_mirror)"
  images_layer python "$tree" .
  images_describe python '{"Cmd": ["python3"]}' python
}

# Adds RabbitMQ to the same tree; its layer is what that changed.
images_make_rabbitmq() {
  local tree=$images_home/making/tree stamp=$images_home/making/stamp
  printf '#!/bin/sh\nexit 101\n' >"$tree/usr/sbin/policy-rc.d"
  chmod +x "$tree/usr/sbin/policy-rc.d"
  touch "$stamp"
  DEBIAN_FRONTEND=noninteractive LC_ALL=C chroot "$tree" \
    apt-get install --yes --no-install-recommends rabbitmq-server
  cp "$root/tests/setup/images/rabbitmq-entrypoint.sh" "$tree/usr/local/bin/docker-entrypoint.sh"
  chmod 755 "$tree/usr/local/bin/docker-entrypoint.sh"
  # As in the published image: guest may log in from other containers, and the log is the output.
  mkdir -p "$tree/etc/rabbitmq/conf.d"
  printf '%s\n' 'loopback_users.guest = false' 'log.console = true' 'log.file = false' \
    >"$tree/etc/rabbitmq/conf.d/10-defaults.conf"
  # What installing it has made, with a cookie that only its own user may read, would be shared by
  # all brokers: each makes its own. It also runs as users that only the engine knows of.
  find "$tree/var/lib/rabbitmq" -mindepth 1 -delete
  chmod -R a+rwX "$tree/etc/rabbitmq" "$tree/var/lib/rabbitmq" "$tree/var/log/rabbitmq"
  (cd "$tree" && find . -xdev -cnewer "$stamp" -print0) >"$images_home/making/changed"
  images_layer rabbitmq "$tree" --no-recursion --null --files-from "$images_home/making/changed"
  images_describe rabbitmq '{
    "Entrypoint": ["docker-entrypoint.sh"],
    "Cmd": ["rabbitmq-server"],
    "ExposedPorts": {"4369/tcp": {}, "5671/tcp": {}, "5672/tcp": {}, "25672/tcp": {}},
    "Volumes": {"/var/lib/rabbitmq": {}}
  }' python rabbitmq
}

# Adds PostgreSQL and Redis, which Valkey was made from, to the same tree.
images_make_databases() {
  local tree=$images_home/making/tree stamp=$images_home/making/stamp
  touch "$stamp"
  # Without its own user's cluster, which nobody would use.
  mkdir -p "$tree/etc/postgresql-common"
  echo 'create_main_cluster = false' >"$tree/etc/postgresql-common/createcluster.conf"
  DEBIAN_FRONTEND=noninteractive LC_ALL=C chroot "$tree" \
    apt-get install --yes --no-install-recommends postgresql redis-server
  # What compiles queries, and the scripts around it, are larger than all the rest, and not needed.
  rm -rf "$tree"/usr/lib/*/libLLVM-* "$tree"/usr/lib/*/libz3.so* "$tree"/usr/lib/postgresql/*/lib/bitcode \
    "$tree"/usr/lib/*/perl "$tree"/usr/share/perl "$tree/usr/share/i18n"
  cp "$root/tests/setup/images/postgres-entrypoint.sh" "$tree/usr/local/bin/postgres-entrypoint.sh"
  chmod 755 "$tree/usr/local/bin/postgres-entrypoint.sh"
  mkdir -p "$tree/data" "$tree/var/lib/postgresql/data"
  chmod 777 "$tree/data" "$tree/var/lib/postgresql/data"
  (cd "$tree" && find . -xdev -cnewer "$stamp" -print0) >"$images_home/making/changed"
  images_layer databases "$tree" --no-recursion --null --files-from "$images_home/making/changed"
  images_describe postgres '{
    "Entrypoint": ["postgres-entrypoint.sh"],
    "Cmd": ["postgres"],
    "Env": ["PGDATA=/var/lib/postgresql/data", "PGHOST=/tmp"],
    "ExposedPorts": {"5432/tcp": {}}
  }' python rabbitmq databases
  images_describe valkey '{
    "Entrypoint": ["redis-server"],
    "Cmd": ["--protected-mode", "no", "--dir", "/data"],
    "ExposedPorts": {"6379/tcp": {}}
  }' python rabbitmq databases
}

# The suite of this machine and a mirror that its apt takes it from.
images_codename() {
  (. /etc/os-release && printf '%s' "$VERSION_CODENAME")
}

images_mirror() {
  # shellcheck disable=SC2016
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $(images_codename)" \
    'Component: main' | head -n 1
}

# Writes a layer; what nobody reads inside a container is left out.
images_layer() { # name, tree, what tar is to take…
  tar --create --file "$images_home/making/archive/$1.tar" --directory "$2" --numeric-owner \
    --exclude='./dev/*' --exclude='./proc/*' --exclude='./sys/*' --exclude='./run/*' \
    --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/info/*' \
    --exclude='./usr/share/locale/*' --exclude='./var/cache/*' --exclude='./var/lib/apt/lists/*' \
    --exclude='./var/log/*.log' --exclude='./var/log/apt/*' --exclude='./etc/resolv.conf' "${@:3}"
}

# Writes an image's configuration and its line in the list of the archive.
images_describe() { # name, configuration, layers…
  local name=$1 config=$2 tags=() directory=$images_home/making/archive layer sums=() digest
  shift 2
  case $name in
    busybox) tags=("$images_busybox" "${images_busybox%:*}:latest") ;;
    python) tags=("$images_python") ;;
    rabbitmq) tags=("$images_rabbitmq") ;;
    postgres) tags=("$images_postgres") ;;
    valkey) tags=("$images_valkey") ;;
  esac
  for layer in "$@"; do
    sums+=("sha256:$(sha256sum "$directory/$layer.tar" | cut -d' ' -f1)")
  done
  jq --null-input --compact-output --argjson config "$config" --arg recipe "$images_recipe" \
    --arg arch "$(dpkg --print-architecture)" --arg path "$(images_path "$name")" '{
      architecture: $arch, os: "linux", created: "2026-01-01T00:00:00Z",
      config: ($config + {Env: ([$path, "LANG=C.UTF-8"] + ($config.Env // []) + (if $config.Volumes then ["HOME=/var/lib/rabbitmq"] else [] end)),
        Labels: {"cki-test.recipe": $recipe}}),
      rootfs: {type: "layers", diff_ids: $ARGS.positional},
      history: [$ARGS.positional[] | {created: "2026-01-01T00:00:00Z", created_by: "tests/run"}]
    }' --args "${sums[@]}" >"$directory/config"
  digest=$(sha256sum "$directory/config" | cut -d' ' -f1)
  mv "$directory/config" "$directory/$digest.json"
  jq --null-input --compact-output --arg config "$digest.json" --arg tags "${tags[*]}" \
    '{Config: $config, RepoTags: ($tags | split(" ")), Layers: [$ARGS.positional[] + ".tar"]}' \
    --args "$@" >>"$images_home/making/images"
}

images_path() { # name
  local path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  # Debian's programs for RabbitMQ insist on being root or `rabbitmq`; these are the ones behind.
  if [ "$1" = rabbitmq ]; then path=/usr/lib/rabbitmq/bin:$path; fi
  # The version is that of the suite.
  if [ "$1" = postgres ]; then path=$(cd "$images_home/making/tree" && echo usr/lib/postgresql/*/bin | sed 's,^,/,'):$path; fi
  printf 'PATH=%s' "$path"
}

images_pack() {
  local directory=$images_home/making/archive
  jq --slurp --compact-output . "$images_home/making/images" >"$directory/manifest.json"
  tar --create --file "$images_archive" --directory "$directory" --numeric-owner .
}
