//! Paths as people write them: relative below the working directory, with `~` below the home directory. The choice of the
//! texts that are meant for people is up to the callers.

use std::borrow::Cow;
use std::path::Path;

/// Returns a path, or a place in a file, in its short form.
pub(super) fn short<'a>(place: &'a str, cwd: &Path, home: Option<&Path>) -> Cow<'a, str> {
    let below = |directory: &Path| {
        let directory = directory.to_str().filter(|directory| *directory != "/")?;
        place.strip_prefix(directory)?.strip_prefix('/').filter(|below| !below.is_empty())
    };
    match (below(cwd), home.and_then(below)) {
        (Some(below), _) => Cow::Borrowed(below),
        (None, Some(below)) => Cow::Owned(format!("~/{below}")),
        (None, None) => Cow::Borrowed(place),
    }
}

/// Shortens each path in a message. A path begins at the beginning of a word, or behind a quote or bracket.
pub(super) fn shorten_all<'a>(message: &'a str, cwd: &Path, home: Option<&Path>) -> Cow<'a, str> {
    let mut made = String::new();
    let mut done = 0;
    for (at, _) in message.match_indices('/') {
        let is_start =
            message[..at].chars().next_back().is_none_or(|c| c.is_whitespace() || "`'\"(=,".contains(c));
        if at < done || !is_start {
            continue;
        }
        if let Cow::Borrowed(rest) = short(&message[at..], cwd, None)
            && rest.len() < message.len() - at
        {
            made.push_str(&message[done..at]);
            done = message.len() - rest.len();
        } else if let Some(home) = home
            && let Cow::Owned(rest) = short(&message[at..], Path::new("/"), Some(home))
        {
            made.push_str(&message[done..at]);
            made.push_str("~/");
            done = message.len() - (rest.len() - "~/".len());
        }
    }
    if done == 0 {
        return Cow::Borrowed(message);
    }
    made.push_str(&message[done..]);
    Cow::Owned(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_messages_are_shortened_at_word_starts() {
        let (cwd, home) = (Path::new("/home/me/project"), Path::new("/home/me"));
        for (message, expected) in [
            ("/home/me/project/a.yaml:1:2: x", "a.yaml:1:2: x"),
            ("`/home/me/project/a b` and (/home/me/x), /home/me/project/c", "`a b` and (~/x), c"),
            (
                "file:///home/me/project/a at https://x/home/me/b",
                "file:///home/me/project/a at https://x/home/me/b",
            ),
            ("/home/me/project", "~/project"),
            ("/home/me and /home/meg/x", "/home/me and /home/meg/x"),
            ("/ / //home/me/x", "/ / //home/me/x"),
            ("é `/home/me/é`", "é `~/é`"),
        ] {
            assert_eq!(shorten_all(message, cwd, Some(home)), expected, "{message}");
            assert_eq!(shorten_all(message, Path::new("/"), None), message);
        }
    }
}
