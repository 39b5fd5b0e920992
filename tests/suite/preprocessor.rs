//! Build files through the real `cpp`.

use std::path::Path;

use cki::host::Env;
use cki::systems::preprocessor::{PreprocessError, Preprocessed, preprocess};

use crate::support;

async fn run(context: &Path, file: &str) -> Result<Preprocessed, PreprocessError> {
    let env = Env::new([("PATH", "/usr/local/bin:/usr/bin:/bin")]);
    preprocess(&env, &context.join(file), context, &[]).await
}

#[tokio::test]
#[ignore = "needs cpp (bash tests/run)"]
async fn includes_macros_and_comments() {
    let main = "/* what\n it is */\n# a comment\n#define V 1\n#include \"base\"\n\
        #include \"includes/end\"\nRUN echo V // 'x' linux\n";
    let folder = support::folder_with(&[
        ("builds/x.in", main),
        ("builds/base", "FROM scratch\n"),
        ("includes/end", "RUN clean\n"),
    ]);
    let result = run(folder.path(), "builds/x.in").await.expect("is good");
    let lines: Vec<&str> = result.text.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, ["FROM scratch", "RUN clean", "RUN echo 1 // 'x' linux"]);
    assert!(!result.text.starts_with('\n'));
    assert!(result.warnings.iter().any(|line| line.contains("#a")), "{:?}", result.warnings);
}

#[tokio::test]
#[ignore = "needs cpp (bash tests/run)"]
async fn what_is_wrong_is_said() {
    let folder = support::folder_with(&[
        ("a.in", "#include \"nope\"\nFROM scratch\n"),
        ("b.in", "FROM scratch\n#if 1\n"),
        ("c.in", "#error not today\nFROM scratch\n"),
        ("d.in", "/* nothing */\n"),
        ("e.in", "FROM scratch\n#include \"/etc/hostname\"\n"),
    ]);
    for (file, words) in [
        ("a.in", "nope: No such file"),
        ("b.in", "unterminated #if"),
        ("c.in", "not today"),
        ("d.in", "nothing is left"),
        ("e.in", "includes `/etc/hostname`"),
    ] {
        let error = run(folder.path(), file).await.expect_err(file).to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[tokio::test]
#[ignore = "needs cpp (bash tests/run)"]
async fn a_build_file_cannot_read_what_is_beyond_its_context() {
    let outside = tempfile::tempdir().expect("a temporary folder");
    let secret = outside.path().join("token");
    std::fs::write(&secret, "glpat-of-somebody\n").expect("writes");
    let secret = secret.display();
    let folder = support::folder_with(&[
        ("pragma.in", "#define BS \\/**/\nFROM x\nENV T=BS\n#include \"pragma.h\"\n"),
        ("pragma.h", &format!("#pragma GCC system_header\n#include \"{secret}\"\n")),
        ("marker.in", &format!("# 1 \"x\" 3\nFROM x\n#include \"{secret}\"\n")),
        ("nested.in", "FROM x\n#include \"nested.h\"\n"),
        ("nested.h", &format!("# 1 \"d.h\" 1 3\n#include \"{secret}\"\n# 3 \"x\" 2\n")),
        ("import.in", &format!("FROM x\n#import \"{secret}\"\n")),
        ("macro.in", &format!("FROM x\n#define F \"{secret}\"\n#include F\n")),
        ("link.in", "FROM x\n#include \"link\"\n"),
        ("process.in", "FROM x\n#include \"/proc/self/environ\"\n"),
        // Behind more complaints than anybody reads.
        ("loud.in", &format!("FROM x\n{}#include \"{secret}\"\n", "#a very odd line\n".repeat(3000))),
    ]);
    std::os::unix::fs::symlink(outside.path().join("token"), folder.path().join("link")).expect("links");
    for file in ["pragma", "marker", "nested", "import", "macro", "link", "process", "loud"] {
        let error = run(folder.path(), &format!("{file}.in")).await.expect_err(file);
        assert!(matches!(error, PreprocessError::Beyond { .. }), "{file}: {error}");
    }
}
