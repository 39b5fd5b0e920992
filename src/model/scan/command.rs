//! Commands that start a component or ask whether it is ready, given as words. The script that they pass to a shell
//! reads variables as a script in a file does. Commands in build files are read in `dockerfile`.

use std::collections::BTreeMap;

use super::dockerfile::shell_script;
use super::error::ScanRulesError;
use super::{FileScan, Grammar, ScanRules, scan};

/// Scans the script that the words of a command pass to a shell; finds nothing in any other command, since nobody
/// expands `$X` in it.
///
/// # Errors
/// Fails when a query of the language is invalid.
pub fn scan_command(words: &[String], rules: &ScanRules) -> Result<FileScan, ScanRulesError> {
    let shell = rules.languages.iter().find(|language| language.grammar == Grammar::Bash);
    match shell.zip(shell_script(words)) {
        Some((shell, script)) => scan(shell, script, &BTreeMap::new()),
        None => Ok(FileScan::default()),
    }
}
