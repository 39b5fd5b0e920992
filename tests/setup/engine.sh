# shellcheck shell=bash disable=SC2154,SC2034 # the variables of the other files of this directory
# What both engines share: talking to their API, waiting for them, emptying them, and looking for
# what the tests have left. By the API alone, so that no client program has to be there.

engine_socket() { # docker | podman
  case $1 in
    docker) printf '%s' "$docker_socket" ;;
    podman) printf '%s' "$podman_socket" ;;
  esac
}

# One call of the engine's API; prints the answer, fails on any status from 400 on.
engine_api() { # docker | podman, path, options of curl…
  curl --silent --show-error --fail-with-body --noproxy '*' --max-time 300 \
    --unix-socket "$(engine_socket "$1")" "http://localhost$2" "${@:3}"
}

engine_answers() { # docker | podman
  engine_api "$1" /_ping --max-time 3 >/dev/null 2>&1
}

# Whether the process of a pid file lives and is the one we started: a number alone may by now be
# somebody else's process.
engine_lives() { # pid file, word of its command line
  local pid
  pid=$(cat "$1" 2>/dev/null) && [ -n "$pid" ] \
    && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$2"
}

# Waits until an engine that was just started answers; fails as soon as its process has ended.
engine_wait() { # docker | podman, pid
  local _
  for _ in $(seq 300); do
    ! engine_answers "$1" || return 0
    kill -0 "$2" 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}

# Ends the process of a pid file if it is ours: asked to first, and made to after 20 seconds.
engine_end() { # pid file, word of its command line
  local pid
  if engine_lives "$1" "$2"; then
    pid=$(cat "$1")
    kill -TERM "$pid"
    engine_wait_end "$pid" || { kill -KILL "$pid" && engine_wait_end "$pid"; }
  fi
  rm -f "$1"
}

engine_wait_end() { # pid
  local _
  for _ in $(seq 200); do
    [ -d "/proc/$1" ] || return 0
    sleep 0.1
  done
  return 1
}

# Removes everything from an engine but our images.
engine_empty() { # docker | podman
  local thing
  engine_api "$1" '/containers/json?all=1' | jq -r '.[].Id' | while read -r thing; do
    engine_api "$1" "/containers/$thing?force=1&v=1" -X DELETE
  done
  engine_api "$1" /networks | jq -r '.[] | select(.Name | IN("bridge", "host", "none", "podman") | not) | .Id' \
    | while read -r thing; do
      engine_api "$1" "/networks/$thing" -X DELETE
    done
  engine_api "$1" /volumes | jq -r '.Volumes[]?.Name' | while read -r thing; do
    engine_api "$1" "/volumes/$thing?force=1" -X DELETE
  done
  engine_foreign_images "$1" | while read -r thing; do
    # Not there any more when removing one that was built on it took it along.
    engine_api "$1" "/images/$thing?force=1" -X DELETE || true
  done
}

engine_foreign_images() { # docker | podman
  # An image that was built from one of ours has inherited its label: only the names tell.
  engine_api "$1" /images/json \
    | jq -r --arg ours "$(images_names)" '($ours | split("\n")) as $ours
        | .[] | select([(.RepoTags // [])[] | IN($ours[])] | any | not) | .Id'
}

# Prints what carries our label on an engine, one line each: after the tests there must be none.
engine_leftovers() { # docker | podman
  local filter='filters={"label":["cki.run"]}'
  engine_api "$1" /containers/json --get --data all=1 --data-urlencode "$filter" \
    | jq -r --arg e "$1" '.[] | "\($e): container \(.Names[0]) (\(.State))"'
  engine_api "$1" /networks --get --data-urlencode "$filter" | jq -r --arg e "$1" '.[] | "\($e): network \(.Name)"'
  engine_api "$1" /volumes --get --data-urlencode "$filter" | jq -r --arg e "$1" '.Volumes[]? | "\($e): volume \(.Name)"'
}
