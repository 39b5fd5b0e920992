//! The commands with which the inventory and the deployment start a component: they read variables, too, though they
//! are in no source.

use crate::model::deployment::expansion::Segment;
use crate::model::deployment::{DeployedContainer, EnvVarSource};
use crate::model::inventory::Component;
use crate::model::probe::ReadinessProbe;

/// A command, or a value of a deployment.
pub(super) struct StartCommand {
    /// Position: `file:line`.
    pub(super) place: String,
    /// Words of the command; none for a value.
    pub(super) words: Vec<String>,
    /// Variables whose values the deployment puts into it: `$(NAME)`.
    pub(super) references: Vec<String>,
}

/// Returns the commands of an entry, and those of its container with the values that refer to other variables.
pub(super) fn of(component: &Component, deployed: Option<&DeployedContainer>) -> Vec<StartCommand> {
    let mut all = Vec::new();
    let mut add = |place: String, words: Vec<String>| {
        all.push(StartCommand { place, words, references: Vec::new() });
    };
    if let Some(run) = &component.run {
        let place = |part: &str| component.source_map.place(part);
        add(place("run.command"), run.command.clone());
        add(place("run.once"), run.once.clone());
        for (index, words) in run.init.iter().enumerate() {
            add(place(&format!("run.init.{index}")), words.clone());
        }
        if let Some(ReadinessProbe::Exec(words)) = &run.ready {
            add(place("run.ready"), words.clone());
        }
    }
    let Some(container) = deployed else { return all };
    if let Some(ReadinessProbe::Exec(words)) = &container.ready {
        add(container.place.clone(), words.clone());
    }
    let words: Vec<&[Segment]> = container.command.iter().chain(&container.args).map(Vec::as_slice).collect();
    all.push(StartCommand {
        place: container.place.clone(),
        references: words.iter().flat_map(|word| variables(word)).collect(),
        words: words.iter().map(|word| text(word)).collect(),
    });
    for variable in &container.variables {
        if let EnvVarSource::Text(segments) = &variable.value {
            let references = variables(segments).collect();
            all.push(StartCommand { place: variable.place.clone(), words: Vec::new(), references });
        }
    }
    all
}

fn variables(word: &[Segment]) -> impl Iterator<Item = String> {
    word.iter().filter_map(|segment| match segment {
        Segment::Variable(name) => Some(name.clone()),
        Segment::Text(_) => None,
    })
}

/// Returns the text of a word, without what comes from variables.
fn text(word: &[Segment]) -> String {
    let texts = word.iter().map(|segment| match segment {
        Segment::Text(text) => text.as_str(),
        Segment::Variable(_) => "",
    });
    texts.collect()
}
