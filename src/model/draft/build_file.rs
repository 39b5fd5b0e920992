//! Facts about an image from its Dockerfile: the ports, command and health check of its last stage. Variables
//! of the build are the scan's.

use std::collections::BTreeMap;

use crate::model::scan::{build_pairs, expand_build_values, instructions_of};

/// Maximum number of ports of one image.
const PORTS: usize = 20;

/// Facts about an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildFileFacts {
    /// The base image of the last stage.
    pub base: String,
    /// Exposed ports of TCP.
    pub ports: Vec<u16>,
    /// The command, if the image has no entry point.
    pub command: Vec<String>,
    /// The image has a command or an entry point of its own.
    pub has_command: bool,
    /// The directory to which the last stage copies the whole context.
    pub workdir: Option<String>,
    /// The working directory so far.
    directory: String,
    /// The path and the port of an HTTP request in the health check.
    pub health: Option<(String, u16)>,
    /// Variables that the image sets.
    pub environment: BTreeMap<String, String>,
}

impl BuildFileFacts {
    /// Reads the facts of the last stage, with what it takes from earlier stages of the file.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut stages: Vec<(String, Self)> = Vec::new();
        let mut arguments: BTreeMap<String, String> = BTreeMap::new();
        let mut entry_point = false;
        for (keyword, rest) in instructions_of(text) {
            let rest = rest.replace("\\\n", " ");
            match keyword.as_str() {
                "FROM" => {
                    let mut words = rest.split_whitespace().filter(|word| !word.starts_with("--"));
                    let base = expand_build_values(words.next().unwrap_or_default(), &arguments);
                    let name = rest.split_whitespace().skip_while(|word| !word.eq_ignore_ascii_case("as"));
                    let name = name.last().unwrap_or_default().to_owned();
                    let earlier = stages.iter().find(|(known, _)| !known.is_empty() && *known == base);
                    let facts =
                        earlier.map_or_else(|| Self { base, ..Self::default() }, |(_, one)| one.clone());
                    entry_point = false;
                    stages.push((name, facts));
                }
                "ARG" => {
                    for (name, value) in build_pairs(&rest) {
                        arguments.entry(name).or_insert(value);
                    }
                }
                _ => {
                    let Some((_, stage)) = stages.last_mut() else { continue };
                    stage.take(&keyword, &rest, &arguments, &mut entry_point);
                }
            }
        }
        stages.pop().map(|(_, facts)| facts).unwrap_or_default()
    }

    /// Returns the port in the variable `PORT` of the image.
    #[must_use]
    pub fn port_variable(&self) -> Option<u16> {
        let (_, port) = self.environment.iter().find(|(name, _)| *name == "PORT")?;
        port.parse().ok().filter(|port| *port > 0)
    }

    /// Notes a copy of the whole context.
    fn copy(&mut self, rest: &str) {
        let words: Vec<&str> = rest.split_whitespace().collect();
        if words.iter().any(|word| word.starts_with("--from")) {
            return;
        }
        let paths: Vec<&str> = words.into_iter().filter(|word| !word.starts_with("--")).collect();
        if let [".", to] | ["./", to] = paths.as_slice() {
            let to = joined(&self.directory, &expand_build_values(to, &self.environment));
            self.workdir = Some(to).filter(|to| to.starts_with('/') && to.len() > 1 && !to.contains('$'));
        }
    }

    fn take(&mut self, keyword: &str, rest: &str, arguments: &BTreeMap<String, String>, entry: &mut bool) {
        match keyword {
            "EXPOSE" => {
                for word in rest.split_whitespace() {
                    let word = expand_build_values(&expand_build_values(word, &self.environment), arguments);
                    let (number, protocol) = word.split_once('/').unwrap_or((&word, "tcp"));
                    if let (Ok(number @ 1..), "tcp") = (number.parse::<u16>(), protocol)
                        && !self.ports.contains(&number)
                        && self.ports.len() < PORTS
                    {
                        self.ports.push(number);
                    }
                }
            }
            "ENV" => self.environment.extend(build_pairs(rest)),
            "ENTRYPOINT" => {
                (*entry, self.has_command) = (true, true);
                self.command.clear();
            }
            "CMD" => {
                self.has_command = true;
                self.command = if *entry { Vec::new() } else { words(rest) };
            }
            "WORKDIR" => {
                self.directory =
                    joined(&self.directory, &expand_build_values(rest.trim(), &self.environment));
            }
            "COPY" | "ADD" => self.copy(rest),
            "HEALTHCHECK" => self.health = request(rest),
            _ => {}
        }
    }
}

/// Returns a path of an image, relative to its working directory.
fn joined(base: &str, path: &str) -> String {
    let path = path.trim_end_matches('/').trim_end_matches("/.");
    match path {
        "" | "." | "./" => base.to_owned(),
        path if path.starts_with('/') => path.to_owned(),
        path => format!("{}/{}", base.trim_end_matches('/'), path.trim_start_matches("./")),
    }
}

/// Returns the words of a command: a list, or a line for the shell.
fn words(rest: &str) -> Vec<String> {
    let rest = rest.trim();
    if let Ok(list) = serde_json::from_str::<Vec<String>>(rest) {
        return list;
    }
    if rest.is_empty() { Vec::new() } else { vec!["sh".to_owned(), "-c".to_owned(), rest.to_owned()] }
}

/// Returns the path and the port of the first request to this machine in a health check.
fn request(text: &str) -> Option<(String, u16)> {
    let at = text.find("http://")?;
    let rest = &text[at + "http://".len()..];
    let end = rest.find(|c: char| c.is_whitespace() || "\"'`)|;".contains(c)).unwrap_or(rest.len());
    let (host, path) = rest[..end].split_once('/').unwrap_or((&rest[..end], ""));
    let (host, port) = host.split_once(':').unwrap_or((host, "80"));
    let is_here = ["localhost", "127.0.0.1", "0.0.0.0"].contains(&host);
    let path = path.split(['?', '#', '$']).next().unwrap_or_default();
    is_here.then(|| Some((format!("/{path}"), port.parse().ok()?))).flatten()
}
