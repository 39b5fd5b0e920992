//! `cki inventory check --fix`: edits of the inventory's files that mend findings with one right answer. Edits are tried
//! on the texts first, and the inventory is read and checked with them; only then are files written.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::base::file_snapshot::FileSnapshot;
use crate::base::files::{self, DirectoryLock};
use crate::base::yaml::edit::{EditableYaml, ScalarEdit};
use crate::model::inventory::Inventory;
use crate::model::inventory::check::{self, CheckFinding, CheckedInventory, Repair};
use crate::model::reference::Reference;
use crate::model::rule::Severity;

/// Maximum bytes of a file, as when it is loaded.
const LIMIT: u64 = 64 << 20;
/// Maximum number of times that an inventory is read with edits, to find those that break it.
const TRIALS: usize = 200;

/// Reason to leave a text as it is.
const BY_HAND: &str = "it is written in a form that has to be edited by hand";
/// Reason to leave out an edit.
const BREAKS: &str = "the edit would change or break something else";

/// Reads the inventory with a reader of its files; `None` if it cannot be read.
pub type ReadInventory<'a> = &'a dyn Fn(FileSnapshot) -> Option<Inventory>;

/// A fix of a finding.
#[derive(Debug, Clone)]
pub struct InventoryFix {
    /// The finding.
    pub finding: CheckFinding,
    /// Its repair.
    pub repair: Repair,
    /// The reason why it is not applied, as a sentence without a period.
    pub refused: Option<String>,
}

/// A file with fixes.
#[derive(Debug)]
pub struct FixedFile {
    /// Its path, as in findings.
    pub path: PathBuf,
    /// Text before.
    pub before: String,
    /// Text with the fixes.
    pub after: String,
}

/// Fixes of an inventory.
#[derive(Debug, Default)]
pub struct InventoryFixes {
    /// All fixes, applied or not, sorted by place.
    pub fixes: Vec<InventoryFix>,
    /// The files with the applied ones.
    pub files: Vec<FixedFile>,
}

impl InventoryFixes {
    /// Returns the applied fixes.
    pub fn applied(&self) -> impl Iterator<Item = &InventoryFix> {
        self.fixes.iter().filter(|fix| fix.refused.is_none())
    }

    /// Refuses the fixes of a file.
    fn refuse(&mut self, path: &Path, why: &str) {
        let of_file = |fix: &&mut InventoryFix| fix.refused.is_none() && Path::new(&fix.finding.file) == path;
        self.fixes.iter_mut().filter(of_file).for_each(|fix| fix.refused = Some(why.to_owned()));
        self.files.retain(|file| file.path != path);
    }
}

/// Finds the fixes of findings of an inventory that can be applied, and writes nothing. `before` are all its findings.
#[must_use]
pub fn plan(
    inventory: &Inventory,
    before: &CheckedInventory,
    findings: &[CheckFinding],
    read: ReadInventory<'_>,
) -> InventoryFixes {
    let roots: Vec<&Path> = inventory.layers.iter().filter_map(|layer| layer.path.as_deref()).collect();
    let mut planned = InventoryFixes::default();
    let mut texts: BTreeMap<PathBuf, Result<EditableYaml, String>> = BTreeMap::new();
    for finding in findings {
        let Some(repair) = finding.repair.clone() else { continue };
        let path = PathBuf::from(&finding.file);
        let text = texts.entry(path).or_insert_with_key(|path| readable(path, &roots));
        let edit = edit_of(finding, &repair);
        let refused = match text {
            Err(why) => Some(why.clone()),
            Ok(text) => (!text.has(&edit)).then(|| BY_HAND.to_owned()),
        };
        planned.fixes.push(InventoryFix { finding: finding.clone(), repair, refused });
    }
    let texts = texts.into_iter().filter_map(|(path, text)| Some((path, text.ok()?))).collect();
    let mut search =
        TrialSearch { texts: &texts, before, read, trials: 0, kept: Vec::new(), fixes: &planned.fixes };
    let open: Vec<usize> =
        (0..planned.fixes.len()).filter(|at| planned.fixes[*at].refused.is_none()).collect();
    search.keep(&open);
    let kept = std::mem::take(&mut search.kept);
    let after = search.texts_with(&kept);
    let applied: HashSet<usize> = kept.into_iter().collect();
    for at in open.into_iter().filter(|at| !applied.contains(at)) {
        planned.fixes[at].refused = Some(BREAKS.to_owned());
    }
    let files = after.unwrap_or_default().into_iter().filter_map(|(path, after)| {
        let before = texts.get(&path)?.text().to_owned();
        Some(FixedFile { path, before, after })
    });
    planned.files = files.collect();
    planned
}

/// Writes the files, each as a whole. A file that cannot be written, or that changed meanwhile, stays as it is, and its
/// fixes are refused.
pub fn write(fixes: &mut InventoryFixes) {
    let mut refused = Vec::new();
    for file in &fixes.files {
        let _lock = DirectoryLock::wait_for(&file.path);
        match files::read_text(&file.path, LIMIT) {
            Ok(now) if now == file.before => {
                if let Err(error) = files::replace(&file.path, &file.before, &file.after) {
                    refused.push((file.path.clone(), error.to_string()));
                }
            }
            Ok(_) => refused.push((file.path.clone(), "the file changed meanwhile".to_owned())),
            Err(error) => refused.push((file.path.clone(), error.to_string())),
        }
    }
    refused.iter().for_each(|(path, why)| fixes.refuse(path, why));
}

/// Returns the text of a file that may be changed: one of a directory or a file that is a source of the inventory.
fn readable(path: &Path, roots: &[&Path]) -> Result<EditableYaml, String> {
    if !roots.iter().any(|root| path.starts_with(root)) {
        return Err("the file is not in a directory or file that is a source of the inventory".to_owned());
    }
    let real = path.canonicalize().map_err(|error| error.to_string())?;
    let is_inside = roots.iter().any(|root| root.canonicalize().is_ok_and(|root| real.starts_with(root)));
    if !is_inside {
        return Err("the file is a link that leads out of the inventory".to_owned());
    }
    if real.metadata().is_ok_and(|facts| facts.permissions().readonly()) {
        return Err("the file is write-protected".to_owned());
    }
    let text = files::read_text(path, LIMIT).map_err(|error| error.to_string())?;
    EditableYaml::read(text).ok_or_else(|| BY_HAND.to_owned())
}

fn edit_of(finding: &CheckFinding, repair: &Repair) -> ScalarEdit {
    let Repair { part, from, to } = repair.clone();
    ScalarEdit { position: finding.position, part, from, to }
}

/// Identity of a finding while its file is edited.
type FindingKey<'a> = (&'static str, Option<&'a Reference>, &'a str);

fn key(finding: &CheckFinding) -> FindingKey<'_> {
    (finding.rule.name(), finding.component.as_ref(), &finding.message)
}

/// Search for the fixes that do not break the inventory: all of them are tried together, and only if that fails, the
/// halves of them.
struct TrialSearch<'a> {
    texts: &'a BTreeMap<PathBuf, EditableYaml>,
    before: &'a CheckedInventory,
    read: ReadInventory<'a>,
    fixes: &'a [InventoryFix],
    trials: usize,
    /// Indices of the fixes that work together.
    kept: Vec<usize>,
}

impl TrialSearch<'_> {
    fn keep(&mut self, some: &[usize]) {
        if some.is_empty() || self.trials == TRIALS {
            return;
        }
        self.trials += 1;
        let all: Vec<usize> = self.kept.iter().chain(some).copied().collect();
        if self.works(&all) {
            self.kept = all;
        } else if some.len() > 1 {
            let (first, second) = some.split_at(some.len() / 2);
            self.keep(first);
            self.keep(second);
        }
    }

    /// Returns the texts of the files that fixes change.
    fn texts_with(&self, some: &[usize]) -> Option<BTreeMap<PathBuf, String>> {
        let mut edits: BTreeMap<&Path, Vec<ScalarEdit>> = BTreeMap::new();
        for InventoryFix { finding, repair, .. } in some.iter().map(|at| &self.fixes[*at]) {
            edits.entry(Path::new(&finding.file)).or_default().push(edit_of(finding, repair));
        }
        let after = |(path, edits): (&Path, Vec<ScalarEdit>)| {
            Some((path.to_owned(), self.texts.get(path)?.edited(&edits)?))
        };
        edits.into_iter().map(after).collect()
    }

    /// Returns whether the inventory has no new error with some fixes, and none of the findings that they mend.
    fn works(&self, some: &[usize]) -> bool {
        let Some(texts) = self.texts_with(some) else { return false };
        let known = texts.into_iter().map(|(path, text)| (path, text.into_bytes())).collect::<Vec<_>>();
        let paths = known.iter().map(|(path, _)| path.clone()).collect();
        let Some(inventory) = (self.read)(FileSnapshot::of(paths, known)) else { return false };
        let after = check::check(&inventory);
        let mut allowed: HashMap<FindingKey<'_>, isize> = HashMap::new();
        let before = self.before.findings.iter().chain(self.before.silenced.iter().map(|one| &one.finding));
        before.for_each(|finding| *allowed.entry(key(finding)).or_default() += 1);
        for fix in some.iter().map(|at| &self.fixes[*at].finding) {
            *allowed.entry(key(fix)).or_default() -= 1;
        }
        let mut is_mended = true;
        for finding in after.findings.iter().chain(after.silenced.iter().map(|one| &one.finding)) {
            let left = allowed.entry(key(finding)).or_default();
            *left -= 1;
            // A warning about what the fix brings to light, such as a cycle, is the next thing to mend.
            is_mended &= *left >= 0 || finding.rule.severity() == Severity::Warning;
        }
        is_mended
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use proptest::prelude::*;

    use super::*;
    use crate::base::assets::Assets;
    use crate::model::inventory::InventorySources;
    use crate::ops::shared::inventory::{FetchFailures, load_checked};

    /// Plans the fixes of the inventory in a directory.
    fn planned(root: &Path) -> InventoryFixes {
        let sources = InventorySources::of_path(root);
        let read = |files: FileSnapshot| {
            load_checked(&sources, &Assets::default(), &files, &FetchFailures::new()).ok()
        };
        let inventory = read(FileSnapshot::default()).expect("reads");
        let checked = check::check(&inventory);
        plan(&inventory, &checked, &checked.findings, &read)
    }

    fn shown(fixes: &InventoryFixes) -> Vec<String> {
        let show = |fix: &InventoryFix| {
            let (Repair { from, to, .. }, why) = (&fix.repair, fix.refused.as_deref().unwrap_or("applied"));
            format!("{}: {from} → {to}: {why}", fix.finding.rule.name())
        };
        fixes.fixes.iter().map(show).collect()
    }

    #[test]
    fn plan_leaves_out_what_would_break_the_inventory() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path();
        std::fs::create_dir(root.join("service")).expect("makes");
        let write = |path: &str, text: &str| std::fs::write(root.join(path), text).expect("writes");
        // A list is no description, and the second key of a name is an error.
        write("service/worker.yaml", "descripton: [x]\nkind: a\nkinds: b # two\npeopel: [x]\n");
        write("service/other.yaml", "dependencies: [{verb: x, target: \"service/w\\x6frkr\"}]\n");
        let outside = directory.path().with_extension("outside");
        std::fs::write(&outside, "descripton: x\n").expect("writes");
        std::os::unix::fs::symlink(&outside, root.join("service/linked.yaml")).expect("links");
        let fixes = planned(root);
        assert_eq!(
            shown(&fixes),
            [
                "unknown-key: descripton → description: the file is a link that leads out of the inventory".into(),
                "missing-target: service/workr → service/worker: it is written in a form that has to be edited by \
                 hand"
                    .into(),
                format!("unknown-key: descripton → description: {BREAKS}"),
                format!("unknown-key: kinds → kind: {BREAKS}"),
                "unknown-key: peopel → people: applied".to_owned(),
            ]
        );
        assert_eq!(fixes.files[0].after, "descripton: [x]\nkind: a\nkinds: b # two\npeople: [x]\n");
        std::fs::remove_file(outside).expect("removes");
    }

    #[test]
    fn write_keeps_the_mode_and_what_others_changed() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path();
        std::fs::create_dir(root.join("service")).expect("makes");
        let file = |name: &str| root.join(format!("service/{name}.yaml"));
        for name in ["a", "b", "c"] {
            std::fs::write(file(name), "# mine\ndescripton: x\n").expect("writes");
        }
        std::fs::set_permissions(file("a"), std::fs::Permissions::from_mode(0o640)).expect("sets");
        std::fs::set_permissions(file("c"), std::fs::Permissions::from_mode(0o444)).expect("sets");
        let mut fixes = planned(root);
        std::fs::write(file("b"), "# theirs\ndescripton: x\n").expect("writes");
        write(&mut fixes);
        let text = |name: &str| std::fs::read_to_string(file(name)).expect("reads");
        assert_eq!(text("a"), "# mine\ndescription: x\n");
        assert_eq!(text("b"), "# theirs\ndescripton: x\n");
        assert_eq!(file("a").metadata().expect("is there").permissions().mode() & 0o777, 0o640);
        let end = |line: &String| line.rsplit(": ").next().map(str::to_owned);
        let states: Vec<_> = shown(&fixes).iter().filter_map(end).collect();
        assert_eq!(states, ["applied", "the file changed meanwhile", "the file is write-protected"]);
        assert_eq!(std::fs::read_dir(root.join("service")).expect("lists").count(), 3);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        /// Slips in a correct file become the correct file, byte for byte: comments, quotes and layout stay.
        #[test]
        fn fixes_restore_a_file_byte_for_byte(
            comments in proptest::collection::vec("[ -~é]{0,12}", 5),
            quote in "['\"]?",
            slips in proptest::collection::vec(any::<bool>(), 4),
            is_windows in any::<bool>(),
        ) {
            let text = |names: [&str; 4]| {
                let [key, target, rule, person] = names;
                let end = if is_windows { "\r\n" } else { "\n" };
                [
                    format!("#{}", comments[0]),
                    format!("{key}:   An é entry. #{}", comments[1]),
                    format!("dependencies: [{{verb: x ,  target: {quote}{target}{quote}}}] #{}", comments[2]),
                    "ignore:".to_owned(),
                    format!("- rule: {rule}  #{}", comments[3]),
                    "  reason: It's so.".to_owned(),
                    format!("infrastructure: {quote}{person}{quote} #{}", comments[4]),
                ]
                .map(|line| line + end)
                .concat()
            };
            let right = ["description", "service/worker", "no-source", "cluster"];
            let wrong = ["descripton", "service/workre", "no-sorce", "clusters"];
            let mixed = std::array::from_fn(|at| if slips[at] { wrong[at] } else { right[at] });
            let directory = tempfile::tempdir().expect("a temporary directory");
            let root = directory.path();
            for category in ["service", "infrastructure"] {
                std::fs::create_dir(root.join(category)).expect("makes");
            }
            std::fs::write(root.join("service/front.yaml"), text(mixed)).expect("writes");
            std::fs::write(root.join("service/worker.yaml"), "description: W.\n").expect("writes");
            std::fs::write(root.join("infrastructure/cluster.yaml"), "description: C.\n").expect("writes");
            let mut fixes = planned(root);
            prop_assert_eq!(fixes.applied().count(), slips.iter().filter(|is| **is).count());
            write(&mut fixes);
            let after = std::fs::read_to_string(root.join("service/front.yaml")).expect("reads");
            prop_assert_eq!(after, text(right));
        }
    }
}
