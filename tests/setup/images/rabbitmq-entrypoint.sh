#!/bin/sh
# The entry point of the RabbitMQ image of the tests. Like that of the published image: as root it
# goes on as the user `rabbitmq`, as anybody else it goes on as they are; the login and the virtual
# host come from RABBITMQ_DEFAULT_USER, _PASS and _VHOST, which the broker reads itself.
set -eu

as_rabbitmq() {
  setpriv --reuid rabbitmq --regid rabbitmq --clear-groups "$@"
}

# A root without capabilities can neither change its user nor what belongs to others.
if [ "$(id -u)" = 0 ] && as_rabbitmq true 2>/dev/null; then
  chown -R rabbitmq:rabbitmq "$HOME"
  exec setpriv --reuid rabbitmq --regid rabbitmq --clear-groups "$0" "$@"
fi
exec "$@"
