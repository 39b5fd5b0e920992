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
