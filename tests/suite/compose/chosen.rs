//! The ways in which Compose gets the files of a project: named ones, the default ones, those of `COMPOSE_FILE`. The
//! contents of the files belong in the parent module.

use proptest::prelude::*;

use super::Project;

/// The way in which Compose gets the files of a project.
#[derive(Debug, Clone, Copy)]
pub(super) enum Chosen {
    /// They are named on the command line.
    Named,
    /// The default file and its override.
    Default,
    /// `COMPOSE_FILE` in the `.env` of a directory, with a separator.
    Variable(&'static str, &'static str),
}

pub(super) fn chosen() -> impl Strategy<Value = Chosen> {
    let ways = [Chosen::Named, Chosen::Named, Chosen::Default];
    let variables = [("p", ":"), ("p", ","), ("s", ":"), ("s", "--")];
    let variables = variables.into_iter().map(|(start, separator)| Chosen::Variable(start, separator));
    prop::sample::select(ways.into_iter().chain(variables).collect::<Vec<_>>())
}

/// Lets Compose find the files of a project itself; without an override file, `COMPOSE_FILE` leaves one out.
pub(super) fn choose(mut project: Project, way: Chosen) -> Project {
    const OVER: &str = "o/over.yaml";
    let unread = "services: {web: {environment: {UNREAD: x}}, other: {image: x}}\n";
    match way {
        Chosen::Named => return project,
        Chosen::Default => {
            project.start = Some("p");
            project.files.insert("p/prod.yaml".to_owned(), unread.to_owned());
            if let Some(over) = project.files.remove(OVER) {
                project.files.insert("p/compose.override.yaml".to_owned(), over);
            }
        }
        Chosen::Variable(start, separator) => {
            project.start = Some(start);
            project.files.insert("p/compose.override.yaml".to_owned(), unread.to_owned());
            let named: Vec<String> = project.named.iter().map(|path| format!("../{path}")).collect();
            let mut lines = format!("COMPOSE_FILE={}\n", named.join(separator));
            if separator != ":" {
                lines.push_str(&format!("COMPOSE_PATH_SEPARATOR={separator}\n"));
            }
            if start != "p" {
                lines.push_str("B=of-start\nK=$A\n");
            }
            let env = project.files.entry(format!("{start}/.env")).or_default();
            *env = format!("{lines}{env}");
        }
    }
    project
}
