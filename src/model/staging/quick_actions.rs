//! Quick actions: lines of a comment that GitLab executes with the rights of its author. A slash alone makes none, so
//! that the commands of other bots (`/test NAME`) can be written.

/// Names of quick actions and their other names, from GitLab's documentation and source (`lib/gitlab/quick_actions`,
/// `ee/lib/ee/gitlab/quick_actions`), versions 12 to 18. Names that were removed stay, since servers are not all new.
const NAMES: [&str; 102] = [
    "add_child",
    "add_contacts",
    "add_email",
    "approve",
    "assign",
    "assign_reviewer",
    "award",
    "blocked_by",
    "blocks",
    "board_move",
    "cc",
    "checkin_reminder",
    "child_epic",
    "clear_health_status",
    "clear_weight",
    "clone",
    "close",
    "confidential",
    "convert_to_ticket",
    "copy_metadata",
    "create_merge_request",
    "done",
    "draft",
    "due",
    "duplicate",
    "epic",
    "estimate",
    "estimate_time",
    "health_status",
    "in_reply_to",
    "invite_email",
    "iteration",
    "label",
    "labels",
    "link",
    "lock",
    "make_child",
    "merge",
    "milestone",
    "move",
    "page",
    "parent_epic",
    "promote",
    "promote_to",
    "promote_to_incident",
    "publish",
    "q",
    "react",
    "ready",
    "reassign",
    "reassign_reviewer",
    "rebase",
    "relabel",
    "relate",
    "remove_child",
    "remove_child_epic",
    "remove_contacts",
    "remove_due_date",
    "remove_email",
    "remove_epic",
    "remove_estimate",
    "remove_iteration",
    "remove_label",
    "remove_milestone",
    "remove_parent",
    "remove_parent_epic",
    "remove_reviewer",
    "remove_time_estimate",
    "remove_time_spent",
    "remove_zoom",
    "reopen",
    "request_review",
    "reviewer",
    "run_pipeline",
    "set_parent",
    "severity",
    "ship",
    "shrug",
    "spend",
    "spend_time",
    "spent",
    "status",
    "submit_review",
    "subscribe",
    "tableflip",
    "tag",
    "target_branch",
    "timeline",
    "title",
    "todo",
    "type",
    "unapprove",
    "unassign",
    "unassign_reviewer",
    "unlabel",
    "unlink",
    "unlock",
    "unready",
    "unsubscribe",
    "weight",
    "wip",
    "zoom",
];

/// Returns whether GitLab may execute a line. GitLab ignores case, and it ignores the actions in code and quotes, which
/// this does not.
#[must_use]
pub(super) fn is_quick_action(line: &str) -> bool {
    let Some(rest) = line.trim_start().strip_prefix('/') else { return false };
    let word: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    NAMES.iter().any(|name| name.eq_ignore_ascii_case(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_actions_are_known_by_name_not_by_slash() {
        for line in [
            "/approve",
            "  /merge",
            "/assign @somebody",
            "/Label ~x",
            "/close\t",
            "/target_branch main",
            "/q dev",
        ] {
            assert!(is_quick_action(line), "{line}");
        }
        for line in
            ["/test all", "/retest", "/ok-to-test", "approve", "//approve", "/approved", "a /approve", "/"]
        {
            assert!(!is_quick_action(line), "{line}");
        }
        assert!(NAMES.is_sorted());
    }
}
