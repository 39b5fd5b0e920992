//! `cki inventory new`: the entries that it writes into directories and files, what it refuses, and the facts that it
//! names as missing.

use crate::support::cli::Cli;

/// Makes a repository with two services, and a directory for an inventory.
fn shop(cli: &Cli) {
    git2::Repository::init(cli.project().join("shop")).expect("makes a repository");
    for (path, text) in [
        ("shop/web/Dockerfile", "FROM x\nEXPOSE 8000\n"),
        (
            "shop/web/README.md",
            "# Web\n\n| Variable | Required | Default |\n|---|---|---|\n| `WEB_TITLE` | no | |\n\
             | `C_TOKEN` | no | ghp_abcdefghijklmnopqrstuvwxyz0123456789 |\n",
        ),
        ("shop/services/cart/src/Dockerfile", "FROM x\nEXPOSE 7070\n"),
        (
            "shop/k8s/ledger.yaml",
            "kind: Deployment\nmetadata: {name: ledger}\nspec:\n  template:\n    spec:\n      containers:\n        \
             - {name: x, image: example.org/ledger, readinessProbe: {httpGet: {path: /ready, port: 8080}}}\n",
        ),
        ("shop/.env", "CART=services/cart/src/Dockerfile\nDB_IMAGE=postgres:16\n"),
        (
            "shop/compose.yaml",
            "services:\n  web: {build: web, depends_on: [cart, db]}\n  \
             cart: {build: {context: ., dockerfile: '${CART}'}, depends_on: [db]}\n  db: {image: '${DB_IMAGE}'}\n",
        ),
    ] {
        cli.write(path, text);
    }
    std::fs::create_dir(cli.project().join("inv")).expect("makes a directory");
}

#[test]
fn inventory_new_writes_entries_that_check_and_run_accept() {
    let cli = Cli::new();
    shop(&cli);
    let new = "inventory new --inventory inv";
    let outcome = cli.run(&format!("{new} web --from-repo shop --owner me -n")).ends_with(0);
    outcome.says("description: Web").says("- {name: WEB_TITLE}").says("which the inventory lacks");
    assert!(!cli.project().join("inv/service").exists());
    cli.run(&format!("{new} web --from-repo shop --with-needs --kind job"))
        .ends_with(0)
        .says("inv/service/cart.yaml:1")
        .says("`people`: who looks after it");
    let read = |path: &str| std::fs::read_to_string(cli.project().join(path)).expect("reads");
    let text = read("inv/service/web.yaml");
    assert!(text.starts_with("# yaml-language-server: $schema=../inventory.schema.json\n"), "{text}");
    // The kind is that of the requested entry alone.
    assert!(text.contains("kind: job") && read("inv/service/cart.yaml").contains("kind: service"), "{text}");
    assert!(
        read("inv/service/cart.yaml").contains("path: services/cart}"),
        "{}",
        read("inv/service/cart.yaml")
    );
    // A document may show a real secret.
    assert!(text.contains("{name: C_TOKEN, secret: true}") && !text.contains("ghp_"), "{text}");
    assert!(read("inv/inventory.schema.json").starts_with('{'));
    cli.run("run-local web --dry-run --inventory inv").ends_with(0).says("db").says("cart");
    let checked = cli.run("inventory check --inventory inv").ends_with(1);
    assert!(!checked.to_string().contains("unknown"), "{checked}");
    cli.run(&format!("{new} web")).ends_with(7).says("inv/service/web.yaml").says("--force");
    cli.run(&format!("{new} web --force")).ends_with(0);
    assert!(read("inv/service/web.yaml").contains("# sources:"));
    // A workload has an image, and needs no build file.
    cli.run(&format!("{new} ledger --from-repo shop"))
        .ends_with(0)
        .says("inv/service/ledger.yaml:1")
        .says("run-local ledger");
    let text = read("inv/service/ledger.yaml");
    // The probe stays that of the deployment.
    assert!(text.contains("path: k8s/ledger.yaml}") && !text.contains("ready:"), "{text}");
    cli.run("run-local ledger --dry-run --inventory inv").ends_with(0).says("HTTP /ready on port 8080");
    // A repository is the same one by any scheme.
    let shop = git2::Repository::init(cli.project().join("shop")).expect("is one already");
    shop.remote("origin", "git@git.example.org:a/shop.git").expect("adds a remote");
    cli.write("known.yaml", "repos: {mine: 'https://git.example.org/a/shop'}\n");
    cli.run("inventory new web --from-repo shop --inventory known.yaml -n").says("repo: mine");
    cli.run(&format!("{new} other --from-repo shop")).ends_with(3).says("it has `web`, `cart`");
    cli.run(&format!("{new} serivce/x")).ends_with(3).says("did you mean `service`?");
    cli.run(&format!("{new} x --kind servic")).ends_with(3).says("did you mean `service`?");
    cli.run(&format!("{new} x --from-repo nowhere")).ends_with(3).says("there is no directory");
    for name in ["../x", "a/b/c", "a!b", "service/.."] {
        cli.run(&format!("{new} {name}")).ends_with(2).says("no component can be called");
    }
    cli.run(&format!("{new} {}", "x".repeat(101)))
        .ends_with(2)
        .says("it has 101 characters, and a name has 100");
    // The directory of the sources may be another one than that of the build.
    cli.run(&format!("{new} cart2 --from-repo shop --dir services/cart -n"))
        .ends_with(0)
        .says("path: services/cart}");
    // A directory of the repository means the component there, whatever its name.
    cli.run(&format!("{new} cart3 --from-repo shop/services/cart -n"))
        .ends_with(0)
        .says("path: services/cart}");
    let wrong = cli.run(&format!("{new} cart --from-repo shop --dir services/crat -n")).ends_with(3);
    wrong
        .says("has no component in `services/crat`; it has one in")
        .says("did you mean `--dir services/cart`?");
    nix::unistd::mkfifo(&cli.project().join("inv/service/pipe.yaml"), nix::sys::stat::Mode::S_IRWXU)
        .expect("makes");
    cli.run(&format!("{new} pipe --force")).fails();
}

#[test]
fn variables_with_addresses_name_what_a_component_needs() {
    let cli = Cli::new();
    git2::Repository::init(cli.project().join("shop")).expect("makes a repository");
    for (path, text) in [
        ("shop/ad/Dockerfile", "FROM x\nEXPOSE 9555\n"),
        ("shop/ad/ad.py", "import os\nos.environ['WEB_ADDR']\n"),
        ("shop/web/Dockerfile", "FROM x\nEXPOSE 8080\n"),
        (
            "shop/web/web.py",
            "import os\nos.environ['AD_SERVICE_ADDR'], os.environ['MAIL_HOST'], os.environ.get('WEB_URL')\n",
        ),
        ("inv/service/mail.yaml", "image: x\n"),
        ("inv/inventory.yaml", "title: T\r\ncategories:\r\n  - {id: service}\r\n"),
    ] {
        cli.write(path, text);
    }
    let new = "inventory new --inventory inv";
    cli.run(&format!("{new} web --from-repo shop --with-needs")).ends_with(0).says("inv/service/ad.yaml:1");
    let read = |path: &str| std::fs::read_to_string(cli.project().join(path)).expect("reads");
    let text = read("inv/service/web.yaml");
    assert!(text.contains("{name: AD_SERVICE_ADDR, default: \"ad:9555\"}"), "{text}");
    assert!(
        text.contains("{name: MAIL_HOST, default: mail}") && text.contains("needs: [ad, mail]"),
        "{text}"
    );
    // Neither could start first, and nothing needs itself.
    assert!(read("inv/service/ad.yaml").contains("needs: []"), "{}", read("inv/service/ad.yaml"));
    cli.run("run-local web --dry-run --inventory inv").ends_with(0).says("ad").says("mail");
    // A file with the ends of lines of Windows stays one.
    cli.write("one.yaml", "title: T\r\ncomponents:\r\n  - name: a\r\n    category: service\r\n");
    cli.run("inventory new b --inventory one.yaml").ends_with(0);
    let text = read("one.yaml");
    assert!(text.starts_with("title: T\r\ncomponents:\r\n  - name: a\r\n"), "{text:?}");
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{text:?}");
    assert_eq!(cli.run("list --inventory one.yaml -o name").ends_with(0).stdout, "a\nb\n");
}

#[test]
fn inventory_new_extends_a_file_and_refuses_other_sources() {
    let cli = Cli::new();
    let before = "version: 1\ncomponents:\n  - name: a\n    category: service\n    kind: job\n\n# The end.\ntitle: T\n";
    cli.write("one.yaml", before);
    cli.run("inventory new b --inventory one.yaml").ends_with(0).says("one.yaml:6");
    let text = std::fs::read_to_string(cli.project().join("one.yaml")).expect("reads");
    assert!(text.starts_with(&before[..before.find("\n\n#").expect("has one") + 1]), "{text}");
    assert!(
        text.contains("  - name: b\n    category: service\n") && text.ends_with("\n\n# The end.\ntitle: T\n"),
        "{text}"
    );
    cli.run("list --inventory one.yaml").ends_with(0).says("b");
    cli.run("inventory new a --inventory one.yaml --force").ends_with(0).says("one.yaml:3");
    let text = std::fs::read_to_string(cli.project().join("one.yaml")).expect("reads");
    assert!(!text.contains("kind: job") && text.contains("name: b"), "{text}");
    cli.write("flow.yaml", "components: [{name: a, category: service}]\n");
    cli.run("inventory new b --inventory flow.yaml").ends_with(4).says("is not a list");
    cli.run("inventory new b --inventory default")
        .ends_with(7)
        .says("--inventory default --inventory DIRECTORY");
    cli.run("inventory new c --inventory default --inventory one.yaml").ends_with(0).says("one.yaml:");
}
