//! A followed pipeline with all child and downstream pipelines: bounded in depth and number, and safe from circles. One
//! pipeline of it is in `node`.

use std::collections::BTreeSet;

use super::node::TreeNode;
use super::question::Question;
use crate::model::staging::{PipelineCourse, PipelineStatus, pipeline_of_url};
use crate::ops::shared::outside_text::shown;
use crate::systems::gitlab::{Bridge, GitLab, GitLabError};

/// Maximum number of pipelines in a tree.
const MOST: usize = 50;
/// Maximum number of levels below the first pipeline.
const DEEPEST: usize = 5;

/// A pipeline and everything that it triggers.
#[derive(Debug)]
pub(super) struct PipelineTree {
    /// Parents come before their children.
    nodes: Vec<TreeNode>,
    /// Numbers of pipelines are unique on a server.
    known: BTreeSet<u64>,
}

impl PipelineTree {
    pub(super) fn new(project: &str, id: u64, status: PipelineStatus) -> Self {
        Self { nodes: vec![TreeNode::new(project, id, status)], known: BTreeSet::from([id]) }
    }

    /// Returns the first pipeline.
    pub(super) fn root(&self) -> &TreeNode {
        &self.nodes[0]
    }

    /// Returns the pipelines that count: those of repeated trigger jobs do not.
    pub(super) fn current(&self) -> impl Iterator<Item = &TreeNode> {
        self.nodes.iter().filter(|node| node.is_current)
    }

    /// Returns whether all pipelines have ended. One that cannot be read has ended when the list of trigger jobs above it
    /// says so, or nobody tells any more.
    pub(super) fn is_finished(&self) -> bool {
        self.current().all(TreeNode::is_done) && self.parents_of_unread().is_empty()
    }

    /// Returns the indexes of pipelines whose list of trigger jobs tells the status of one that cannot be read.
    fn parents_of_unread(&self) -> BTreeSet<usize> {
        let waiting = self.nodes.iter().filter(|node| node.waits_for_trigger());
        waiting
            .filter_map(|node| node.parent)
            .filter(|parent| self.nodes[*parent].tells_of_children())
            .collect()
    }

    /// Polls each unfinished pipeline with one request; returns whether something has changed.
    pub(super) async fn look(&mut self, gitlab: &GitLab) -> Result<bool, GitLabError> {
        let mut changed = false;
        let telling = self.parents_of_unread();
        // New pipelines are asked from the next poll on.
        for at in 0..self.nodes.len() {
            let node = &mut self.nodes[at];
            if !node.is_current {
                continue;
            }
            changed |= match node.is_done() {
                false => node.look(gitlab).await?,
                true if telling.contains(&at) => node.ask(gitlab, Question::Bridges).await?,
                true => continue,
            };
            changed |= self.grow(at, gitlab);
        }
        Ok(changed)
    }

    /// Reads everything about each pipeline.
    pub(super) async fn complete(&mut self, gitlab: &GitLab) -> Result<(), GitLabError> {
        let mut at = 0;
        while at < self.nodes.len() {
            for question in Question::ALL {
                let node = &mut self.nodes[at];
                if node.unread.is_none() && !node.is_gone && node.is_current {
                    node.ask(gitlab, question).await?;
                }
            }
            self.grow(at, gitlab);
            at += 1;
        }
        Ok(())
    }

    /// Adds the pipelines that a pipeline has triggered since; returns whether there are new ones.
    fn grow(&mut self, at: usize, gitlab: &GitLab) -> bool {
        let mut bridges: Vec<Bridge> = self.nodes[at].bridges().to_vec();
        bridges.sort_by_key(|job| job.id);
        let named: BTreeSet<u64> =
            bridges.iter().filter_map(|job| Some(job.downstream_pipeline.as_ref()?.id)).collect();
        let mut changed = false;
        for job in &bridges {
            let Some(below) = &job.downstream_pipeline else { continue };
            if let Some(node) = self.nodes.iter_mut().find(|node| node.id == below.id) {
                if node.parent == Some(at) {
                    node.heard(&below.status, &below.web_url);
                }
                continue;
            }
            let level = self.nodes[at].level + 1;
            if self.nodes.len() == MOST || level > DEEPEST {
                self.nodes[at].is_cut = true;
                continue;
            }
            if !self.known.insert(below.id) {
                continue;
            }
            let path = pipeline_of_url(&below.web_url, gitlab.server())
                .filter(|(_, linked)| *linked == below.id)
                .map(|(path, _)| path);
            let number = below.project_id.map(|id| id.to_string());
            let project = path.clone().or(number);
            let mut node =
                TreeNode::new(project.as_deref().unwrap_or_default(), below.id, below.status.clone());
            node.heard(&below.status, &below.web_url);
            if project.is_none() {
                node.unread = Some("the server does not say where it is".to_owned());
            }
            node.path = path;
            node.parent = Some(at);
            node.level = level;
            node.trigger = Some(shown(&job.name, 100));
            node.may_fail = job.allow_failure || self.nodes[at].may_fail;
            self.nodes.push(node);
            changed = true;
        }
        // The pipelines of trigger jobs that were repeated do not count any more, and nor does what is below them.
        for index in at + 1..self.nodes.len() {
            let Some(parent) = self.nodes[index].parent else { continue };
            let is_named = parent != at || named.contains(&self.nodes[index].id);
            self.nodes[index].is_current = is_named && self.nodes[parent].is_current;
        }
        changed
    }

    /// Returns the pipelines as they were seen last.
    pub(super) fn course(&self) -> PipelineCourse {
        let mut courses: Vec<Option<PipelineCourse>> =
            self.nodes.iter().map(|node| node.is_current.then(|| node.course())).collect();
        // Children come after their parents, so that each is complete when it is moved.
        for at in (1..courses.len()).rev() {
            let (Some(parent), Some(course)) = (self.nodes[at].parent, courses[at].take()) else { continue };
            if let Some(parent) = &mut courses[parent] {
                parent.children.insert(0, course);
            }
        }
        courses[0].take().unwrap_or_else(|| self.root().course())
    }
}
