//! Contexts of a kubeconfig as the real `kubectl` prints them: another name of production is no staging. Nothing is
//! connected to.

use crate::support::{self, cli::Cli};

const CONFIG: &str = "\
apiVersion: v1
kind: Config
clusters:
- {name: a, cluster: {server: 'https://api.internal:443', certificate-authority-data: eA==}}
- {name: b, cluster: {server: 'HTTPS://API.internal/'}}
- {name: c, cluster: {server: 'https://127.0.0.1:1', tls-server-name: x.prod.example}}
contexts:
- {name: prod, context: {cluster: a, user: u}}
- {name: prod-admin, context: {cluster: b, user: u, namespace: other}}
- {name: tunnel, context: {cluster: c, user: u}}
users:
- {name: u, user: {token: not-a-real-token}}
";

#[test]
#[ignore = "needs CKI_TEST_KUBECTL (bash tests/run)"]
fn other_names_of_production_are_refused_with_the_real_kubectl() {
    let mut cli = Cli::new();
    cli.inventory(
        "categories: [{id: service, kind: service}]\nproduction: {hosts: ['*.prod.example']}\n\
         staging: {kubernetes: {context: prod-admin, namespace: team}}\n\
         components:\n- {name: web, category: service, stage: {project: group/tools, via: kubernetes}}\n",
    );
    cli.write("kubeconfig", CONFIG);
    let config = cli.project().join("kubeconfig");
    cli.set("KUBECONFIG", config);
    cli.set("CKI_STAGE_KUBECTL", support::kubectl());
    cli.set("CKI_PRODUCTION_CONTEXT", "prod");
    let unstage = "unstage --mr group/tools!213 --yes";
    let reason = "the context `prod` leads to the same server, `api.internal`";
    cli.run(unstage).ends_with(7).says(reason);
    cli.set("CKI_PRODUCTION_NAMESPACE", "team");
    cli.run(unstage).ends_with(7).says(reason);
    cli.set("CKI_STAGE_CONTEXT", "tunnel");
    cli.run(unstage).ends_with(7).says("leads to `x.prod.example`, which is a host of production");
}
