//! Finds the newest request for a commit among the comments of a merge request. A pure rule: a request for another commit
//! must never be taken for this one's.

use super::FoundRequest;
use super::note::MARKER;
use crate::model::staging::{BotCommand, Marker, parse_command, slash_command};
use crate::ops::shared::outside_text::shown;
use crate::ops::stage::MergeRequestFacts;
use crate::ops::stage::facts::is_user;
use crate::systems::gitlab::Note;

/// A request with what the bot reads of it.
#[derive(Debug, Clone)]
pub(super) struct LocatedRequest {
    pub(super) found: FoundRequest,
    pub(super) command: BotCommand,
}

/// The requests that are found.
#[derive(Debug, Clone, Default)]
pub(super) struct Located {
    /// The newest for the head commit.
    pub(super) current: Option<LocatedRequest>,
    /// The newest for another commit, if there is none for the head.
    pub(super) outdated: Option<LocatedRequest>,
}

/// Returns what a comment asks the bot for; quotations in it do not count, nor does a report on a request.
pub(super) fn command_of(note: &Note, bot: &str) -> Option<BotCommand> {
    let is_report = note.body.trim_start().starts_with(MARKER);
    if note.system || is_report || is_user(note.author.as_ref(), bot) {
        return None;
    }
    let own: Vec<&str> = note.body.lines().filter(|line| !line.trim_start().starts_with('>')).collect();
    let own = own.join("\n");
    // A command such as `/test` names no bot; with the marker, this program has written it.
    let is_command = || slash_command(&own).is_some() && Marker::find(&own).is_some();
    let bare = || BotCommand { parameters: Vec::new(), reruns: Vec::new(), other: Vec::new() };
    parse_command(&own, bot).or_else(|| is_command().then(bare))
}

/// Searches comments, newest first.
pub(super) fn locate(notes: &[Note], facts: &MergeRequestFacts, bot: &str) -> Located {
    let mut outdated = None;
    for note in notes {
        let Some(command) = command_of(note, bot) else { continue };
        let found = LocatedRequest { found: request_of(note, facts), command };
        let is_current = match &found.found.sha {
            Some(sha) => sha.eq_ignore_ascii_case(&facts.head),
            // Without a commit, it was for the head at that time.
            None => !pushed_after(notes, note.id),
        };
        if is_current {
            return Located { current: Some(found), outdated: None };
        }
        outdated.get_or_insert(found);
    }
    Located { current: None, outdated }
}

fn request_of(note: &Note, facts: &MergeRequestFacts) -> FoundRequest {
    let marker = Marker::find(&note.body);
    let line = note.body.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('>'));
    FoundRequest {
        comment: facts.comment(note),
        author: note
            .author
            .as_ref()
            .map_or_else(|| "somebody".to_owned(), |author| shown(&author.username, 100)),
        sha: marker.as_ref().map(|marker| marker.sha().to_owned()),
        combined: marker.map(|marker| marker.combined().to_vec()).unwrap_or_default(),
        text: shown(line.unwrap_or_default(), 300),
    }
}

/// Returns whether commits were pushed after a comment: GitLab records each push in a comment of its own.
fn pushed_after(notes: &[Note], request: u64) -> bool {
    let is_push =
        |note: &Note| note.system && note.body.starts_with("added ") && note.body.contains("commit");
    notes.iter().any(|note| note.id > request && is_push(note))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::systems::gitlab::{MergeRequest, User};

    fn facts() -> MergeRequestFacts {
        let found: MergeRequest = serde_json::from_value(serde_json::json!({
            "iid": 3, "title": "t", "state": "opened", "sha": "a".repeat(40), "web_url": "https://h/a/b/-/merge_requests/3",
            "author": null, "source_branch": "a", "target_branch": "main",
        }))
        .expect("is one");
        MergeRequestFacts::of("https://h", "a/b", &found).expect("can be staged")
    }

    fn note(id: u64, user: &str, body: &str) -> Note {
        Note {
            id,
            body: body.to_owned(),
            author: Some(User { id: 1, username: user.to_owned(), name: String::new() }),
            created_at: String::new(),
            system: false,
        }
    }

    fn marked(id: u64, sha: char) -> Note {
        let sha = sha.to_string().repeat(40);
        note(
            id,
            "me",
            &format!("@bot please test\n\n<!-- cki:stage sha={sha} request={} -->", "0".repeat(16)),
        )
    }

    fn found(notes: &[Note]) -> (Option<u64>, Option<u64>) {
        let located = locate(notes, &facts(), "bot");
        let id = |one: Option<LocatedRequest>| one.map(|one| one.found.comment.id);
        (id(located.current), id(located.outdated))
    }

    #[test]
    fn a_request_for_another_commit_is_never_current() {
        assert_eq!(found(&[marked(9, 'b'), marked(8, 'a'), marked(7, 'a')]), (Some(8), None));
        assert_eq!(found(&[marked(9, 'b'), marked(8, 'c')]), (None, Some(9)));
        let report = format!("{MARKER}\nRequested: `@bot please test`");
        let none =
            [note(9, "bot", "@bot please test"), note(8, "me", "> @bot please test"), note(7, "me", &report)];
        assert_eq!(found(&none), (None, None));
    }

    #[test]
    fn a_request_of_a_person_is_for_the_head_at_that_time() {
        let push = Note { system: true, ..note(9, "me", "added 2 commits\n\n<ul>…") };
        let asked = note(8, "me", "Once more: @bot please test [a=1]");
        assert_eq!(found(std::slice::from_ref(&asked)), (Some(8), None));
        assert_eq!(found(&[push.clone(), asked.clone()]), (None, Some(8)));
        let before = Note { id: 7, ..push };
        assert_eq!(found(&[asked, before]), (Some(8), None));
    }
}
