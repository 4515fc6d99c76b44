//! From files to a strategy: every file read, every name resolved, every rule typed; or all problems at once.
//!
//! Files are read in the order in which they refer to each other, one line per concept.

use super::{
    actions, channels, contact_policy, cost,
    document::{Document, Table},
    experiments,
    forms::Forms,
    inventory,
    model::{Action, Experiment, Organisation, Strategy, StrategyVersion},
    names::{Names, did_you_mean},
    organisation, principles,
    problem::{Problem, Report},
    purposes,
    scopes::Scopes,
    test_case::{self, DecisionTest},
    vocabulary::{Vocabulary, scopes_of},
};
use crate::{
    id::{ActionId, OutcomeName},
    rules::{AllowRule, RuleBook},
};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

/// The files of a strategy: path relative to its folder, with `/`, and content. Only `*.toml` is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files(pub BTreeMap<String, String>);

/// A strategy, its own tests and its variants.
#[derive(Debug)]
pub struct Loaded {
    /// The strategy, compiled.
    pub strategy: Strategy,
    /// What it should do.
    pub tests: Vec<DecisionTest>,
    /// Variants, by name.
    pub variants: BTreeMap<String, Variant>,
}

/// Another whole strategy, for an arm of an experiment or as the strategy of before.
#[derive(Debug)]
pub struct Variant {
    /// The files of the strategy with those of the variant in the place of the ones of the same path.
    pub files: Files,
    /// Compiled.
    pub strategy: Strategy,
}

const ORGANISATION: &str = "organisation.toml";
const PURPOSES: &str = "purposes.toml";
const CHANNELS: &str = "channels.toml";
const PLACEMENTS: &str = "placements.toml";
const CONTACT_POLICY: &str = "contact-policy.toml";
const PERMISSIONS: &str = "permissions.toml";
const REQUIRED: [&str; 4] = [ORGANISATION, PURPOSES, CHANNELS, PLACEMENTS];
const OPTIONAL: [&str; 2] = [CONTACT_POLICY, PERMISSIONS];
/// Largest folder: all its files together, in bytes.
const FOLDER_BYTES_MAX: usize = 256 << 20;
const FOLDERS: [&str; 3] = ["inventory/", "principles/", "tests/"];
const EXPERIMENTS: &str = "experiments/";
const VARIANTS: &str = "variants/";

impl Files {
    /// The strategy's files without those of its variants; a file that lies loose among these is one.
    fn read_here(&self) -> impl Iterator<Item = (&str, &str)> {
        let of_variant = |path: &str| path.strip_prefix(VARIANTS).is_some_and(|path| path.contains('/'));
        self.strategy_files().filter(move |(path, _)| !of_variant(path))
    }

    fn strategy_files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .filter(|(path, _)| path.ends_with(".toml"))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Names of the variants: the folders in `variants/`.
    fn variant_names(&self) -> BTreeSet<&str> {
        let below = self.strategy_files().filter_map(|(path, _)| path.strip_prefix(VARIANTS));
        below.filter_map(|path| Some(path.split_once('/')?.0)).collect()
    }

    fn experiments_of_variants(&self) -> impl Iterator<Item = &str> {
        let is_experiment = |path: &str| {
            let inside = path.strip_prefix(VARIANTS).and_then(|path| path.split_once('/'));
            inside.is_some_and(|(_, path)| path.starts_with(EXPERIMENTS))
        };
        self.strategy_files().map(|(path, _)| path).filter(move |path| is_experiment(path))
    }

    /// The files of a variant: those of the strategy, with the variant's own in the place of the ones of the
    /// same path.
    fn variant(&self, name: &str) -> Self {
        let folder = format!("{VARIANTS}{name}/");
        let shared = self.0.iter().filter(|(path, _)| !path.starts_with(VARIANTS));
        let mut files: BTreeMap<String, String> =
            shared.map(|(path, text)| (path.clone(), text.clone())).collect();
        let own = self.0.iter().filter_map(|(path, text)| Some((path.strip_prefix(&folder)?, text)));
        files.extend(own.map(|(path, text)| (path.to_owned(), text.clone())));
        Self(files)
    }

    /// Names these files by their content: equal files have equal versions.
    pub fn version(&self) -> StrategyVersion {
        let mut hasher = blake3::Hasher::new();
        for (path, text) in self.strategy_files() {
            for part in [path, text] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part.as_bytes());
            }
        }
        let mut version = [0; 16];
        version.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        StrategyVersion(version)
    }
}

/// Reads a strategy.
///
/// # Errors
/// Every problem of every file, in order of file and position; the first thousand when there are more.
pub fn load(files: &Files) -> Result<Loaded, Vec<Problem>> {
    let names = Names::new("variant", files.variant_names(), true);
    let mut loaded = load_one(files, Some(names))?;
    let mut problems: Vec<Problem> = files.experiments_of_variants().map(misplaced_experiment).collect();
    for name in files.variant_names() {
        let merged = files.variant(name);
        match load_one(&merged, None) {
            Ok(variant) => {
                let variant = Variant { files: merged, strategy: variant.strategy };
                loaded.variants.insert(name.to_owned(), variant);
            }
            Err(found) => problems.extend(found.into_iter().map(|problem| of_variant(problem, files, name))),
        }
    }
    if problems.is_empty() { Ok(loaded) } else { Err(problems) }
}

/// Reads files that were published before, those of a variant too. Its arms are not compared with the
/// variants there are.
///
/// # Errors
/// As for [`load`].
pub fn load_kept(files: &Files) -> Result<Loaded, Vec<Problem>> {
    load_one(files, None)
}

fn misplaced_experiment(file: &str) -> Problem {
    Problem {
        file: file.to_owned(),
        span: None,
        message: "a variant has no experiments of its own".to_owned(),
        hint: Some("all customers are in the experiments of the strategy itself".to_owned()),
    }
}

/// A problem of a variant, where its file really is.
fn of_variant(problem: Problem, files: &Files, name: &str) -> Problem {
    let own = format!("{VARIANTS}{name}/{}", problem.file);
    match files.0.contains_key(&own) {
        true => Problem { file: own, ..problem },
        false => Problem { message: format!("{} in the variant `{name}`", problem.message), ..problem },
    }
}

fn load_one(files: &Files, variants: Option<Names>) -> Result<Loaded, Vec<Problem>> {
    let report = Report::default();
    let bytes: usize = files.strategy_files().map(|(_, text)| text.len()).sum();
    if bytes > FOLDER_BYTES_MAX {
        let message = format!("the files are larger than {FOLDER_BYTES_MAX} bytes together");
        report.about_file("", message, None);
        return Err(report.into_sorted());
    }
    let documents: Vec<Document<'_>> =
        files.read_here().map(|(file, text)| Document::parse(file, text, &report)).collect();
    let folder = Folder { documents: &documents, report: &report };
    folder.report_misplaced();

    let organisation = folder.table(ORGANISATION);
    let mut vocabulary = folder.vocabulary(&organisation, variants);
    folder.read_inventory(&mut vocabulary, organisation::outcome_names(&organisation));
    let organisation = organisation::read(organisation, &vocabulary);
    let contact_policy = contact_policy::read(folder.table(CONTACT_POLICY), &vocabulary);
    let permissions = channels::read_permissions(folder.table(PERMISSIONS), &vocabulary);
    let (actions, allow_rules) =
        folder.read_actions(&vocabulary, &organisation, &contact_policy.complaint_silences);
    let principles = principles::read(folder.tables("principles/"), &vocabulary, &actions);
    let experiments = folder.read_experiments(&experiments::Known {
        vocabulary: &vocabulary,
        organisation: &organisation,
        actions: &actions,
        principles: &principles,
        variants: vocabulary.variant_names.as_ref(),
    });
    let tests = test_case::read(folder.tables("tests/"), &vocabulary);
    let rule_book = RuleBook::compile(allow_rules, actions.len());
    cost::report(&vocabulary, &organisation, &actions, &principles, &rule_book, &report);

    if !report.is_empty() {
        drop(documents);
        return Err(report.into_sorted());
    }
    let forms = Forms::of(&actions, &vocabulary.placements, &organisation.languages);
    let scopes = Scopes::of(&actions, &principles, &permissions, &contact_policy);
    let strategy = Strategy {
        version: files.version(),
        forms,
        scopes,
        organisation,
        purposes: vocabulary.purposes,
        channels: vocabulary.channels,
        placements: vocabulary.placements,
        contexts: vocabulary.contexts,
        attributes: vocabulary.attributes,
        events: vocabulary.events,
        identifiers: vocabulary.identifiers,
        purchases: vocabulary.purchases,
        principles,
        experiments,
        contact_policy,
        permissions,
        rule_book,
        actions,
    };
    Ok(Loaded { strategy, tests, variants: BTreeMap::new() })
}

/// The parsed files.
struct Folder<'a> {
    documents: &'a [Document<'a>],
    report: &'a Report,
}

impl<'a> Folder<'a> {
    /// One file; when it is missing, a table in which nothing is missed.
    fn table(&self, file: &'static str) -> Table<'a> {
        let document = self.documents.iter().find(|document| document.file() == file);
        document.map_or_else(|| Table::absent(file, self.report), |document| document.table(self.report))
    }

    fn in_folder(&self, folder: &'static str) -> impl Iterator<Item = &'a Document<'a>> {
        self.documents.iter().filter(move |document| is_directly_in(document.file(), folder))
    }

    fn tables(&self, folder: &'static str) -> Vec<Table<'a>> {
        self.in_folder(folder).map(|document| document.table(self.report)).collect()
    }

    /// Whether these files are there and every line of them was understood.
    fn is_whole(&self, files: &str) -> bool {
        let mut concerned = self
            .documents
            .iter()
            .filter(|document| document.file() == files || is_directly_in(document.file(), files))
            .peekable();
        concerned.peek().is_some() && concerned.all(Document::is_whole)
    }

    fn action_ids(&self) -> Vec<ActionId> {
        self.documents.iter().filter_map(|document| actions::id_of(document.file())).collect()
    }

    /// Files that are missing or that nothing would read.
    fn report_misplaced(&self) {
        for file in REQUIRED {
            if !self.documents.iter().any(|document| document.file() == file) {
                self.report.about_file(
                    file,
                    "the file is missing",
                    Some("every strategy has this file".to_owned()),
                );
            }
        }
        if self.in_folder("inventory/").next().is_none() {
            let hint = "declare attributes and events, for example in `inventory/customer.toml`";
            self.report.about_file("inventory", "the folder has no file", Some(hint.to_owned()));
        }
        if self.action_ids().is_empty() {
            let hint = "write one to `actions/<issue>/<group>/<action>.toml`";
            self.report.about_file("actions", "there is no action", Some(hint.to_owned()));
        }
        for document in self.documents {
            if !is_known(document.file()) {
                self.report.about_file(
                    document.file(),
                    "a strategy has no such file",
                    hint_for_path(document.file()),
                );
            }
        }
    }

    /// Languages, clock, purposes, channels, placements and actions by name; the inventory still empty.
    fn vocabulary(&self, organisation: &Table<'_>, variant_names: Option<Names>) -> Vocabulary {
        let organisation::Basics { time_zone, languages } = organisation::basics(organisation);
        let channels = channels::read_channels(self.table(CHANNELS), &languages);
        let channel_names = Names::new(
            "channel",
            channels.iter().map(|channel| channel.id.as_str()),
            self.is_whole(CHANNELS),
        );
        let purposes = purposes::read(self.table(PURPOSES), &languages, &channel_names, &time_zone);
        let placements = channels::read_placements(self.table(PLACEMENTS), &languages, &channel_names);
        let actions = self.action_ids();
        let inventory_is_whole = self.is_whole("inventory/");
        let unread = |kind| Names::new(kind, [""; 0], inventory_is_whole);
        Vocabulary {
            time_zone,
            purpose_names: Names::new(
                "purpose",
                purposes.iter().map(|purpose| purpose.id.as_str()),
                self.is_whole(PURPOSES),
            ),
            placement_names: Names::new(
                "placement",
                placements.iter().map(|placement| placement.id.as_str()),
                self.is_whole(PLACEMENTS),
            ),
            scope_names: Names::new("issue, group or action", scopes_of(&actions), true),
            action_names: Names::new("action", actions.iter().map(ActionId::as_str), true),
            steps: RefCell::default(),
            rules_can_be_typed: inventory_is_whole && self.is_whole(PURPOSES),
            attributes: Vec::new(),
            attribute_names: unread("attribute"),
            contexts: Vec::new(),
            context_names: unread("context value"),
            events: Vec::new(),
            identifiers: BTreeMap::new(),
            purchases: None,
            event_names: unread("event"),
            outcome_names: unread("outcome"),
            variant_names,
            languages,
            purposes,
            channels,
            channel_names,
            placements,
        }
    }

    /// Adds attributes, context values, events and outcomes.
    fn read_inventory(&self, vocabulary: &mut Vocabulary, organisation_outcomes: Vec<&str>) {
        let whole = self.is_whole("inventory/");
        let declarations = inventory::gather(self.tables("inventory/"));
        let (attributes, attributes_understood) = inventory::attributes(&declarations, vocabulary);
        let (contexts, contexts_understood) = inventory::contexts(&declarations);
        vocabulary.rules_can_be_typed &= attributes_understood && contexts_understood;
        vocabulary.attribute_names =
            Names::new("attribute", attributes.iter().map(|attribute| attribute.name.as_str()), whole);
        vocabulary.context_names =
            Names::new("context value", contexts.iter().map(|context| context.name.as_str()), whole);
        vocabulary.attributes = attributes;
        vocabulary.contexts = contexts;
        vocabulary.events = inventory::events(&declarations, vocabulary);
        vocabulary.identifiers = inventory::identifiers(&declarations);
        vocabulary.event_names =
            Names::new("event", vocabulary.events.iter().map(|event| event.name.as_str()), whole);
        vocabulary.purchases = inventory::purchases(&declarations, vocabulary);
        let reported = actions::reported_outcomes();
        let of_events = vocabulary.events.iter().filter_map(|event| event.outcome.as_ref());
        let outcomes: Vec<&str> = reported.iter().chain(of_events).map(OutcomeName::as_str).collect();
        vocabulary.outcome_names = Names::new(
            "outcome",
            outcomes.into_iter().chain(organisation_outcomes),
            whole && self.is_whole(ORGANISATION),
        );
        for (kind, count) in
            [("attributes", vocabulary.attributes.len()), ("context values", vocabulary.contexts.len())]
        {
            self.report_too_many("inventory", kind, count);
        }
    }

    fn read_actions(
        &self,
        vocabulary: &Vocabulary,
        organisation: &Organisation,
        silenced: &[String],
    ) -> (Vec<Action>, Vec<AllowRule>) {
        let mut documents: Vec<(ActionId, &Document<'_>)> = self
            .documents
            .iter()
            .filter_map(|document| Some((actions::id_of(document.file())?, document)))
            .collect();
        documents.sort_by(|(one, _), (other, _)| one.cmp(other));
        self.report_too_many("actions", "actions", documents.len());
        let (mut actions, mut rules) = (Vec::new(), Vec::new());
        for (index, (id, document)) in (0..u16::MAX).zip(documents) {
            let file = document.table(self.report);
            let read = actions::read(file, id, index, vocabulary, silenced);
            self.report_lever(document.file(), &read.action, organisation);
            let spared = experiments::is_spared(&read.action, organisation);
            actions.push(Action { spared, ..read.action });
            rules.extend(read.rules);
        }
        (actions, rules)
    }

    fn read_experiments(&self, known: &experiments::Known<'_>) -> Vec<Experiment> {
        let experiment = |document: &'a Document<'a>| {
            Some((experiments::id_of(document.file())?, document.table(self.report)))
        };
        experiments::read(self.documents.iter().filter_map(experiment).collect(), known)
    }

    /// Levers are added to 1; their sum is a factor and stays above 0.
    fn report_lever(&self, file: &str, action: &Action, organisation: &Organisation) {
        let lever_of = |scope: &str| organisation.levers.get(scope).copied().unwrap_or(0.0);
        let lever = 1.0 + lever_of(action.id.issue()) + lever_of(action.id.group()) + action.lever;
        if lever <= 0.0 {
            let message = format!("1 and the levers of issue, group and action come to {lever}");
            self.report.about_file(
                file,
                message,
                Some("keep the sum above 0, or remove the action".to_owned()),
            );
        }
    }

    fn report_too_many(&self, file: &str, kind: &str, count: usize) {
        if count >= usize::from(u16::MAX) {
            self.report.about_file(file, format!("more than {} {kind}", u16::MAX - 1), None);
        }
    }
}

fn is_directly_in(file: &str, folder: &str) -> bool {
    folder.ends_with('/') && file.strip_prefix(folder).is_some_and(|rest| !rest.contains('/'))
}

fn is_known(file: &str) -> bool {
    REQUIRED.contains(&file)
        || OPTIONAL.contains(&file)
        || FOLDERS.into_iter().any(|folder| is_directly_in(file, folder))
        || actions::id_of(file).is_some()
        || experiments::id_of(file).is_some()
}

fn hint_for_path(file: &str) -> Option<String> {
    if file.starts_with(EXPERIMENTS) {
        let hint = "an experiment is `experiments/<name>.toml`, in lower-case letters, digits, `_` and `-`";
        return Some(hint.to_owned());
    }
    if file.starts_with(VARIANTS) {
        let hint = "a variant is a folder, with files that take the place of the strategy's own: `variants/<name>/…`";
        return Some(hint.to_owned());
    }
    if file.starts_with("actions/") {
        let hint = "an action is `actions/<issue>/<group>/<action>.toml`, in lower-case letters, digits, `_` and `-`";
        return Some(hint.to_owned());
    }
    let known: BTreeSet<&str> = REQUIRED.into_iter().chain(OPTIONAL).collect();
    match file.split_once('/') {
        None => did_you_mean(file, known),
        Some((folder, _)) => did_you_mean(
            &format!("{folder}/"),
            FOLDERS.into_iter().chain(["actions/", EXPERIMENTS, VARIANTS]),
        ),
    }
}
