//! The flags that name a merge request, and the project that they mean. What happens to it is the matter of
//! each command.

use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::base::text::command_line;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::error::UsageError;
use crate::cli::marks::Repeated;
use crate::model::inventory::Inventory;
use crate::model::merge_request::MergeRequestName;
use crate::ops::stage::{StageTarget, target};

/// The merge request, by its name and its project.
#[derive(Debug, Args)]
pub(super) struct MergeRequestArgs {
    /// Merge request to test: a number, `GROUP/PROJECT!N`, or the address of its page
    #[arg(value_name = "MR", value_parser = MergeRequestName::parse, required_unless_present = "mr")]
    #[arg(add = ArgValueCandidates::new(complete::merge_requests))]
    merge_request: Option<MergeRequestName>,
    /// Merge request to test
    #[arg(long, value_name = "MR", value_parser = MergeRequestName::parse, conflicts_with = "merge_request")]
    #[arg(add = ArgValueCandidates::new(complete::merge_requests), add = Repeated)]
    mr: Option<MergeRequestName>,
    /// Component (default: from the remotes of the working directory)
    #[arg(long, value_name = "COMPONENT", add = ArgValueCandidates::new(complete::staged), add = Repeated)]
    component: Option<String>,
    /// Project on GitLab (default: that of the component, or of the working directory)
    #[arg(long, value_name = "GROUP/PROJECT", add = Repeated)]
    project: Option<String>,
}

/// The named merge request.
pub(in crate::cli) struct NamedMergeRequest<'a> {
    /// Its number.
    pub(in crate::cli) number: u64,
    /// Its project and component.
    pub(in crate::cli) target: StageTarget<'a>,
    /// The project was named with the number.
    has_project: bool,
    /// The options that named the project.
    options: Vec<String>,
}

impl<'a> NamedMergeRequest<'a> {
    /// Finds the project of a merge request, by its name and the flags about it.
    pub(in crate::cli) fn find(
        name: &MergeRequestName,
        component: Option<&str>,
        project: Option<&str>,
        context: &Context,
        inventory: &'a Inventory,
    ) -> anyhow::Result<Self> {
        let component = component.map(|name| inventory.find(name)).transpose()?;
        let project = project_of(name, project, context)?;
        let target = target(inventory, component, project.as_deref(), &context.host.cwd)?;
        Ok(Self { number: name.number, target, has_project: name.project.is_some(), options: Vec::new() })
    }

    /// Returns a command on the same merge request, with the project if the user named it with the number.
    pub(super) fn command(&self, words: &[&str]) -> String {
        let Self { number, target, has_project, .. } = self;
        let name = if *has_project { format!("{}!{number}", target.project) } else { number.to_string() };
        let words = [words, &["--mr", &name]].concat();
        command_line(&words.into_iter().map(str::to_owned).collect::<Vec<_>>())
    }

    /// Returns a subcommand on the same merge request, with all options that named it.
    pub(super) fn subcommand(&self, words: &[&str]) -> String {
        let command = self.command(words);
        if self.options.is_empty() { command } else { format!("{command} {}", command_line(&self.options)) }
    }
}

impl MergeRequestArgs {
    /// Finds the project of the merge request.
    pub(super) fn resolve<'a>(
        &self,
        context: &Context,
        inventory: &'a Inventory,
    ) -> anyhow::Result<NamedMergeRequest<'a>> {
        let name = self.mr.as_ref().or(self.merge_request.as_ref());
        let name = name.ok_or_else(|| UsageError("name a merge request".to_owned()))?;
        let (component, project) = (self.component.as_deref(), self.project.as_deref());
        let found = NamedMergeRequest::find(name, component, project, context, inventory)?;
        let typed = [("--component", component), ("--project", project)];
        let typed = typed.into_iter().filter_map(|(name, value)| Some([name.to_owned(), value?.to_owned()]));
        Ok(NamedMergeRequest { options: typed.flatten().collect(), ..found })
    }
}

/// Returns the project from the name of the merge request or from `--project`.
fn project_of(
    name: &MergeRequestName,
    project: Option<&str>,
    context: &Context,
) -> Result<Option<String>, UsageError> {
    let url = &context.settings.gitlab_url.0;
    let Some(named) = name.on(url) else {
        let server = name.server.as_deref().unwrap_or_default();
        return Err(UsageError(format!(
            "the merge request is on {server}, and the setting `gitlab.url` names {url}"
        )));
    };
    match (named, project) {
        (Some(named), Some(project)) if named != project => {
            Err(UsageError(format!("the merge request is in `{named}`, and `--project` names `{project}`")))
        }
        (named, project) => Ok(named.or_else(|| project.map(str::to_owned))),
    }
}
