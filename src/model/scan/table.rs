//! Table of the ways in which each language reads its environment: each line is read, or reported as not
//! known before the program runs. None is lost in silence.

use super::tests::found;

/// File, text, and the result in the form of [`found`].
type Row = (&'static str, &'static str, &'static [&'static str]);

fn check(rows: &[Row]) {
    let wrong: Vec<String> = rows
        .iter()
        .map(|(file, text, wanted)| (file, text, found(file, text), wanted))
        .filter(|(.., got, wanted)| got != *wanted)
        .map(|(file, text, got, wanted)| format!("{file}: {text}\n  got    {got:?}\n  wanted {wanted:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn shell_reads_are_found_or_reported() {
    check(&[
        ("x.sh", "envsubst '$A ${B}' < t > o", &["A:1?", "B:1?"]),
        ("x.sh", "cat t | envsubst \"\\$A,\\${B}\" > o", &["A:1?", "B:1?"]),
        ("x.sh", "exec /usr/bin/envsubst \\$A <t", &["A:1?"]),
        ("x.sh", "X=1 envsubst --no-unset '$A'", &["A:1?"]),
        ("x.sh", "envsubst", &["@1 envsubst"]),
        ("x.sh", "envsubst <t", &["@1 envsubst"]),
        ("x.sh", "envsubst \"$NAMES\" <t", &["NAMES:1?", "@1 envsubst \"$NAMES\""]),
        ("x.sh", "envsubst '$A'\"$NAMES\" <t", &["A:1?", "NAMES:1?", "@1 envsubst '$A'\"$NAMES\""]),
        (
            "x.sh",
            "envsubst \"$(printf '${%s} ' $(env | cut -d= -f1))\"",
            &["@1 env", "@1 envsubst \"$(printf '${%s} ' $(env | cut -d= -f1))\""],
        ),
        ("x.sh", "apk add envsubst; command -v envsubst", &[]),
        ("x.sh", "true\nsh -c 'echo $A;\n x=1; echo $x ${B:-1}'", &["A:2?", "B:3="]),
        ("x.sh", "docker exec c bash -lc 'envsubst \"\\$A\"'", &["A:1?"]),
        ("x.sh", "sh -c \"echo $A\"", &["A:1?"]),
        ("x.sh", "printenv \"A\"; test -v B; printenv $C", &["A:1?", "B:1=", "C:1?", "@1 $C"]),
        ("x.sh", "eval \"echo \\$$NAME\"", &["NAME:1?", "@1 eval \"echo \\$$NAME\""]),
        ("x.sh", "echo ${!A} ${!APP_@}", &["A:1?", "@1 ${!APP_@}", "@1 ${!A}"]),
        ("x.sh", "awk '{print ENVIRON[\"A\"]}' f", &["@1 '{print ENVIRON[\"A\"]}'"]),
        ("x.sh", "jq -n 'env.A'; jq '.a'", &["@1 'env.A'"]),
        (
            "x.sh",
            "python3 -c 'import os; print(os.environ[\"A\"])'",
            &["@1 'import os; print(os.environ[\"A\"])'"],
        ),
        ("x.sh", "gomplate -f t", &["@1 gomplate -f t"]),
        ("x.sh", "echo $((A + 1)) $(( B * ${C:-2} ))", &["A:1?", "B:1?", "C:1="]),
        ("x.sh", "((A > 1)) && ((n=0)); ((n++)); (( B == n ))", &["A:1?", "B:1?"]),
        ("x.sh", "let x=A+1 \"B += 1\"; echo $x", &["A:1?", "B:1?"]),
        ("x.sh", "echo ${list[A]} ${list[B+1]} ${list[0]} ${list[@]}", &["A:1?", "B:1?", "list:1?"]),
        ("x.sh", "declare -A m=([k]=v)\necho ${m[k]}", &[]),
        ("x.sh", "for ((i = A; i < B; i++)); do echo $i; done", &["A:1?", "B:1?"]),
        ("x.sh", "[[ A -gt 1 ]]; [ A -gt 1 ]", &["A:1?"]),
        ("x.sh", "declare -n r=A; local -n s=\"$1\"; echo $r", &["A:1?", "@1 \"$1\""]),
        ("x.sh", "set -u\necho $((A))", &["A:2"]),
    ]);
}

#[test]
fn dockerfile_and_pipeline_reads_are_found_or_reported() {
    check(&[
        ("Dockerfile", "FROM x\nRUN envsubst '$A ${B}' < t > o", &["A:2? build", "B:2? build"]),
        ("Dockerfile", "FROM x\nENV L=1\nCMD run $L", &["L:3="]),
        ("Dockerfile", "FROM x\nENV L 1\nENTRYPOINT exec run --l=$L ${M:?}", &["L:3=", "M:3"]),
        ("Dockerfile", "FROM x\nENV L=1\nRUN echo $L $N", &["N:3? build"]),
        ("Dockerfile", "FROM x\nCMD [\"tini\", \"--\", \"/bin/sh\", \"-ec\", \"run $A\"]", &["A:2?"]),
        ("Dockerfile", "FROM x\nCMD [\"run\", \"$A\"]", &[]),
        ("Dockerfile", "FROM x\nCMD envsubst < t | nginx", &["@2 envsubst"]),
        ("Dockerfile", "FROM x\nENTRYPOINT [\"sh\", \"-c\", \"envsubst '$A' < t; exec nginx\"]", &["A:2?"]),
        ("Dockerfile", "FROM x\nHEALTHCHECK CMD curl $A", &["A:2?"]),
        (
            ".gitlab-ci.yml",
            "deploy:\n  script:\n    - echo $CI_JOB_ID\n    - envsubst '$A ${B}' < t > o\n",
            &["A:4? build", "B:4? build"],
        ),
        (
            ".gitlab-ci.yml",
            "deploy:\n  script: |\n    echo $X\n    envsubst '$A' < t\n    envsubst < t\n",
            &["A:4? build", "@5 envsubst"],
        ),
        (
            ".github/workflows/ci.yaml",
            "jobs: {a: {steps: [{run: \"envsubst '$A' < t\"}]}}\n",
            &["A:1? build"],
        ),
        (".gitlab-ci.yml", "include: !reference [.a, b]\nx: [envsubst\n", &["!2"]),
    ]);
}

#[test]
fn python_reads_are_found_or_reported() {
    check(&[
        (
            "x.py",
            "import os\nget = os.environ.get\nget('A'); os.environb[b'B']; os.getenvb(b'C')",
            &["A:3?", "B:3", "C:3?"],
        ),
        ("x.py", "import os\nenv = os.environ.copy()\nenv['A']; env.get('B', '')", &["A:3", "B:3="]),
        ("x.py", "import os\nenv = dict(os.environ)\nenv['A']", &["A:3"]),
        ("x.py", "import os\ndef f(env=os.environ): return env['A']", &["A:2"]),
        ("x.py", "__import__('os').environ['A']", &["A:1"]),
        (
            "x.py",
            "import os\nos.path.expandvars('$A/${B}'); os.path.expandvars(x)",
            &["A:2?", "B:2?", "@2 os.path.expandvars(x)"],
        ),
        ("x.py", "import os\nfor k, v in os.environ.items(): pass", &["@2 os.environ.items()"]),
        ("x.py", "import os\nd = {k: 1 for k in os.environ if k}", &["@2 os.environ"]),
        ("x.py", "import os\nt.substitute(os.environ); '{A}'.format(**os.environ)", &["@2 os.environ"]),
        ("x.py", "import os\nrun(['x'], env=os.environ); run('x', env={**os.environ, 'A': '1'})", &[]),
        ("x.py", "import os\nf(dict(os.environ, A='1'))", &["@2 os.environ"]),
        (
            "x.py",
            "from functools import partial\nimport os\npartial(os.getenv, 'A'); get = partial(os.getenv)",
            &["@3 os.getenv"],
        ),
        ("x.py", "from os import getenv\nlist(map(getenv, names))", &["@2 getenv"]),
        (
            "x.py",
            "import os\nd = os.environ | {'A': '1'}\nd['B']; f(os.environ | {})",
            &["B:3", "@3 os.environ"],
        ),
        ("x.py", "import os\nd = {**os.environ}\nd['A']; return {**os.environ}", &["A:3", "@3 os.environ"]),
        (
            "x.py",
            "import os\ngetattr(os, 'environ')['A']; f(getattr(os, 'environ'))",
            &["A:2", "@2 getattr(os, 'environ')"],
        ),
        ("x.py", "import os\nmatch os.environ:\n    case {'A': a}: pass\n", &["@2 os.environ"]),
        (
            "x.py",
            "import os\nself.env = os.environ; x = [os.environ]; y = lambda: os.environ",
            &["@2 os.environ"],
        ),
        (
            "x.py",
            "import os\nos.environ['A'] = '1'; del os.environ['B']; os.environ.update(x); print(len(os.environ))",
            &[],
        ),
        ("x.py", "from os import environ\nif environ: pass\nenv = environ.copy()\nrun(x, env=env)", &[]),
        (
            "x.py",
            "from starlette.config import Config\nfrom prettyconf import config\nc = Config('.env')\nc('A'); c.get('B', default=1); c.get('C')\nconfig('D'); config('E', default=2)",
            &["A:4", "B:4=", "C:4", "D:5", "E:5="],
        ),
        (
            "x.py",
            "import subprocess\nsubprocess.check_call(['sh', '-c', 'echo $A'])\nsubprocess.run(['grep', '$B', 'f'])\nos.execlp('sh', 'sh', '-ec', 'echo $C')",
            &["@2 'echo $A'", "@4 'echo $C'"],
        ),
        (
            "x.py",
            "from decouple import config, AutoConfig\nconfig('A'); config('B', default=1, cast=int)\nc = AutoConfig()\nc('C')",
            &["A:2", "B:2=", "C:4"],
        ),
        (
            "x.py",
            "from environs import Env\ne = Env()\ne.log_level('A'); e('B', 'x')\nwith e.prefixed('P_'):\n    e.str('C')\n    with e.prefixed('Q_'):\n        e.int('D', 1)\n    other('E')\n",
            &["A:3", "B:3=", "P_C:5", "P_Q_D:7="],
        ),
        (
            "x.py",
            "from environs import env\nwith env.prefixed(NAME) as e:\n    env.str('C')\n",
            &["@3 env.str('C')"],
        ),
        (
            "x.py",
            "@click.option('--a', envvar='A')\n@click.option('--b', envvar=['B', 'C'])\n@click.option('--c', envvar=NAME)\ndef f(): pass\nNAME = 'D'",
            &["A:1?", "B:2?", "C:2?", "D:3?"],
        ),
        ("x.py", "x: str = typer.Option('d', envvar=('A', B))", &["A:1?", "@1 B"]),
        ("x.py", "p.add('--x', env_var='A')", &["A:1?"]),
        (
            "x.py",
            "app.config.from_envvar('A')\napp.config.from_prefixed_env()",
            &["A:1", "@2 app.config.from_prefixed_env()"],
        ),
        (
            "x.py",
            "from dynaconf import Dynaconf\ns = Dynaconf(envvar_prefix='A')",
            &["@2 Dynaconf(envvar_prefix='A')"],
        ),
    ]);
}

#[test]
fn fields_of_pydantic_settings_are_variables() {
    let one = "\
from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict
class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix='APP_', env_file='.env')
    url: str
    port: int = 80
    name: str | None = None
    token: str = Field(..., alias='TOKEN')
    a: str = Field('x', validation_alias=AliasChoices('A1', 'A2'))
    b: Annotated[str, Field(validation_alias='b2')]
    _private: int = 1
    KIND: ClassVar[str] = 'x'
    def f(self): pass
class More(Settings):
    more: str
";
    let wanted: &[&str] =
        &["A1:9=", "A2:9=", "APP_MORE:15", "APP_NAME:7=", "APP_PORT:6=", "APP_URL:5", "B2:10", "TOKEN:8"];
    let old = "\
import pydantic
class S(pydantic.BaseSettings):
    a: str
    b: Optional[str]
    c: int = pydantic.Field(env=['C1', 'C2'])
    class Config:
        env_prefix = 'x_'
        case_sensitive = False
";
    check(&[
        ("x.py", one, wanted),
        ("x.py", old, &["C1:5?", "C2:5?", "X_A:3", "X_B:4?"]),
        ("x.py", "class S(BaseSettings):\n    a: str\n", &["A:2"]),
        (
            "x.py",
            "from common import AppSettings\nclass S(AppSettings):\n    a: str\n",
            &["A:3", "@2 AppSettings"],
        ),
        ("x.py", "class S(BaseSettings, case_sensitive=True):\n    a: str\n", &["a:2"]),
        (
            "x.py",
            "class S(BaseSettings):\n    model_config = {'env_nested_delimiter': '__', 'env_prefix': P}\n    a: str\n",
            &["A:3", "@2 '__'", "@2 P"],
        ),
        ("x.py", "class S(BaseModel):\n    a: str\n", &[]),
    ]);
}

#[test]
fn go_reads_are_found_or_reported() {
    check(&[
        (
            "x.go",
            "package a\nvar a = exec.Command(\"sh\", \"-c\", \"echo $A\")\nvar b = exec.Command(\"grep\", \"$B\")",
            &["@2 \"echo $A\""],
        ),
        (
            "x.go",
            "package m\nfunc f() { load(os.Getenv); x := os.LookupEnv; x(\"A\") }",
            &["A:2?", "@2 os.Getenv"],
        ),
        (
            "x.go",
            "package m\nfunc f() { os.ExpandEnv(\"$A/${B}\"); os.ExpandEnv(x); os.Environ() }",
            &["A:2?", "B:2?", "@2 os.Environ()", "@2 os.ExpandEnv(x)"],
        ),
        (
            "x.go",
            "package m\nfunc f() { viper.SetEnvPrefix(\"app\"); viper.BindEnv(\"port\"); viper.BindEnv(\"x\", \"A\", \"B\") }",
            &["A:2?", "APP_PORT:2?", "B:2?"],
        ),
        (
            "x.go",
            "package m\nfunc f() { v := viper.New(); v.AutomaticEnv(); v.BindEnv(\"port\"); v.BindEnv(key) }",
            &["PORT:2?", "@2 v.AutomaticEnv()", "@2 v.BindEnv(key)"],
        ),
        (
            "x.go",
            "package m\ntype C struct {\n A string `env:\"A,B\" env-required:\"true\"`\n D string `env:\"D,notEmpty\"`\n E string `env:\"E,default=x\"`\n}",
            &["A:3", "B:3", "D:4", "E:5="],
        ),
        (
            "x.go",
            "package m\ntype C struct {\n D Db `envPrefix:\"DB_\"`\n E Db `env:\", prefix=E_\"`\n}",
            &["@3 `envPrefix:\"DB_\"`", "@4 `env:\", prefix=E_\"`"],
        ),
        (
            "x.go",
            "package m\nfunc f() { env.ParseWithOptions(&c, env.Options{Prefix: \"X_\"}) }",
            &["@2 env.ParseWithOptions(&c, env.Options{Prefix: \"X_\"})"],
        ),
        (
            "x.go",
            "package m\nvar a = &cli.StringFlag{EnvVars: []string{\"A\", name}}\nvar b = &cli.StringFlag{EnvVars: names()}\nvar c = cli.StringFlag{Sources: cli.EnvVars(\"B\", \"C\"), EnvVar: \"D\"}",
            &["A:2?", "B:4?", "C:4?", "D:4?", "@2 name", "@3 names()"],
        ),
        ("x.go", "package m\nfunc f() { app.Flag(\"x\", \"y\").Envar(\"A\").String() }", &["A:2?"]),
        (
            "x.go",
            "package m\nfunc f() { k.Load(env.Provider(\"APP_\", \".\", g), nil) }",
            &["@2 env.Provider(\"APP_\", \".\", g)"],
        ),
    ]);
}

#[test]
fn javascript_reads_are_found_or_reported() {
    check(&[
        (
            "x.js",
            "exec('echo $A');\nspawn('sh', ['-c', 'echo $B']);\npattern.exec('$C');\nspawn('grep', ['$D']);",
            &["@1 'echo $A'", "@2 'echo $B'"],
        ),
        (
            "x.js",
            "process['env'].A; process[\"env\"]['B']; require('process').env.C",
            &["A:1?", "B:1?", "C:1?"],
        ),
        ("x.js", "let A, b; ({A, B: b} = process.env)", &["A:1?", "B:1?"]),
        (
            "x.js",
            "const {env: {A, B: b}} = process; const {['C']: c, 'D': d} = process.env",
            &["A:1?", "B:1?", "C:1?", "D:1?"],
        ),
        (
            "x.js",
            "function f({A, B: b} = process.env, env = process.env) { env.C }",
            &["A:1?", "B:1?", "C:1?"],
        ),
        (
            "x.js",
            "const {A, ...rest} = process.env; rest.B; const e = {...process.env}; e.C",
            &["A:1?", "B:1?", "C:1?"],
        ),
        (
            "x.js",
            "Object.keys(process.env); for (const k in process.env) {}; schema.parse(process.env)",
            &["@1 process.env"],
        ),
        ("x.js", "spawn('x', {env: process.env}); spawn('x', {env: {...process.env, A: '1'}})", &[]),
        (
            "x.js",
            "Object.assign({}, process.env); const e = Object.assign({}, process.env); e.A",
            &["A:1?", "@1 process.env"],
        ),
        ("x.js", "Reflect.get(process.env, 'A'); Object.hasOwn(process.env, 'B')", &["A:1?", "B:1?"]),
        (
            "x.js",
            "const {env: {A, B: b}} = require('process'); const {env: {C}} = require(\"node:process\")",
            &["A:1?", "B:1?", "C:1?"],
        ),
        (
            "x.js",
            "module.exports = process.env; [process.env]; new Map(Object.entries(process.env))",
            &["@1 process.env"],
        ),
        ("x.js", "if (process.env && process.env.A) {}; typeof process.env", &["A:1?"]),
        ("x.js", "const k = names.map(Deno.env.get)", &["@1 Deno.env.get"]),
        ("x.js", "cleanEnv(process.env, {A: str(), B: num()})", &["A:1?", "B:1?"]),
        ("x.js", "process.env.hasOwnProperty('A')", &["A:1?"]),
        ("x.js", "import env from 'env-var'; env.get('A').required()", &["A:1?"]),
        (
            "x.js",
            "convict({p: {format: 'port', default: 1, env: 'A'}}); new Option('-p').env('B'); yargs(x).env('C')",
            &["A:1=", "B:1?", "@1 yargs(x).env('C')"],
        ),
        (
            "x.ts",
            "const e = process.env as Env; e.A; (process.env as any).B; (process as any).env['C']",
            &["A:1?", "B:1?", "C:1?"],
        ),
    ]);
}

#[test]
fn rust_reads_are_found_or_reported() {
    check(&[
        (
            "x.rs",
            "use std::env::var; use std::env;\nfn f() { names.map(env::var); g(std::env::vars) }",
            &["@2 env::var", "@2 std::env::vars"],
        ),
        (
            "x.rs",
            "fn f() { env!(\"A\"); option_env!(\"B\"); std::env::var(\"C\"); }",
            &["A:1 build", "B:1? build", "C:1?"],
        ),
        (
            "x.rs",
            "fn f() { for (k, v) in std::env::vars() {} println!(\"{}\", env::var(&format!(\"x\"))); }",
            &["@1 (&format!(\"x\"))", "@1 std::env::vars()"],
        ),
        (
            "x.rs",
            "struct A {\n #[arg(long, env)]\n #[serde(default)]\n /// doc\n pub port: u16,\n #[arg(env, default_value_t = 1)]\n n: u8 }",
            &["N:7=", "PORT:5?"],
        ),
        (
            "x.rs",
            "struct A {\n #[clap(long, env = NAME)]\n a: u16,\n #[arg(env = r\"B\")]\n b: u8 }\nconst NAME: &str = \"A\";",
            &["A:2?", "B:4?"],
        ),
        ("x.rs", "struct A {\n #[arg(env = OTHER)]\n a: u16 }", &["@2 OTHER"]),
        (
            "x.rs",
            "fn f() { Arg::new(\"x\").env(\"A\"); Command::new(\"x\").env(\"NO\", \"1\"); Arg::new(\"x\").env(name) }",
            &["A:1?", "@1 name"],
        ),
        ("x.rs", "struct C {\n #[envconfig(from = \"A\", default = \"x\")]\n a: u8 }", &["A:2="]),
        (
            "x.rs",
            "fn f() { envy::from_env::<C>(); envy::prefixed(\"A_\"); Figment::new().merge(Env::raw()) }",
            &["@1 Env::raw()", "@1 envy::from_env::<C>()", "@1 envy::prefixed(\"A_\")"],
        ),
        (
            "x.rs",
            "fn f() { config::Environment::default(); env_logger::init(); }",
            &["RUST_LOG:1?", "RUST_LOG_STYLE:1?", "@1 config::Environment::default()"],
        ),
    ]);
}
