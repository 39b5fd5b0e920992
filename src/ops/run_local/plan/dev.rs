//! Development settings of a component: its sources in the container, the effect of a change to them, and
//! access for a debugger. Applying changes is in `dev_loop`.

use std::path::{Component as Part, Path, PathBuf};

use super::input::PlanInput;
use crate::base::secret::Secret;
use crate::model::container::{CopyIn, Mount};
use crate::model::environment::{EnvOverrides, ValueOrigin};
use crate::model::inventory::{Component, Debugger};
use crate::ops::run_local::error::RunError;
use crate::ops::run_local::request::{Access, RunRequest};
use crate::ops::runtime::start::unit::{Image, PlannedPort, Reload, Unit};
use crate::systems::git::is_within_repository;

/// Plans the development settings of a requested component.
pub(super) fn plan(
    input: &PlanInput<'_>,
    component: &Component,
    unit: &mut Unit,
    warnings: &mut Vec<String>,
) -> Result<(), RunError> {
    let PlanInput { request, native, .. } = *input;
    if let Some(local) = request.debug_port {
        let debugger = debugger(component)?;
        if !unit.ports.contains(&debugger.port) {
            unit.ports.push(debugger.port);
        }
        unit.dev.publish.push(PlannedPort {
            port: debugger.port,
            host: Some(local),
            preferred: local,
            is_asked: true,
        });
        if !debugger.command.is_empty() {
            let usual = unit.command.clone().unwrap_or_default();
            unit.set_command(Some(expand(&debugger.command, &usual)), component);
        }
    }
    if !request.watch && request.mount.is_none() {
        return Ok(());
    }
    let repo = component.repos().first().map(|repo| (*repo).to_owned());
    let repo = repo.ok_or_else(|| RunError::NoSources {
        component: component.name().to_owned(),
        place: component.source_map.place(""),
    })?;
    let clone = input.clone_of(&repo);
    unit.dev.repo = Some(repo.clone());
    if let Some(access) = request.mount.filter(|_| !native) {
        unit.dev.mounts = mounts(component, clone, access)?;
    }
    if request.watch {
        unit.dev.reload = Some(reload(component, clone, native, unit)?);
    }
    if unit.limits.read_only && !unit.dev.copies.is_empty() {
        unit.limits.read_only = false;
        warnings.push(format!(
            "The file system of `{}` can be written in this run, since sources are copied into it; with \
             `--mount` it stays read-only.",
            unit.name
        ));
    }
    Ok(())
}

/// Returns the variables for a debugger; the user's variables override them.
pub(super) fn overrides(request: &RunRequest<'_>, component: &Component) -> Result<EnvOverrides, RunError> {
    let mut overrides = request.overrides.clone();
    if request.debug_port.is_some() {
        let place = component.source_map.place("run.debug.environment");
        let own = debugger(component)?.environment.iter().map(|(name, value)| {
            (name.clone(), Secret::new(value), ValueOrigin::Debugger { place: place.clone() })
        });
        overrides.set = own.chain(overrides.set).collect();
    }
    Ok(overrides)
}

fn debugger(component: &Component) -> Result<&Debugger, RunError> {
    let run = component.run.as_ref();
    run.and_then(|run| run.debug.as_ref()).ok_or_else(|| RunError::NoDebugger {
        component: component.name().to_owned(),
        place: component.source_map.place("run"),
    })
}

/// Returns a command, with the usual command in place of its placeholder.
fn expand(command: &[String], usual: &[String]) -> Vec<String> {
    let expanded = command.iter().flat_map(|word| match word.as_str() {
        "{command}" => usual.to_vec(),
        _ => vec![word.clone()],
    });
    expanded.collect()
}

fn mounts(component: &Component, clone: &Path, access: Access) -> Result<Vec<Mount>, RunError> {
    let run = component.run.clone().unwrap_or_default();
    let mut wanted: Vec<(String, String)> = run.mount.into_iter().collect();
    if wanted.is_empty() {
        wanted.extend(run.workdir.map(|workdir| (".".to_owned(), workdir)));
    }
    if wanted.is_empty() {
        let (component, place) = (component.name().to_owned(), component.source_map.place("run"));
        return Err(RunError::NoMount { component, place });
    }
    let place = || component.source_map.place("run.mount");
    wanted
        .into_iter()
        .map(|(from, to)| {
            let writable = access == Access::Writable;
            Ok(Mount { from: inside(clone, &from, place)?, to: absolute(to, place)?, writable })
        })
        .collect()
}

fn reload(component: &Component, clone: &Path, native: bool, unit: &mut Unit) -> Result<Reload, RunError> {
    let root = clone.to_path_buf();
    if native || !unit.dev.mounts.is_empty() {
        return Ok(Reload { root, rebuild: false, restart: true });
    }
    let build = unit.dev.build.as_ref().filter(|_| matches!(unit.image, Image::Built(_)));
    let root = build.map_or(root, |build| build.context.clone());
    let rebuild = build.is_some();
    let Some(watch) = component.run.as_ref().and_then(|run| run.watch.as_ref()) else {
        return match rebuild {
            true => Ok(Reload { root, rebuild, restart: true }),
            false => Err(RunError::NothingToWatch {
                component: component.name().to_owned(),
                place: component.source_map.place("run"),
            }),
        };
    };
    let place = || component.source_map.place("run.watch");
    for synced in &watch.sync {
        let from = inside(clone, &synced.from, place)?;
        unit.dev.copies.push(CopyIn { from, to: absolute(synced.to.clone(), place)? });
    }
    // A build from one part of the repository may copy from another.
    let root =
        if unit.dev.copies.iter().all(|one| one.from.starts_with(&root)) { root } else { clone.into() };
    Ok(Reload { root, rebuild, restart: watch.restart })
}

/// Returns a path in a repository's files. The `.git` directory is not part of them: a program that
/// writes there decides what the user's next `git` command runs, and one that reads there sees the
/// branches of other people.
fn inside(clone: &Path, path: &str, place: impl Fn() -> String) -> Result<PathBuf, RunError> {
    if is_within_repository(Path::new(path)) {
        return Err(RunError::GitDirectory { place: place(), path: path.to_owned() });
    }
    let plain = Path::new(path).components().all(|part| matches!(part, Part::Normal(_) | Part::CurDir));
    if !plain || path.is_empty() {
        return Err(RunError::Outside { place: place(), path: path.to_owned() });
    }
    let parts = Path::new(path).components().filter(|part| *part != Part::CurDir);
    Ok(parts.fold(clone.to_path_buf(), |path, part| path.join(part)))
}

/// Returns an absolute path in a container; refuses its root.
fn absolute(path: String, place: impl Fn() -> String) -> Result<String, RunError> {
    let mut parts = Path::new(&path).components();
    let plain = parts.next() == Some(Part::RootDir)
        && parts.clone().next().is_some()
        && parts.all(|part| matches!(part, Part::Normal(_)));
    if plain { Ok(path) } else { Err(RunError::NotAbsolute { place: place(), path }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dev_paths_stay_inside_clone() {
        let place = || "i.yaml:1".to_owned();
        let inside = |path: &str| inside(Path::new("/w/c"), path, place);
        assert_eq!(inside(".").ok(), Some("/w/c".into()));
        assert_eq!(inside("./a/./b").ok(), Some("/w/c/a/b".into()));
        for wrong in ["..", "a/../..", "/etc", "", ".git", "./.git/hooks", "sub/.GIT"] {
            assert!(inside(wrong).is_err(), "{wrong}");
        }
        assert!(absolute("/code".into(), place).is_ok());
        for wrong in ["code", "/", "", "/a/../b"] {
            assert!(absolute(wrong.into(), place).is_err(), "{wrong}");
        }
    }

    #[test]
    fn debugger_command_expands_usual_command() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            expand(&words("dbg --listen {command} end"), &words("app run")),
            words("dbg --listen app run end")
        );
    }
}
