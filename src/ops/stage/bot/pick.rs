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
    let is_table = |note: &Note| table::parse(&note.body).is_some();
    let is_answer = |note: &Note| table::parse(&note.body).is_some_and(|rows| fits(&rows, asked.reruns()));
    let answers = answers(notes, request, bot, &is_answer);
    let Some(first) = answers.first().copied() else { return Pick::None };
    let others = other_requests(notes, request, bot, &is_table);
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

/// The answers without a table, of which there may be several.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::ops::stage) enum LinkPick {
    /// Numbers of the comments.
    Answers(Vec<u64>),
    /// Numbers of the comments; some may be for another request.
    Perhaps(Vec<u64>),
    /// There are other requests: the threads must decide.
    AskThreads,
}

/// Searches the comments since the request for all answers. `is_answer` tells whether a comment of the bot has one.
pub(in crate::ops::stage) fn pick_all(
    notes: &[Note],
    request: u64,
    bot: &str,
    is_answer: &dyn Fn(&Note) -> bool,
    threads: Option<&[Discussion]>,
) -> LinkPick {
    let answers = answers(notes, request, bot, is_answer);
    let others = other_requests(notes, request, bot, is_answer);
    if answers.is_empty() || others.is_empty() {
        return LinkPick::Answers(answers);
    }
    let Some(threads) = threads else { return LinkPick::AskThreads };
    let is_with = |id: u64, wanted: &dyn Fn(u64) -> bool| {
        let inside = |thread: &&Discussion| thread.notes.iter().any(|note| note.id == id);
        let thread = threads.iter().find(inside);
        thread.is_some_and(|thread| thread.notes.iter().any(|note| wanted(note.id)))
    };
    let ours: Vec<u64> = answers.iter().copied().filter(|id| is_with(*id, &|one| one == request)).collect();
    if !ours.is_empty() {
        return LinkPick::Answers(ours);
    }
    LinkPick::Perhaps(answers.into_iter().filter(|id| !is_with(*id, &|one| others.contains(&one))).collect())
}

/// Returns the bot's answers since a request, the oldest first.
fn answers(notes: &[Note], request: u64, bot: &str, is_answer: &dyn Fn(&Note) -> bool) -> Vec<u64> {
    let by_bot = |note: &&Note| is_user(note.author.as_ref(), bot) && !note.system;
    let since = notes.iter().filter(|note| note.id > request).filter(by_bot);
    let mut answers: Vec<u64> = since.filter(|note| is_answer(note)).map(|note| note.id).collect();
    answers.sort_unstable();
    answers
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
fn other_requests(
    notes: &[Note],
    request: u64,
    bot: &str,
    is_answer: &dyn Fn(&Note) -> bool,
) -> BTreeSet<u64> {
    let answered = notes
        .iter()
        .filter(|note| note.id < request && is_user(note.author.as_ref(), bot))
        .filter(|note| is_answer(note))
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
    fn pick_all_takes_every_answer_that_is_no_others() {
        let is_answer = |note: &Note| note.body.contains("link");
        let (theirs, ours) = (note(9, "them", "/test a"), note(10, "me", "/test b"));
        let (first, second) = (note(11, "bot", "link"), note(12, "Bot", "another link"));
        let fake = note(13, "mallory", "link");
        let pick = |notes: &[&Note], threads: Option<&[Discussion]>| {
            let notes: Vec<Note> = notes.iter().copied().cloned().collect();
            pick_all(&notes, 10, "bot", &is_answer, threads)
        };
        assert_eq!(pick(&[&ours, &first, &second, &fake], None), LinkPick::Answers(vec![11, 12]));
        let all = [&theirs, &ours, &first, &second, &fake];
        assert_eq!(pick(&all, None), LinkPick::AskThreads);
        let threads = [thread(&[&theirs, &first]), thread(&[&ours, &second])];
        assert_eq!(pick(&all, Some(&threads)), LinkPick::Answers(vec![12]));
        let threads = [thread(&[&theirs, &first]), thread(&[&ours]), thread(&[&second])];
        assert_eq!(pick(&all, Some(&threads)), LinkPick::Perhaps(vec![12]));
        assert_eq!(pick(&[&theirs, &ours], None), LinkPick::Answers(vec![]));
    }

    #[test]
    fn pick_ignores_requests_answered_earlier() {
        let notes = [note(8, "them", ASK), answer(9, "main"), note(10, "me", ASK), answer(11, "main")];
        assert_eq!(pick(&notes, 10, &asked(&[]), None), Pick::Answer(11));
    }
}
