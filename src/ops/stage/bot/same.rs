//! Pairs the rows of an edited table with the followed pipelines. A pure rule: a row is identified by its
//! group, branch, number and link's server. Each row of a table is one pipeline, so rows are never
//! merged, and a row that leaves the table is still followed.

use std::collections::{BTreeMap, VecDeque};

use crate::model::staging::{AnswerRow, PipelineStatus};

/// Returns, for each row of a table, the index of its row in `known`; each index at most once. Rows
/// without a link belong to `server`.
pub(super) fn pair(known: &[&AnswerRow], rows_read: &[AnswerRow], server: &str) -> Vec<Option<usize>> {
    let server = AnswerRow::server_of(server);
    let key = |row: &AnswerRow| {
        let at = row.id.and_then(|_| row.link.as_deref().map_or(server.clone(), AnswerRow::server_of));
        (row.group.clone(), row.branch.clone(), row.id, at)
    };
    let mut free: BTreeMap<_, VecDeque<usize>> = BTreeMap::new();
    for (index, row) in known.iter().enumerate() {
        free.entry(key(row)).or_default().push_back(index);
    }
    let mut pairs: Vec<Option<usize>> =
        rows_read.iter().map(|row| free.get_mut(&key(row)).and_then(VecDeque::pop_front)).collect();
    // A row without a number gets one, unless it has already failed without one.
    for (pair, row) in
        pairs.iter_mut().zip(rows_read).filter(|(pair, row)| pair.is_none() && row.id.is_some())
    {
        let unnumbered = free.get_mut(&(row.group.clone(), row.branch.clone(), None, None));
        let Some(free) = unnumbered else { continue };
        let waits = |index: &usize| known[*index].status != PipelineStatus::Failed;
        *pair = free.iter().position(waits).and_then(|at| free.remove(at));
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::staging::table;
    use proptest::prelude::*;

    const SERVER: &str = "https://gitlab.example";

    fn row(group: &str, branch: &str, id: Option<u64>, host: Option<&str>, status: &str) -> AnswerRow {
        AnswerRow {
            group: group.to_owned(),
            branch: branch.to_owned(),
            id,
            link: host.map(|host| format!("https://{host}/g/p/-/pipelines/{}", id.unwrap_or_default())),
            status: PipelineStatus::parse(status),
        }
    }

    /// Merges tables one after the other, and returns all followed rows.
    fn followed(tables: &[Vec<AnswerRow>]) -> Vec<AnswerRow> {
        let mut rows: Vec<AnswerRow> = Vec::new();
        for rows_read in tables {
            let pairs = pair(&rows.iter().collect::<Vec<_>>(), rows_read, SERVER);
            for (at, one) in pairs.into_iter().zip(rows_read) {
                match at {
                    Some(at) => rows[at] = one.clone(),
                    None => rows.push(one.clone()),
                }
            }
        }
        rows
    }

    #[test]
    fn followed_keeps_rows_of_other_servers_and_groups() {
        let both = vec![
            row("internal", "main", Some(1), Some("other.example"), "failed"),
            row("public", "main", Some(1), Some("gitlab.example"), "success"),
            row("public", "main", Some(1), Some("other.example"), "failed"),
        ];
        assert_eq!(followed(&[both.clone(), both.clone()]), both);
    }

    #[test]
    fn followed_adds_number_then_link_to_row() {
        let tables = [
            vec![row("a", "main", None, None, "pending")],
            vec![row("a", "main", Some(7), None, "pending")],
            vec![row("a", "main", Some(7), Some("GitLab.example"), "running")],
        ];
        assert_eq!(followed(&tables), tables[2]);
        // A number that replaces a failed one removes nothing.
        let again =
            [vec![row("a", "main", None, None, "failed")], vec![row("a", "main", Some(8), None, "success")]];
        assert_eq!(followed(&again).len(), 2);
    }

    fn any_row() -> impl Strategy<Value = AnswerRow> {
        let host =
            prop::option::of(prop::sample::select(vec!["gitlab.example", "other.example", "x.example:8443"]));
        let status = prop::sample::select(vec!["pending", "running", "success", "failed"]);
        ("[ab]", "[mn]", prop::option::of(1u64..4), host, status)
            .prop_map(|(group, branch, id, host, status)| row(&group, &branch, id, host, status))
    }

    proptest! {
        #[test]
        fn followed_keeps_every_row_of_table(rows_read in prop::collection::vec(any_row(), 0..12)) {
            let read = table::parse(&table::render(&rows_read)).expect("is a table");
            prop_assert_eq!(read.len(), rows_read.len());
            let (mut followed, mut read) = (followed(std::slice::from_ref(&read)), read);
            let by = |row: &AnswerRow| format!("{row:?}");
            followed.sort_by_key(by);
            read.sort_by_key(by);
            prop_assert_eq!(followed, read);
        }

        #[test]
        fn followed_never_loses_failed_rows(
            first in prop::collection::vec(any_row(), 0..8),
            second in prop::collection::vec(any_row(), 0..8),
        ) {
            let all = followed(&[first.clone(), second.clone()]);
            // A failed row remains, unless the second table has the same pipeline.
            for row in first.iter().filter(|row| row.status == PipelineStatus::Failed) {
                let server = |row: &AnswerRow| row.link.as_deref().map_or(AnswerRow::server_of(SERVER), AnswerRow::server_of);
                let same = |other: &&AnswerRow| {
                    (&other.group, &other.branch, other.id) == (&row.group, &row.branch, row.id)
                        && (row.id.is_none() || server(other) == server(row))
                };
                prop_assert!(all.iter().any(|one| one == row) || second.iter().any(|other| same(&other)), "{row:?}");
            }
            // At least as many as in each of the tables.
            prop_assert!(all.len() >= first.len().max(second.len()));
            prop_assert!(second.iter().all(|row| all.contains(row)));
        }

        #[test]
        fn followed_ignores_repeated_table(rows_read in prop::collection::vec(any_row(), 0..12)) {
            prop_assert_eq!(followed(&[rows_read.clone(), rows_read.clone(), rows_read.clone()]).len(), rows_read.len());
        }
    }
}
