//! Tests of each language's rules and queries, including their pitfalls.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::base::assets::Assets;

fn rules() -> ScanRules {
    let assets = Assets::default();
    let asset = assets.text("scan/rules.yaml").expect("reads").expect("is there");
    ScanRules::read(&asset.origin, &asset.text, &|name| {
        let asset = assets.text(&format!("scan/{name}.scm"))?;
        Ok(asset.map(|asset| (asset.origin, asset.text.into_owned())))
    })
    .expect("works")
}

fn scanned(file: &str, text: &str) -> FileScan {
    let rules = rules();
    let language = rules.language(Path::new(file), text).expect("is known");
    scan(&rules.languages[language], text, &BTreeMap::new()).expect("the queries work")
}

/// Returns `NAME:line`, with `?` after optional and `=` after defaulted reads; then `@line text` for
/// unknown names, and `!line` for errors.
pub(super) fn found(file: &str, text: &str) -> Vec<String> {
    let scan = scanned(file, text);
    let mut found: Vec<String> = Vec::new();
    for find in &scan.finds {
        let need = match find.need {
            Requirement::Required => "",
            Requirement::Optional => "?",
            Requirement::Default => "=",
        };
        let build = if find.build { " build" } else { "" };
        let test = if find.test { " test" } else { "" };
        found.push(format!("{}:{}{need}{build}{test}", find.name, find.line));
    }
    found.extend(scan.unknown.iter().map(|one| format!("@{} {}", one.line, one.text)));
    found.extend(scan.errors.iter().map(|line| format!("!{line}")));
    found
}

#[test]
fn all_queries_compile_for_their_grammar() {
    for language in rules().languages {
        language.program().unwrap_or_else(|error| panic!("{}: {error}", language.name));
    }
}

#[test]
fn scan_takes_a_read_in_a_branch_of_another_variable_as_optional() {
    for (file, text, expected) in [
        (
            "x.py",
            "import os\nif os.environ.get('A'):\n    os.environ['B']\nelse:\n    os.environ['C']\nos.environ['D']\n",
            &["A:2?", "B:3?", "C:5?", "D:6"][..],
        ),
        (
            "x.py",
            "import os\nUSE = os.environ.get('USE') == '1'\nif USE and True:\n    K = os.environ['K']\nM = os.environ['M'] if USE else 1\n",
            &["K:4?", "M:5?", "USE:2?"],
        ),
        // Only the variable itself, or nothing of the environment, decides.
        (
            "x.py",
            "import os\nT = os.environ.get('T')\nif not T:\n    T = os.environ['T']\nif __name__ == '__main__':\n    os.environ['M']\n",
            &["M:6", "T:2?", "T:4"],
        ),
        ("x.sh", "if [ -n \"$A\" ]; then echo \"${B:?}\"; fi\necho \"${C:?}\"\n", &["A:1?", "B:1?", "C:2"]),
    ] {
        assert_eq!(found(file, text), expected, "{text}");
    }
}

#[test]
fn scan_reads_scripts_in_arguments_of_commands() {
    let text = "tmp=$(mktemp)\ntrap 'rm \"$tmp\" \"$A\"' EXIT\nalias x='echo $B'\nwatch 'echo $C'\nsu app -c 'exec app $D'\nenv | grep ^PFX_\nenv X=1 app\n";
    assert_eq!(found("x.sh", text), ["A:2?", "B:3?", "C:4?", "D:5?", "@6 env"]);
}

#[test]
fn scan_reports_python_that_passes_the_environment_on() {
    let text = "import os, posix\nclass S:\n    env = os.environ\n    def g(self):\n        return self.env['A']\nos.system(\"echo $B\")\nposix.environ[b'C']\n";
    assert_eq!(found("x.py", text), ["C:7", "@3 os.environ", "@6 \"echo $B\""]);
}

#[test]
fn scan_reads_python() {
    let text = r#"
import os, os.path
import os as o
from os import environ, getenv as g
import decouple
os.environ['A']                 # os.environ['NO1']
"os.environ['NO2']"
'''
os.environ['NO3']
'''
o.environ.get(
    "B",  # the name
    "default",
)
environ["C"]
g('D')
g('E', default='x')
g('F') or 'x'
os.environ.get('G', None)
env = environ
env['H']
os.environ[f'NO_{x}']
os.environ[name]
f"{os.environ['I']}"
NAME = 'J'
os.environ[NAME]
os.environ['NO4'] = 'x'
del os.environ['NO5']
if 'K' in os.environ:
    use(os.environ['K'])
try:
    os.environ['L']
except KeyError:
    pass
misc.get_env_int('M', 3)
os.getenv("N" "N")
other.get('NO6')
os.environ.get('not a name')
decouple.config('P')
os.environ.setdefault('Q', 'x')
os.environ[b'NO7'.decode()]
"#;
    assert_eq!(
        found("x.py", text),
        [
            "A:6",
            "B:11=",
            "C:15",
            "D:16?",
            "E:17=",
            "F:18=",
            "G:19?",
            "H:21",
            "I:24",
            "J:26",
            "K:29?",
            "K:30?",
            "L:32?",
            "M:35=",
            "NN:36?",
            "P:39",
            "Q:40=",
            "@22 os.environ[f'NO_{x}']",
            "@23 os.environ[name]",
            "@41 os.environ[b'NO7'.decode()]",
        ]
    );
    assert_eq!(scanned("x.py", text).sets, [("NO4".to_owned(), 27)]);
}

#[test]
fn scan_follows_python_reader_functions() {
    let text = "
import os
def setting(name, default=None):
    return os.environ.get(name, default)
def must(name: str) -> str:
    return os.environ[name]
def number(name):
    return int(must(name))
class C:
    def own(self, name):
        return os.environ[name]
    def use(self):
        self.own('A')
setting('B')
setting('C', 'x')
setting('D', default='x')
must('E')
number('F')
number(x)
";
    assert_eq!(found("x.py", text), ["A:13", "B:14?", "C:15=", "D:16=", "E:17", "F:18", "@19 number(x)"]);
    assert_eq!(scanned("x.py", text).wrappers.len(), 4);
}

#[test]
fn scan_collects_python_imports() {
    let text = "import a.b\nfrom c import d as e\nfrom . import f\nfrom ..g import h\nimport i as j\n";
    let paths: Vec<String> = scanned("x.py", text).imports.into_iter().map(|import| import.path).collect();
    assert_eq!(paths, ["a.b", "c.d", ".f", "..g.h", "i"]);
}

#[test]
fn scan_reads_shell() {
    let text = r#"#!/bin/bash
echo "$A" ${B:-x} "${C:?must be}" ${D} # $NO1
echo '$NO2' "\$NO3" $1 $@ $? ${#ARR[@]}
X=1; echo $X
Y="${Y:-default}"
cat <<'EOF'
$NO4
EOF
cat <<EOF
$E ${F}
EOF
f() { echo "$LATER"; }
LATER=1
for i in 1; do echo "$i"; done
while read -r line rest; do echo "$line $rest"; done
G=1 command
echo $G ${!H} $RANDOM
[[ -v I ]] && printenv J
export K L=1
echo $K $L "$(echo ${M%.*})"
echo "$((N + $O))"
local p; declare -A q
echo $p $q
"#;
    assert_eq!(
        found("x", text),
        [
            "A:2?",
            "ARR:3?",
            "B:2=",
            "C:2",
            "D:2?",
            "E:10?",
            "F:10?",
            "G:17?",
            "H:17?",
            "I:18=",
            "J:18?",
            "K:20?",
            "M:20?",
            "N:21?",
            "O:21?",
            "Y:5=",
            "@17 ${!H}",
        ]
    );
    assert_eq!(found("x.sh", "set -euo pipefail\necho $A ${B-}\n"), ["A:2", "B:2="]);
}

#[test]
fn scan_reads_go() {
    let text = r#"package m
import o "os"
import "os"
const name = "C"
type Config struct {
	A string `env:"A,required"`
	B string `json:"x" env:"B" envDefault:"y"`
	D string `envconfig:"D" required:"true" default:"x"`
}
func f() {
	o.Getenv("E") // os.Getenv("NO1")
	v, ok := os.LookupEnv(
		"F",
	)
	os.Getenv(name)
	os.Getenv("P_" + x)
	s := `os.Getenv("NO2")`
	get := os.Getenv
	get("G")
	must("H")
}
func must(key string) string {
	v := os.Getenv(key)
	return v
}
var flag = &cli.StringFlag{Name: "x", EnvVars: []string{"I"}}
"#;
    assert_eq!(
        found("x.go", text),
        [
            "A:6",
            "B:7=",
            "C:15?",
            "D:8=",
            "E:11?",
            "F:12?",
            "G:19?",
            "H:20?",
            "I:26?",
            "@16 os.Getenv(\"P_\" + x)",
        ]
    );
}

#[test]
fn scan_reads_javascript_and_typescript() {
    let text = r"
import {env as e} from 'node:process';
import p from 'process';
const {A, B: b, C = 'x', ...rest} = process.env;
process.env.D; // process.env.NO1
process.env['E'] || 'x';
process.env?.F ?? 'x';
`${process.env.G} process.env.NO2`;
'process.env.NO3'; /* process.env.NO4 */
process.env[`H`]; process.env[`H_${x}`]; process.env[name];
e.I; p.env.J;
import.meta.env.K; Deno.env.get('L');
process.env.NO5 = 1; delete process.env.NO6;
const NAME = 'M';
process.env[NAME];
const {env} = require('process');
env.N;
const get = (name) => process.env[name];
get('O');
other.NO7;
";
    let expected = [
        "A:4?",
        "B:4?",
        "C:4=",
        "D:5?",
        "E:6=",
        "F:7=",
        "G:8?",
        "H:10?",
        "I:11?",
        "J:11?",
        "K:12?",
        "L:12?",
        "M:15?",
        "N:17?",
        "O:19?",
        "@10 process.env[`H_${x}`]",
        "@10 process.env[name]",
    ];
    for file in ["x.js", "x.ts", "x.tsx", "x.mjs"] {
        assert_eq!(found(file, text), expected, "{file}");
    }
    let text = "const a: string = process.env.A!;\nconst b = <string>process.env.B;\n";
    assert_eq!(found("x.ts", text), ["A:1", "B:2?"]);
    assert_eq!(found("x.jsx", "const a = <a href={process.env.A}>process.env.NO</a>;\n"), ["A:1?"]);
}

#[test]
fn scan_reads_rust() {
    let text = r##"
use std::env;
use std::env::{self as en, var as v};
const NAME: &str = "C";
fn f() -> Result<(), E> {
    env::var("A").unwrap(); // env::var("NO1")
    std::env::var_os("B");
    en::var(NAME)?;
    v("D").unwrap_or("x".into());
    let s = r#"env::var("NO2")"#;
    env!("E"); option_env!("F");
    env::var(format!("P_{x}"));
    println!("{}", env::var("G").ok());
    must("H")
}
fn must(name: &str) -> String { env::var(name).expect("is set") }
#[derive(Parser)]
struct Args {
    #[arg(long, env = "I")]
    i: String,
    #[arg(long, env = "J", default_value = "x")]
    j: String,
    /// K
    #[clap(long, env)]
    k_k: String,
}
#[cfg(test)]
mod tests {
    fn t() { std::env::var("L").unwrap(); }
}
"##;
    assert_eq!(
        found("x.rs", text),
        [
            "A:6",
            "B:7?",
            "C:8",
            "D:9=",
            "E:11 build",
            "F:11? build",
            "G:13?",
            "H:14",
            "I:19?",
            "J:21=",
            "K_K:25?",
            "L:29 test",
            "@12 env::var(format!(\"P_{x}\"))",
        ]
    );
}

#[test]
fn scan_reads_dockerfiles() {
    let text = r#"# syntax=docker/dockerfile:1
ARG BASE=fedora:40
ARG TAG
FROM $BASE:${TAG} AS ${STAGE:-x}
ENV A=1 B="x $C" \
    # $NO1
    D='$E'
ENV OLD some $F
RUN echo $A $G ${H:-x} && \
    # $NO2
    X=1 && echo $X \$NO3 '$NO4' $TARGETARCH \
    $I
COPY $J /x
RUN <<EOF
echo $K $A
EOF
#include "setup"
LABEL x="\$NO5"
CMD exec program --port "${PORT:?}" $A
ENTRYPOINT ["sh", "-c", "echo $L"]
HEALTHCHECK --interval=5s CMD test -n "$M"
"#;
    assert_eq!(
        found("Containerfile", text),
        [
            "A:19=",
            "BASE:2= build",
            "C:5? build",
            "E:7? build",
            "F:8? build",
            "G:9? build",
            "H:9= build",
            "I:12? build",
            "J:13? build",
            "K:15? build",
            "L:20?",
            "M:21?",
            "PORT:19",
            "STAGE:4= build",
            "TAG:3? build",
        ]
    );
    let sets: Vec<String> = scanned("Dockerfile", text).sets.into_iter().map(|(name, _)| name).collect();
    assert_eq!(sets, ["A", "B", "D", "OLD"]);
}

#[test]
fn language_is_detected_by_name_or_shebang() {
    let rules = rules();
    let name = |path: &str, text: &str| {
        let language = rules.language(Path::new(path), text)?;
        Some(rules.languages[language].name.clone())
    };
    assert_eq!(name("a/x.py", "").as_deref(), Some("Python"));
    assert_eq!(name("bin/run", "#!/usr/bin/env python3\n").as_deref(), Some("Python"));
    assert_eq!(name("builds/x.in", "").as_deref(), Some("Dockerfile"));
    assert_eq!(name("a/Dockerfile.dev", "").as_deref(), Some("Dockerfile"));
    assert_eq!(name("x.in", ""), None);
    assert_eq!(name("x.pl", "#!/usr/bin/perl\n"), None);
    assert!(rules.is_test(Path::new("a/tests/b/x.py")) && rules.is_test(Path::new("test_x.py")));
    assert!(!rules.is_test(Path::new("a/contest.py")) && rules.is_no_code(Path::new("README.md")));
}

#[test]
fn scan_reports_syntax_errors_and_continues() {
    let text = "import os\ndef f(:\n  os.environ['A']\n\nos.environ['B']\n";
    let found = found("x.py", text);
    assert!(found.contains(&"B:5".to_owned()), "{found:?}");
    assert!(found.iter().any(|one| one.starts_with('!')), "{found:?}");
}

#[test]
fn a_broken_query_names_its_file_and_line() {
    let broken = |name: &str| {
        let text = if name == "shell" { "; one\n(nonsense) @x\n" } else { "(identifier) @x\n" };
        Ok(Some((format!("/mine/{name}.scm"), text.to_owned())))
    };
    let text = "languages: [{name: s, grammar: bash, queries: [shell], extensions: [sh]}]";
    let rules = ScanRules::read("rules.yaml", text, &broken).expect("reads");
    let error = scan(&rules.languages[0], "", &BTreeMap::new()).expect_err("has no such node");
    assert_eq!(error.to_string(), "/mine/shell.scm:2: the grammar has no node `nonsense`");
}

#[test]
fn scan_stops_at_deeply_nested_python() {
    let deep: String = (0..600).map(|depth| format!("{}if x:\n", " ".repeat(depth))).collect();
    assert!(scanned("x.py", &format!("import os\nos.environ['A']\n{deep}")).cut_short);
}

/// Returns meaningless combinations of pieces of the languages.
fn rubble() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "os.environ[",
        "'A'",
        "]",
        "(",
        ")",
        "{",
        "}",
        "\"",
        "'",
        "`",
        "$",
        "${",
        ":-",
        "<<EOF",
        "\n",
        "EOF",
        "<<'E'",
        "\\",
        "#",
        "def f(name):",
        "  ",
        "env::var(",
        "!",
        "ENV[",
        "process.env.",
        "const {",
        "} = process.env",
        "=",
        "RUN ",
        "ARG ",
        "ENV ",
        "FROM",
        "#{",
        "<<~X",
        "%w[",
        "r#\"",
        "//",
        "/*",
        "*/",
        "é",
        "🐎",
        "\0",
        "\t",
        "f\"{",
        "\"\"\"",
        "if",
        "for i in",
        "\r\n",
        "`env:\"A",
        "$((",
        "<",
        ">",
        "/x/",
    ]);
    prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn scan_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), rubble in rubble()) {
        thread_local!(static RULES: ScanRules = rules());
        RULES.with(|rules| {
            for text in [&*String::from_utf8_lossy(&bytes), &rubble] {
                for language in &rules.languages {
                    let scan = scan(language, text, &BTreeMap::new()).expect("the queries work");
                    let lines = text.matches('\n').count() + 1;
                    assert!(scan.finds.iter().all(|find| (1..=lines).contains(&find.line)));
                }
            }
        });
    }
}

#[test]
fn scan_does_not_read_bit_shift_as_heredoc() {
    let text = "FROM x\nRUN head -c $((1<<20)) /dev/zero >/f\nENV X=1\nRUN <<-'END' sh\n\techo $INSIDE\n\tEND\nENV Y=1\n";
    let sets: Vec<String> = scanned("Dockerfile", text).sets.into_iter().map(|(name, _)| name).collect();
    assert_eq!(sets, ["X", "Y"]);
}
