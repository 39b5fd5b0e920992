//! Variables that are read without a function call: in macros, by options of a program, by the command
//! of an image. Reads by function calls belong in `source_notes`.

use super::tests::found;

#[test]
fn scan_reads_variables_inside_rust_macros() {
    let text = "\
fn f() {
    let url = format!(\"{}/q\", std::env::var(\"A\").unwrap());
    println!(\"{} {}\", url, env::var(\"B\").unwrap_or_default());
    vec![option_env!(\"C\"), matches!(env::var_os(\"D\"), Some(_))];
    error!(\"{}\", env::var(name)); // env::var(\"NO\")
}
";
    assert_eq!(found("x.rs", text), ["A:2", "B:3=", "C:4=", "D:4?", "@5 (name)"]);
}

#[test]
fn scan_reads_envvar_options_of_python() {
    let text = "\
@click.option('--a', envvar='A', required=True)
@click.option('--b', default='x', envvar='B')
@click.option('--c', envvar=['C', 'D'])
def main(e: str = typer.Option(..., envvar='E'), f = typer.Option(envvar=NAMES)): pass
main(auto_envvar_prefix='APP')
class Settings(BaseSettings):
    url: str
";
    let expected =
        ["A:1", "B:2=", "C:3?", "D:3?", "E:4?", "URL:7", "@4 NAMES", "@5 auto_envvar_prefix='APP'"];
    assert_eq!(found("x.py", text), expected);
}

#[test]
fn scan_marks_dockerfile_variables_used_by_command() {
    let text = "\
FROM x
ARG WORD=a
ENV LEVEL=info
RUN echo $LEVEL
CMD server --level $LEVEL --word $WORD
";
    assert_eq!(found("Dockerfile", text), ["LEVEL:5=", "WORD:2= build", "WORD:5?"]);
    assert_eq!(found("x.sh", "envsubst < a > b\n"), ["@1 envsubst"]);
}

#[test]
fn scan_reads_or_names_env_libraries() {
    let python = "\
from environs import Env
import environ
env = Env()
a = env.str('A')
other = environ.Env(DEBUG=(bool, False))
b = other.bool('B', default=True) or compute('NO')
";
    assert_eq!(found("x.py", python), ["A:4", "B:6="]);
    let rust = "\
fn f() {
    dotenvy::var(\"A\").unwrap();
    envy::prefixed(\"APP_\").from_env();
    config::Environment::with_prefix(\"CFG\");
}
";
    let named = ["A:2", "@3 envy::prefixed(\"APP_\")", "@4 config::Environment::with_prefix(\"CFG\")"];
    assert_eq!(found("x.rs", rust), named);
    let go = "package m\nfunc f() { viper.AutomaticEnv(); envconfig.Process(\"p\", &s) }\n";
    assert_eq!(found("x.go", go), ["@2 envconfig.Process(\"p\", &s)", "@2 viper.AutomaticEnv()"]);
}
