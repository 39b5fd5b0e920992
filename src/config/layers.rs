//! The layers of settings. The files behind two of them are read in `file`; types and names of settings are in
//! `keys`.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::error::ConfigError;
use super::keys::{KEYS, Key, SettingKind};
use super::project::{self, FILE, ProjectFile};
use super::value::{SettingOrigin, SettingValue};
use crate::base::file_snapshot::FileSnapshot;
use crate::base::text;
use crate::host::Env;
use crate::model::inventory::{InventorySource, InventorySources, shown_source};

/// All settings that have a value in some layer.
#[derive(Debug, Clone, Default)]
pub struct Config {
    pub(super) values: BTreeMap<&'static str, SettingValue>,
    /// Warnings to print, such as unknown keys.
    pub warnings: Vec<String>,
    /// Files that were read.
    pub files: Vec<PathBuf>,
    /// The project's file, if one counts.
    pub project: Option<PathBuf>,
    /// Server that the project's file names, even if another layer overrides it.
    pub(super) project_server: Option<String>,
    /// Servers that the user names.
    pub(super) own_servers: Vec<String>,
    /// Content of the project's file.
    pub(super) project_content: Option<Vec<u8>>,
    /// The files of the project that decide something, each read once.
    snapshot: FileSnapshot,
}

impl Config {
    /// Reads the layers. `flags` are settings with their values, and the flags that gave them.
    ///
    /// # Errors
    /// Fails if a file cannot be read or parsed, or a value is invalid.
    pub fn load(
        env: &Env,
        cwd: &Path,
        flags: impl IntoIterator<Item = (&'static str, OsString, String)>,
    ) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        let user = env.config_directory().map(|directory| directory.join(FILE));
        if let Some(file) = &user {
            config.read_file(file, false)?;
        }
        config.read_project(env, cwd)?;
        for key in KEYS {
            let variable = key.variable();
            if let Some(value) = env.get_os(&variable) {
                config.set(key, value, SettingOrigin::Environment(variable.clone()), &variable, cwd)?;
            }
        }
        config.warn_of_variables(env);
        let mut config = config.with_flags(cwd, flags)?;
        config.warn_of_certificates();
        config.keep_files(env);
        Ok(config)
    }

    /// Reads the project's file of a directory, as if no other layer overrode it.
    ///
    /// # Errors
    /// Fails if the file cannot be read or parsed, or makes a setting that a project may not make.
    pub fn of_project(env: &Env, directory: &Path) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        config.read_project(env, directory)?;
        config.keep_files(env);
        Ok(config)
    }

    /// Reads the flags alone, for use when the files cannot be read.
    ///
    /// # Errors
    /// Fails if a value is invalid.
    pub fn of_flags(
        cwd: &Path,
        flags: impl IntoIterator<Item = (&'static str, OsString, String)>,
    ) -> Result<Self, ConfigError> {
        Self::default().with_flags(cwd, flags)
    }

    /// Checks the text of a user's file.
    ///
    /// # Errors
    /// Fails if it cannot be parsed, or a value is invalid.
    pub fn check_text(text: &str, file: &Path) -> Result<Vec<String>, ConfigError> {
        let mut config = Self::default();
        config.read_content(text, file, false)?;
        Ok(config.warnings)
    }

    fn with_flags(
        mut self,
        cwd: &Path,
        flags: impl IntoIterator<Item = (&'static str, OsString, String)>,
    ) -> Result<Self, ConfigError> {
        for (name, text, flag) in flags {
            if let Some(key) = KEYS.iter().find(|key| key.name == name) {
                self.set(key, &text, SettingOrigin::Flag(flag.clone()), &flag, cwd)?;
            }
        }
        Ok(self)
    }

    /// Returns the value of a setting, or its compiled-in default; `None` without either.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<SettingValue> {
        self.values.get(name).cloned().or_else(|| {
            let key = KEYS.iter().find(|key| key.name == name && !key.default.is_empty())?;
            let (text, sources) = (key.default.to_owned(), Vec::new());
            Some(SettingValue { text, path: None, sources, origin: SettingOrigin::Default })
        })
    }

    /// Returns the reader of the project's files that decide something: what the user trusts is what takes effect.
    #[must_use]
    pub fn snapshot(&self) -> &FileSnapshot {
        &self.snapshot
    }

    fn keep_files(&mut self, env: &Env) {
        let Some((file, content)) = self.project.clone().zip(self.project_content.take()) else { return };
        let copies = env.cache_directory().as_deref().map(InventorySources::copies_in);
        let named = self.project_decisions().flat_map(|(_, value)| {
            let sources = value.sources.iter().filter_map(|source| match source {
                InventorySource::BuiltIn => None,
                InventorySource::Path(path) => Some(path.clone()),
                InventorySource::Git(source) => Some(copies.as_ref()?.join(source.copy_record())),
            });
            value.path.iter().cloned().chain(sources).collect::<Vec<_>>()
        });
        let roots = named.chain([file.clone()]).collect();
        self.snapshot = FileSnapshot::of(roots, [(file, content)]);
    }

    /// Returns the settings of the project's file that decide what runs, is sent or is written, except for
    /// those that a higher layer overrides.
    pub fn project_decisions(&self) -> impl Iterator<Item = (&'static Key, &SettingValue)> {
        KEYS.iter().filter(|key| key.decisive).filter_map(|key| {
            let value = self.values.get(key.name)?;
            matches!(value.origin, SettingOrigin::Project { .. }).then_some((key, value))
        })
    }

    /// Rejects settings that a project's file may not make even in a trusted directory, because of its
    /// other settings or of its path.
    fn check_project(&self, file: &Path) -> Result<(), ConfigError> {
        let of_project = |name: &str| {
            self.values.get(name).filter(|value| matches!(value.origin, SettingOrigin::Project { .. }))
        };
        let refuse = |key: &str, value: &SettingValue, why: &str| {
            let (key, place, why) = (key.to_owned(), value.origin.to_string(), why.to_owned());
            Err(ConfigError::Personal { key, place, why })
        };
        if let Some(value) = of_project("ca_file").filter(|_| of_project("gitlab.url").is_none()) {
            return refuse("ca_file", value, " without `gitlab.url`");
        }
        let directory = file.parent().unwrap_or(Path::new("/"));
        match of_project("workspace") {
            Some(value) if value.path.as_deref().is_some_and(|path| !project::is_inside(path, directory)) => {
                refuse("workspace", value, " to a place outside its own directory")
            }
            _ => Ok(()),
        }
    }

    fn read_project(&mut self, env: &Env, cwd: &Path) -> Result<(), ConfigError> {
        let user = env.config_directory().map(|directory| directory.join(FILE));
        match project::find(cwd, user.as_deref()) {
            Some(ProjectFile::Found(file)) => {
                self.read_file(&file, true)?;
                self.check_project(&file)?;
                self.project = Some(file);
            }
            Some(ProjectFile::Ignored(warning)) => self.warnings.push(warning),
            None => {}
        }
        Ok(())
    }

    pub(super) fn set(
        &mut self,
        key: &'static Key,
        value: &OsStr,
        origin: SettingOrigin,
        place: &str,
        directory: &Path,
    ) -> Result<(), ConfigError> {
        let wrong = |why: String| {
            let shown = value.to_string_lossy();
            let value = match key.kind {
                _ if key.secret => "…".to_owned(),
                SettingKind::Sources => text::safe_line(&shown_source(&shown)).into_owned(),
                _ => text::safe_line(&shown).into_owned(),
            };
            ConfigError::SettingValue { key: key.name.to_owned(), value, place: place.to_owned(), why }
        };
        if key.kind == SettingKind::Path {
            let path = (!value.is_empty()).then(|| directory.join(value));
            let text = path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
            self.values.insert(key.name, SettingValue { text, path, sources: Vec::new(), origin });
            return Ok(());
        }
        if key.kind == SettingKind::Sources {
            // Each flag is one source, and all of them together replace a setting.
            let is_flag = matches!(origin, SettingOrigin::Flag(_));
            let added = match is_flag {
                true => InventorySource::parse(value, directory).map(|source| vec![source]),
                false => InventorySource::parse_list(value, directory),
            };
            let added = added.map_err(wrong)?;
            let before = self.values.remove(key.name).filter(|before| is_flag && before.origin == origin);
            let sources = before.into_iter().flat_map(|before| before.sources).chain(added).collect();
            return self.set_sources(key, sources, origin, place);
        }
        let value = value.to_str().ok_or_else(|| wrong("it is text in UTF-8".to_owned()))?;
        let text = key.kind.read(value).map_err(wrong)?;
        if matches!(origin, SettingOrigin::Project { .. }) && key.personal_values.contains(&text.as_str()) {
            let (key, place) = (key.name.to_owned(), place.to_owned());
            return Err(ConfigError::Personal { key, place, why: format!(" to `{text}`") });
        }
        match (key.name, &origin) {
            ("gitlab.url", SettingOrigin::Project { .. }) => self.project_server = Some(text.clone()),
            ("gitlab.url", _) => self.own_servers.push(text.clone()),
            _ => {}
        }
        self.values.insert(key.name, SettingValue { text, path: None, sources: Vec::new(), origin });
        Ok(())
    }

    /// Sets the sources of an inventory.
    pub(super) fn set_sources(
        &mut self,
        key: &'static Key,
        sources: Vec<InventorySource>,
        origin: SettingOrigin,
        place: &str,
    ) -> Result<(), ConfigError> {
        let twice = sources.iter().enumerate().find(|(at, source)| sources[..*at].contains(source));
        if let Some((_, source)) = twice {
            let (key, value) = (key.name.to_owned(), text::safe_line(&source.to_string()).into_owned());
            let why = "it is in the list twice".to_owned();
            return Err(ConfigError::SettingValue { key, value, place: place.to_owned(), why });
        }
        let text = sources.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        self.values.insert(key.name, SettingValue { text, path: None, sources, origin });
        Ok(())
    }

    /// Warns of unknown variables with our prefix, which are likely mistyped, except for those of tests and
    /// completion.
    fn warn_of_variables(&mut self, env: &Env) {
        let known: Vec<String> = KEYS.iter().map(Key::variable).collect();
        let names: Vec<&str> = env.iter().filter_map(|(name, _)| name.to_str()).collect();
        for name in names.into_iter().filter(|n| n.starts_with("CKI_") && !n.starts_with("CKI_TEST_")) {
            // A component of the CKI group reads variables with the same prefix; only near misses count.
            let nearest = text::nearest(name, known.iter().map(String::as_str));
            let is_near = nearest.first().is_some_and(|near| strsim::levenshtein(near, name) <= 2);
            if is_near && !known.iter().any(|k| k == name) {
                self.warnings.push(format!("There is no setting `{name}`. Did you mean `{}`?", nearest[0]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn load(user: &str, project: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let home = directory.path().join("home");
        let deep = directory.path().join("project/a/b");
        std::fs::create_dir_all(home.join("cki")).expect("makes");
        std::fs::create_dir_all(&deep).expect("makes");
        std::fs::write(home.join("cki/cki.toml"), user).expect("writes");
        std::fs::write(directory.path().join("project/cki.toml"), project).expect("writes");
        let home = home.display().to_string();
        let pairs = env.iter().copied().chain([("XDG_CONFIG_HOME", home.as_str())]);
        Config::load(&Env::new(pairs), &deep, [("jobs", "3".into(), "-j".to_owned())])
    }

    #[test]
    fn config_prefers_higher_layers_and_records_origins() {
        let config = load(
            "engine = \"podman\"\njobs = 2\n[stage]\nbot = \"me\"\n",
            "\nengine = \"docker\"\ninventory = \"inv\"\n",
            &[("CKI_COLOR", "never")],
        )
        .expect("loads");
        let of = |name: &str| config.get(name).expect("has a value");
        assert_eq!(of("engine").text, "docker");
        assert!(of("engine").origin.to_string().ends_with("project/cki.toml:2"));
        assert!(of("inventory").text.ends_with("project/inv"));
        assert_eq!((of("jobs").text.as_str(), of("jobs").origin.to_string().as_str()), ("3", "-j"));
        assert_eq!(of("stage.bot").text, "me");
        assert_eq!(of("color").origin, SettingOrigin::Environment("CKI_COLOR".into()));
        assert_eq!(of("output").origin, SettingOrigin::Default);
    }

    #[test]
    fn config_reports_location_of_invalid_settings() {
        let config = load("enginee = \"x\"\n", "", &[("CKI_INVENTROY", "x")]).expect("loads");
        assert!(
            config.warnings[0]
                .ends_with("home/cki/cki.toml:1:1: there is no setting `enginee`. Did you mean `engine`?")
        );
        assert_eq!(config.warnings[1], "There is no setting `CKI_INVENTROY`. Did you mean `CKI_INVENTORY`?");
        let error = load("", "engine = \"lxc\"\n", &[]).expect_err("is no engine").to_string();
        assert!(
            error.ends_with(
                "cki.toml:1:10: `engine` cannot be `lxc`: it is one of auto, docker, podman, native"
            ),
            "{error}"
        );
        let error = load("a = [", "", &[]).expect_err("is no TOML").to_string();
        assert!(error.contains("cki.toml:1:"), "{error}");
        assert!(matches!(
            load("", "[gitlab]\ntoken_command = \"x\"\n", &[]),
            Err(ConfigError::Personal { .. })
        ));
    }

    /// Generates lines of a file: allowed and forbidden settings, and invalid lines.
    fn lines() -> impl Strategy<Value = String> {
        const VALUES: &[&str] = &[
            "'native'",
            "'../..'",
            "'inside'",
            "'/'",
            "1",
            "true",
            "'yes'",
            "''",
            "[1]",
            "{ url = 'x' }",
            "\"\\u0000\"",
            "2026-01-01",
            "'https://h'",
            "\"a\nb\"",
            "1e400",
        ];
        let name = prop_oneof![
            4 => prop::sample::select(KEYS.iter().map(|key| key.name).collect::<Vec<_>>()).boxed(),
            1 => prop::sample::select(vec!["gitlab", "stage", "'gitlab'.\"url\"", "x", "gitlab.x.y", ""]).boxed(),
        ];
        let line = (name, prop::sample::select(VALUES), "[=.\\[\\]{}#'\" \n]{0,2}")
            .prop_map(|(name, value, rest)| format!("{name} = {value}{rest}"));
        prop::collection::vec(line, 0..6).prop_map(|lines| lines.join("\n"))
    }

    proptest! {
        #[test]
        fn project_config_never_sets_personal_settings(project in lines(), any in "[ -~\n]{0,40}") {
            for text in [&project, &any] {
                let config = match load("", text, &[]) {
                    Ok(config) => config,
                    Err(error) => {
                        let shown = error.to_string();
                        let (_, place) = shown.split_once("project/cki.toml:").ok_or_else(|| TestCaseError::fail(shown.clone()))?;
                        let line: usize = place.split(':').next().and_then(|line| line.parse().ok()).unwrap_or_default();
                        prop_assert!((1..=text.split('\n').count()).contains(&line), "{}\n{}", shown, text);
                        continue;
                    }
                };
                for (name, value) in &config.values {
                    let key = KEYS.iter().find(|key| key.name == *name).expect("is a setting");
                    let of_project = matches!(value.origin, SettingOrigin::Project { .. });
                    prop_assert!(!of_project || !key.personal, "{} of\n{}", name, text);
                    prop_assert!(!of_project || (*name, value.text.as_str()) != ("engine", "native"), "{}", text);
                    if let (true, "workspace", Some(path)) = (of_project, *name, &value.path) {
                        prop_assert!(path.starts_with(config.project.as_deref().and_then(Path::parent).expect("has one")));
                    }
                }
            }
        }
    }
}
