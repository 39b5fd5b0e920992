//! Finds the bot's answer to this request among the comments. A pure rule: an answer to another request
//! must never be taken for this one's, since its pipelines would then be reported as ours.

use std::collections::BTreeSet;

use crate::model::staging::{AnswerRow, Rerun, StagingRequest, parse_command, slash_command, table};
use crate::ops::stage::facts::is_user;
use crate::systems::gitlab::{Discussion, Note};

/// The result of the search.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::ops::stage) enum Pick {
    /// No answer.
    None,
    /// The answer.
    Answer(u64),
    /// A possible answer; it may also be for another request.
    Perhaps(u64),
    /// There are other requests: the threads must decide.
    AskThreads,
}

/// Searches the comments since the request (and some before it).
pub(in crate::ops::stage) fn pick(
    notes: &[Note],
    request: u64,
    asked: &StagingRequest,
    threads: Option<&[Discussion]>,
) -> Pick {
    let bot = asked.bot();
    let by_bot = |note: &&Note| is_user(note.author.as_ref(), bot) && !note.system;
    let mut answers: Vec<u64> = notes
        .iter()
        .filter(|note| note.id > request)
        .filter(by_bot)
        .filter(|note| table::parse(&note.body).is_some_and(|rows| fits(&rows, asked.reruns())))
        .map(|note| note.id)
        .collect();
    answers.sort_unstable();
    let Some(first) = answers.first().copied() else { return Pick::None };
    let others = other_requests(notes, request, bot);
    if others.is_empty() {
        return Pick::Answer(first);
    }
    let Some(threads) = threads else { return Pick::AskThreads };
    let thread_of = |id: u64| threads.iter().find(|thread| thread.notes.iter().any(|note| note.id == id));
    if let Some(ours) = thread_of(request) {
        let inside = |id: &&u64| ours.notes.iter().any(|note| note.id == **id);
        if let Some(answer) = answers.iter().find(inside) {
            return Pick::Answer(*answer);
        }
    }
    let is_anothers = |id: &u64| {
        thread_of(*id).is_some_and(|thread| thread.notes.iter().any(|note| others.contains(&note.id)))
    };
    answers.into_iter().find(|id| !is_anothers(id)).map_or(Pick::None, Pick::Perhaps)
}

/// Returns whether a table can be the answer to these reruns: it contains one of them.
fn fits(rows: &[AnswerRow], reruns: &[Rerun]) -> bool {
    reruns.is_empty()
        || reruns.iter().any(|rerun| {
            let id = rerun.id.to_string();
            rows.iter().any(|row| row.branch.trim_start_matches('#') == id || row.id == Some(rerun.id))
        })
}

/// Returns other requests that the bot may be answering: later ones, and earlier ones without an answer
/// at the time of this request.
fn other_requests(notes: &[Note], request: u64, bot: &str) -> BTreeSet<u64> {
    let answered = notes
        .iter()
        .filter(|note| note.id < request && is_user(note.author.as_ref(), bot))
        .filter(|note| table::parse(&note.body).is_some())
        .map(|note| note.id)
        .max()
        .unwrap_or(0);
    notes
        .iter()
        .filter(|note| note.id != request && note.id > answered && !note.system)
        .filter(|note| !is_user(note.author.as_ref(), bot))
        .filter(|note| parse_command(&note.body, bot).is_some() || slash_command(&note.body).is_some())
        .map(|note| note.id)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::staging::PipelineStatus;
    use crate::systems::gitlab::User;

    fn note(id: u64, user: &str, body: &str) -> Note {
        Note {
            id,
            body: body.to_owned(),
            author: Some(User { id: 1, username: user.to_owned(), name: String::new() }),
            created_at: String::new(),
            system: false,
        }
    }

    fn answer(id: u64, branch: &str) -> Note {
        let row = AnswerRow {
            group: "cki".into(),
            branch: branch.into(),
            id: Some(id * 100),
            link: None,
            status: PipelineStatus::Created,
        };
        note(id, "Bot", &table::render(&[row]))
    }

    fn asked(reruns: &[&str]) -> StagingRequest {
        let reruns = reruns.iter().map(|text| Rerun::parse(text).expect("is one")).collect();
        StagingRequest::new("bot", vec![], reruns, &[]).expect("is valid")
    }

    fn thread(notes: &[&Note]) -> Discussion {
        Discussion { id: String::new(), notes: notes.iter().copied().cloned().collect() }
    }

    const ASK: &str = "@bot please test";

    #[test]
    fn pick_takes_first_table_after_request() {
        let ours = note(10, "me", ASK);
        let hello = note(11, "bot", "I have seen it.");
        let fake = note(12, "mallory", "Group|Branch|ID|Status\n-|-|-|-\ncki|main|1|success");
        let notes = vec![answer(5, "main"), ours, hello, fake];
        assert_eq!(pick(&notes, 10, &asked(&[]), None), Pick::None);
        let notes = [notes, vec![answer(13, "main"), answer(14, "main")]].concat();
        assert_eq!(pick(&notes, 10, &asked(&[]), None), Pick::Answer(13));
    }

    #[test]
    fn pick_matches_answer_to_rerun() {
        let notes = [note(10, "me", "@bot test [cki/7]"), answer(11, "main"), answer(12, "7")];
        assert_eq!(pick(&notes, 10, &asked(&["cki/7"]), None), Pick::Answer(12));
    }

    #[test]
    fn pick_needs_threads_with_other_requests() {
        let (theirs, ours) = (note(9, "them", ASK), note(10, "me", ASK));
        let (first, second) = (answer(11, "main"), answer(12, "main"));
        let notes = [theirs.clone(), ours.clone(), first.clone(), second.clone()];
        let pick = |threads: Option<&[Discussion]>| pick(&notes, 10, &asked(&[]), threads);
        assert_eq!(pick(None), Pick::AskThreads);
        let threads = [thread(&[&theirs, &first]), thread(&[&ours, &second])];
        assert_eq!(pick(Some(&threads)), Pick::Answer(12));
        let threads = [thread(&[&theirs, &first]), thread(&[&ours]), thread(&[&second])];
        assert_eq!(pick(Some(&threads)), Pick::Perhaps(12));
        let threads = [thread(&[&theirs, &first, &second]), thread(&[&ours])];
        assert_eq!(pick(Some(&threads)), Pick::None);
    }

    #[test]
    fn pick_ignores_requests_answered_earlier() {
        let notes = [note(8, "them", ASK), answer(9, "main"), note(10, "me", ASK), answer(11, "main")];
        assert_eq!(pick(&notes, 10, &asked(&[]), None), Pick::Answer(11));
    }
}
