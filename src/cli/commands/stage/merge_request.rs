//! The flags that name a merge request, and the project that they mean. What happens to it is the matter of
//! each command.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap_complete::ArgValueCandidates;

use crate::base::text::command_line;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::error::UsageError;
use crate::cli::marks::Repeated;
use crate::model::inventory::{Component, Inventory, StageDecl, StageVia};
use crate::model::merge_request::{MergeRequestName, NoMergeRequest};
use crate::ops::stage::{StageTarget, of_project, target};

/// The project of a merge request.
#[derive(Debug, Args)]
pub(super) struct ProjectArgs {
    /// Component (default: from the remotes of the working directory)
    #[arg(long, value_name = "COMPONENT", add = ArgValueCandidates::new(complete::staged), add = Repeated)]
    component: Option<String>,
    /// Project on GitLab (default: that of the component, or of the working directory)
    #[arg(long, value_name = "GROUP/PROJECT", add = Repeated)]
    project: Option<String>,
}

/// The merge request, by its name and its project.
#[derive(Debug, Args)]
pub(super) struct MergeRequestArgs {
    /// Merge request to test: a number, `COMPONENT!N`, `GROUP/PROJECT!N`, or the address of its page
    #[arg(value_name = "MR", value_parser = MergeRequestName::parse, required_unless_present = "mr")]
    #[arg(add = ArgValueCandidates::new(complete::merge_requests))]
    merge_request: Option<MergeRequestName>,
    /// Merge request to test
    #[arg(long, value_name = "MR", value_parser = MergeRequestName::parse, conflicts_with = "merge_request")]
    #[arg(add = ArgValueCandidates::new(complete::merge_requests), add = Repeated)]
    mr: Option<MergeRequestName>,
    #[command(flatten)]
    project: ProjectArgs,
    /// Method by which it was staged (default: that of the entry, else `bot`)
    #[arg(long, value_name = "METHOD", value_parser = via(), add = Repeated)]
    via: Option<StageVia>,
}

/// Returns the parser of a method.
pub(super) fn via() -> impl TypedValueParser<Value = StageVia> {
    let words = PossibleValuesParser::new(StageVia::ALL.map(StageVia::as_str));
    words.map(|word| StageVia::parse(&word).unwrap_or_default())
}

/// The merge requests that are staged together.
#[derive(Debug, Args)]
pub(super) struct CombinedArgs {
    /// Component, or the merge request to test: a number, `COMPONENT!N`, `GROUP/PROJECT!N`, or the address of its page
    #[arg(value_name = "MR", value_parser = StageSubject::parse, required_unless_present = "mr")]
    #[arg(add = ArgValueCandidates::new(complete::stage_subjects))]
    subject: Option<StageSubject>,
    /// Merge request to test; further ones of other components are staged together with it
    #[arg(long, value_name = "MR", value_parser = MergeRequestName::parse)]
    #[arg(add = ArgValueCandidates::new(complete::merge_requests), add = Repeated)]
    mr: Vec<MergeRequestName>,
    #[command(flatten)]
    project: ProjectArgs,
}

/// The word after `cki stage`.
#[derive(Debug, Clone)]
enum StageSubject {
    /// A merge request.
    MergeRequest(MergeRequestName),
    /// A component, whose merge request another option names.
    Component(String),
}

impl StageSubject {
    fn parse(text: &str) -> Result<Self, NoMergeRequest> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
        match MergeRequestName::parse(text) {
            Ok(name) => Ok(Self::MergeRequest(name)),
            // A number that is none of a merge request is no name either.
            Err(_) if text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(is_name) => {
                Ok(Self::Component(text.to_owned()))
            }
            Err(error) => Err(error),
        }
    }
}

/// The named merge request.
pub(in crate::cli) struct NamedMergeRequest<'a> {
    /// Its number.
    pub(in crate::cli) number: u64,
    /// Its project and component.
    pub(in crate::cli) target: StageTarget<'a>,
    /// Its name in commands.
    name: String,
    /// The options that named the project.
    options: Vec<String>,
    /// The option that names the method.
    via: Option<StageVia>,
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
        let component = match (name.component.as_deref(), component) {
            (Some(named), Some(other)) if named != other => {
                return Err(UsageError(format!(
                    "the merge request is of `{named}`, and the command names `{other}`"
                ))
                .into());
            }
            (named, other) => named.or(other),
        };
        let component = component.map(|name| inventory.find(name)).transpose()?;
        let project = project_of(name, project, context)?;
        let target = target(inventory, component, project.as_deref(), &context.host.cwd)?;
        let number = name.number;
        let name = match (&name.component, &name.project) {
            (Some(component), _) => format!("{component}!{number}"),
            (None, Some(_)) => format!("{}!{number}", target.project),
            (None, None) => number.to_string(),
        };
        Ok(Self { number, target, name, options: Vec::new(), via: None })
    }

    /// Returns a command on the same merge request, with the project if the user named it with the number.
    pub(super) fn command(&self, words: &[&str]) -> String {
        let words = [words, &["--mr", &self.name]].concat();
        command_line(&words.into_iter().map(str::to_owned).collect::<Vec<_>>())
    }

    /// Returns a subcommand on the same merge request, with all options that named it.
    pub(super) fn subcommand(&self, words: &[&str]) -> String {
        let command = self.command(words);
        if self.options.is_empty() { command } else { format!("{command} {}", command_line(&self.options)) }
    }

    /// Returns a subcommand of `cki stage` on the same merge request and its method.
    pub(super) fn stage_subcommand(&self, words: &[&str]) -> String {
        match self.via {
            Some(via) => self.subcommand(&[words, &["--via", via.as_str()]].concat()),
            None => self.subcommand(words),
        }
    }

    /// Returns the method by which it was staged.
    pub(super) fn via(&self) -> StageVia {
        self.via.or_else(|| self.target.entry().map(StageDecl::via)).unwrap_or_default()
    }

    /// Returns the same merge request, staged by a method.
    pub(super) fn with_via(self, via: Option<StageVia>) -> Self {
        Self { via, ..self }
    }

    /// Returns `group/project!N`.
    pub(super) fn reference(&self) -> String {
        format!("{}!{}", self.target.project, self.number)
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
        Ok(self.project.resolve(name, None, context, inventory)?.with_via(self.via))
    }
}

impl ProjectArgs {
    /// Finds the project of a merge request. `component` stands for `--component`.
    fn resolve<'a>(
        &self,
        name: &MergeRequestName,
        component: Option<&str>,
        context: &Context,
        inventory: &'a Inventory,
    ) -> anyhow::Result<NamedMergeRequest<'a>> {
        let (component, project) = (component.or(self.component.as_deref()), self.project.as_deref());
        let found = NamedMergeRequest::find(name, component, project, context, inventory)?;
        let typed = [("--component", component), ("--project", project)];
        let typed = typed.into_iter().filter_map(|(name, value)| Some([name.to_owned(), value?.to_owned()]));
        Ok(NamedMergeRequest { options: typed.flatten().collect(), ..found })
    }
}

/// Merge requests that are staged together.
pub(super) struct NamedMergeRequests<'a> {
    /// The first one, whose component decides how they are staged.
    pub(super) first: NamedMergeRequest<'a>,
    /// The others.
    pub(super) others: Vec<NamedMergeRequest<'a>>,
}

impl NamedMergeRequests<'_> {
    /// Returns a command on all of them, with the options that named the first one.
    pub(super) fn subcommand(&self, words: &[&str]) -> String {
        let others = self.others.iter().flat_map(|one| ["--mr".to_owned(), one.name.clone()]);
        let more: Vec<String> = others.chain(self.first.options.iter().cloned()).collect();
        let command = self.first.command(words);
        if more.is_empty() { command } else { format!("{command} {}", command_line(&more)) }
    }
}

impl CombinedArgs {
    /// Returns the component that was named instead of a merge request.
    pub(super) fn component(&self) -> Option<&str> {
        match &self.subject {
            Some(StageSubject::Component(name)) => Some(name),
            _ => None,
        }
    }

    /// Finds the projects of the merge requests. Of the components of a project, `is_preferred` chooses one.
    pub(super) fn resolve<'a>(
        &self,
        context: &Context,
        inventory: &'a Inventory,
        is_preferred: impl Fn(&StageTarget<'_>, &Component) -> bool,
    ) -> anyhow::Result<NamedMergeRequests<'a>> {
        let (component, name) = match &self.subject {
            Some(StageSubject::Component(name)) => (Some(name.as_str()), None),
            Some(StageSubject::MergeRequest(name)) => (None, Some(name)),
            None => (None, None),
        };
        if let (Some(name), Some(other)) = (component, &self.project.component)
            && name != other
        {
            let message = format!("the command names `{name}`, and `--component` names `{other}`");
            return Err(UsageError(message).into());
        }
        let mut names = name.into_iter().chain(&self.mr);
        let first = names.next().ok_or_else(|| {
            UsageError("name a merge request with `--mr`; a number or `COMPONENT!N` is one".to_owned())
        })?;
        let first = self.project.resolve(first, component, context, inventory)?;
        let mut others = Vec::new();
        for name in names {
            let mut other = match (&name.component, &name.project) {
                // Without a name of its own, it is one of the same project.
                (None, None) => {
                    let project = Some(first.target.project.as_str());
                    NamedMergeRequest::find(name, None, project, context, inventory)?
                }
                _ => NamedMergeRequest::find(name, None, None, context, inventory)?,
            };
            if name.component.is_none() {
                let mut all = of_project(inventory, &other.target.project);
                let preferred = all.find(|one| is_preferred(&first.target, one));
                other.target.component = preferred.or(other.target.component);
            }
            let server = |one: &NamedMergeRequest<'_>| {
                one.target.server_for(&context.settings.gitlab_url).trim_end_matches('/').to_owned()
            };
            if server(&first) != server(&other) {
                let message = format!(
                    "`{}` is on {}, and `{}` is on {}; only merge requests of one server can be combined",
                    other.reference(),
                    server(&other),
                    first.reference(),
                    server(&first)
                );
                return Err(UsageError(message).into());
            }
            others.push(other);
        }
        Ok(NamedMergeRequests { first, others })
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
