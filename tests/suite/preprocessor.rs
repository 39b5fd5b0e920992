//! Build files through the real `cpp`.

use std::path::Path;

use proptest::prelude::*;

use cki::base::source_dir::SourceDir;
use cki::host::Env;
use cki::systems::preprocessor::{PreprocessError, PreprocessedFile, preprocess};

use crate::support;

async fn run(context: &Path, file: &str) -> Result<PreprocessedFile, PreprocessError> {
    let env = Env::new([("PATH", "/usr/local/bin:/usr/bin:/bin")]);
    let sources = SourceDir::new(context).expect("is there");
    preprocess(&env, &sources, Path::new(file), Path::new("")).await
}

#[tokio::test]
#[ignore = "needs cpp (bash tests/run)"]
async fn preprocess_expands_includes_and_macros() {
    let main = "/* what\n it is */\n# a comment\n#define V 1\n#include \"base\"\n\
        #include \"includes/end\"\nRUN echo V // 'x' linux\n";
    let directory = support::directory_with(&[
        ("builds/x.in", main),
        ("builds/base", "FROM scratch\n"),
        ("includes/end", "RUN clean\n"),
    ]);
    let result = run(directory.path(), "builds/x.in").await.expect("is good");
    let lines: Vec<&str> = result.text.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, ["FROM scratch", "RUN clean", "RUN echo 1 // 'x' linux"]);
    assert!(!result.text.starts_with('\n'));
    assert!(result.warnings.iter().any(|line| line.contains("#a")), "{:?}", result.warnings);
}

#[tokio::test]
#[ignore = "needs cpp (bash tests/run)"]
async fn preprocess_reports_cpp_errors() {
    let directory = support::directory_with(&[
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
        let error = run(directory.path(), file).await.expect_err(file).to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[tokio::test]
#[ignore = "needs cpp (bash tests/run)"]
async fn preprocess_refuses_includes_outside_the_context() {
    let outside = tempfile::tempdir().expect("a temporary directory");
    let secret = outside.path().join("token");
    std::fs::write(&secret, "glpat-of-somebody\n").expect("writes");
    let secret = secret.display();
    let directory = support::directory_with(&[
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
    std::os::unix::fs::symlink(outside.path().join("token"), directory.path().join("link")).expect("links");
    // A git directory may hold logins, and is no part of the sources.
    std::fs::create_dir(directory.path().join(".git")).expect("makes");
    std::fs::write(directory.path().join(".git/config"), "token\n").expect("writes");
    std::fs::write(directory.path().join("git.in"), "FROM x\n#include \".git/config\"\n").expect("writes");
    std::os::unix::fs::symlink(".git", directory.path().join("g")).expect("links");
    std::fs::write(directory.path().join("linked.in"), "FROM x\n#include \"g/config\"\n").expect("writes");
    for file in ["git", "linked", "pragma", "marker", "nested", "import", "macro", "link", "process", "loud"]
    {
        let error = run(directory.path(), &format!("{file}.in")).await.expect_err(file);
        assert!(matches!(error, PreprocessError::Beyond { .. }), "{file}: {error}");
    }
}

#[tokio::test]
#[ignore = "needs cpp (bash tests/run)"]
async fn preprocess_refuses_pipes_and_devices_at_once() {
    let directory = support::directory_with(&[
        ("pipe.in", "FROM x\n#include \"pipe\"\n"),
        ("device.in", "FROM x\n#include \"/dev/zero\"\n"),
    ]);
    nix::unistd::mkfifo(&directory.path().join("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("makes");
    for (file, words) in [("pipe.in", "pipe`: it is a pipe, not a file"), ("device.in", "out of memory")] {
        let began = std::time::Instant::now();
        let error = run(directory.path(), file).await.expect_err(file).to_string();
        assert!(error.contains(words), "{error}");
        assert!(began.elapsed() < std::time::Duration::from_secs(15), "{file}");
    }
}

#[tokio::test]
#[ignore = "needs cpp (bash tests/run)"]
async fn preprocess_refuses_endless_work() {
    // Each macro is the one before, twice: 2^40 words.
    let doubled = |from: usize, to: usize| -> String {
        (from..to).map(|n| format!("#define A{n} A{} A{}\n", n - 1, n - 1)).collect()
    };
    // Each inclusion takes a while.
    let slow = format!("{}A14\n", doubled(1, 15));
    let many: String = (0..200).map(|n| format!("#include \"h{n}\"\n")).collect();
    let headers: Vec<(String, String)> = (0..200).map(|n| (format!("h{n}"), slow.clone())).collect();
    let mut files: Vec<(&str, String)> = vec![
        ("words.in", format!("FROM x\n#define A0 \n{}A39\n", doubled(1, 40))),
        ("nested.in", "FROM x\n#include \"nested.h\"\n".to_owned()),
        ("nested.h", "#include \"nested.h\"\n".repeat(2)),
        ("many.in", format!("FROM x\n#define A0 \n{many}")),
    ];
    files.extend(headers.iter().map(|(name, text)| (name.as_str(), text.clone())));
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let directory = support::directory_with(&files);
    for (file, words) in [
        ("words.in", "2 s of computing time"),
        // The list of inclusions may reach its limit first.
        ("nested.in", "cannot be run"),
        ("many.in", "2 s of computing time"),
    ] {
        let error = run(directory.path(), file).await.expect_err(file).to_string();
        assert!(error.contains(words), "{file}: {error}");
    }
}

#[tokio::test]
#[ignore = "needs cpp (bash tests/run)"]
async fn preprocess_finds_the_file_that_cpp_would_find() {
    let directory = support::directory_with(&[
        ("sub/main.in", "FROM x\n#include \"a\"\n#include \"deep/one\"\n#include <near>\n"),
        ("a", "A of-the-context\n"),
        ("sub/a", "A of-the-build-file\n"),
        ("sub/near", "NEAR\n"),
        ("sub/deep/one", "#include \"a\"\n#include \"../two\"\n"),
        ("sub/deep/a", "A beside\n"),
        ("sub/two", "TWO\n"),
    ]);
    let result = run(directory.path(), "sub/main.in").await.expect("is good");
    let lines: Vec<&str> = result.text.lines().filter(|line| !line.is_empty()).collect();
    // `cpp` reads the build file from its standard input, whose directory is that of the context.
    assert_eq!(lines, ["FROM x", "A of-the-context", "A beside", "TWO", "NEAR"]);
}

/// Lines of build files: what includes, what changes how `cpp` includes, and what looks like its output.
#[tokio::test]
#[ignore = "needs cpp (bash tests/run)"]
async fn preprocess_tells_no_build_file_which_files_exist() {
    let probe = |operator: &str, path: &str| format!("#if {operator}(\"{path}\")\nENV THERE=1\n#endif\n");
    for operator in ["__has_include", "__has_include_next", "__has_embed"] {
        for path in ["/etc/passwd", "own.h"] {
            let plain = probe(operator, path);
            let guarded =
                format!("#ifdef {operator}\n{plain}#endif\n#if defined({operator})\n{plain}#endif\n");
            let text = format!("FROM x\n{plain}{guarded}#define X(a) {operator}(a)\n{}", probe("X", path));
            let directory = support::directory_with(&[("a.in", &text), ("own.h", "")]);
            let result = run(directory.path(), "a.in").await.expect("is good");
            assert_eq!(
                result.text.split_whitespace().collect::<Vec<_>>(),
                ["FROM", "x"],
                "{operator} {path}"
            );
            let own = result.warnings.iter().find(|line| line.contains("command-line"));
            assert_eq!(own, None);
        }
    }
}

/// `@` stands for a path.
const LINES: &[&str] = &[
    "#include \"@\"",
    "#include <@>",
    "#include_next \"@\"",
    "#import \"@\"",
    " # include \"@\"",
    "#inc\\\nlude \"@\"",
    "%:include \"@\"",
    "??=include \"@\"",
    "#define F \"@\"",
    "#define F <@>",
    "#include F",
    "#define Q #include \"@\"",
    "Q",
    "F",
    "#pragma GCC system_header",
    "_Pragma(\"GCC system_header\")",
    "#pragma GCC dependency \"@\"",
    "#pragma once",
    "#pragma push_macro(\"F\")",
    "#line 1 \"@\"",
    "# 1 \"@\" 1 3",
    "# 1 \"@\" 2",
    "# 3 \"x\" 2",
    "#ident \"@\"",
    "#if __has_include(\"@\")",
    "#ifdef F",
    "#else",
    "#endif",
    "#undef F",
    "#/* */include \"@\"",
    "/* ",
    " */",
    ". @",
    "__FILE__ __BASE_FILE__ __INCLUDE_LEVEL__",
    "FROM x",
    "\u{0}\r#include \"@\"\r",
];

const PATHS: &[&str] = &[
    "@outside/token",
    "../outside/token",
    "sub/../../outside/token",
    "link",
    "sub/link",
    "return\r",
    "directory/token",
    "/proc/self/cwd/../outside/token",
    "/proc/self/environ",
    "/dev/stdin",
    "own.h",
    "sub/other.h",
    "other.h",
    "nothing",
];

fn lines() -> impl Strategy<Value = String> {
    let line = (prop::sample::select(LINES), prop::sample::select(PATHS))
        .prop_map(|(line, path)| line.replace('@', path));
    prop::collection::vec(line, 1..7).prop_map(|lines| lines.join("\n") + "\n")
}

#[test]
#[ignore = "needs cpp (bash tests/run)"]
fn preprocess_never_returns_text_from_outside_the_context() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (context, outside) = (directory.path().join("context"), directory.path().join("outside"));
    for directory in [context.join("sub"), outside.clone()] {
        std::fs::create_dir_all(directory).expect("creates");
    }
    std::fs::write(outside.join("token"), "word-of-another-directory\n").expect("writes");
    for (link, target) in [("link", "token"), ("sub/link", "token"), ("return\r", "token"), ("directory", "")]
    {
        std::os::unix::fs::symlink(outside.join(target), context.join(link)).expect("links");
    }
    let runtime = tokio::runtime::Runtime::new().expect("starts");
    let config = ProptestConfig {
        cases: support::cases().unwrap_or(200),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let returned = std::cell::Cell::new(0);
    let refused = std::cell::Cell::new(0);
    let test = support::runner(config).run(&(lines(), lines(), lines()), |texts| {
        let write = |name: &str, text: &str| {
            let text = text.replace("@outside", &outside.display().to_string());
            std::fs::write(context.join(name), text).expect("writes");
        };
        write("main.in", &format!("FROM x\n{}", texts.0));
        write("own.h", &texts.1);
        write("sub/other.h", &texts.2);
        match runtime.block_on(run(&context, "main.in")) {
            Ok(result) => {
                returned.set(returned.get() + 1);
                prop_assert!(!result.text.contains("word-of-another"), "{}", result.text);
                let said = result.warnings.concat();
                prop_assert!(!said.contains("word-of-another"), "{}", said);
            }
            Err(error) => {
                refused.set(refused.get() + 1);
                prop_assert!(!error.to_string().contains("word-of-another"), "{}", error);
            }
        }
        Ok(())
    });
    test.unwrap_or_else(|error| panic!("{error}"));
    let (returned, refused) = (returned.get(), refused.get());
    assert!(returned > 0 && refused > 0, "{returned} returned, {refused} refused");
}
