//! What is tried out next to what, on whom, until when, and what would be a difference that matters?
//!
//! An arm takes actions or forms out, or replaces levers, weights or files. It never takes out what must
//! be said: service, mandatory, and what the organisation spares.

use super::{
    document::{Item, Table},
    lookup::applies,
    model::{Action, Arm, Class, Experiment, Guard, Metric, Organisation, Principle, PrincipleKind},
    names::Names,
    quantity::{NotNegative, PositiveShare, Share},
    vocabulary::{Vocabulary, report_repetition},
};
use crate::{
    Duration,
    id::{ArmId, ExperimentId, OutcomeName},
};
use std::collections::{BTreeMap, BTreeSet};

/// The metric that is both ledgers together.
const VALUE: &str = "value";
/// Most arms of one experiment.
const ARMS_MAX: usize = 16;
/// How long after the first decision a customer is looked at unless declared otherwise.
const USUAL_WITHIN: Duration = Duration::from_hours(28 * 24);
/// Shares are added up with this much patience for their decimals.
const ROUNDING: f64 = 1e-9;
const BETTER: [(&str, bool); 2] = [("more", false), ("less", true)];

/// What an experiment may refer to.
pub(super) struct Known<'a> {
    pub vocabulary: &'a Vocabulary,
    pub organisation: &'a Organisation,
    pub actions: &'a [Action],
    pub principles: &'a [Principle],
    /// Variants of the strategy; `None` when the files are those of a variant, whose arms were checked before.
    pub variants: Option<&'a Names>,
}

/// The name a file gives its experiment: `experiments/<name>.toml`.
pub(super) fn id_of(file: &str) -> Option<ExperimentId> {
    let name = file.strip_prefix("experiments/")?.strip_suffix(".toml")?;
    let fit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    (!name.is_empty() && name.bytes().all(fit)).then(|| ExperimentId::from(name))
}

/// Reads all experiments, in the order of their names.
pub(super) fn read<'a>(files: Vec<(ExperimentId, Table<'a>)>, known: &Known<'_>) -> Vec<Experiment> {
    let mut experiments: Vec<Experiment> = Vec::new();
    for (id, file) in files {
        let place = file.place;
        let (experiment, changed) = experiment(file, id, known);
        for other in experiments.iter().filter(|other| overlap(other, &experiment)) {
            for (what, item) in &changed {
                if changes(other, what, known) {
                    item.place.problem_with_hint(
                        format!("the experiment `{}` changes {what} at the same time", other.id),
                        "let one begin when the other has ended, or make one experiment with more arms",
                    );
                }
            }
        }
        report_too_low(&experiment, known, place);
        experiments.push(experiment);
    }
    experiments
}

/// What an arm changes, as it is told, with its place.
type Changed<'a> = Vec<(String, Item<'a>)>;

fn experiment<'a>(file: Table<'a>, id: ExperimentId, known: &Known<'_>) -> (Experiment, Changed<'a>) {
    let languages = &known.vocabulary.languages;
    let moment = |item: Item<'a>| item.moment(&known.vocabulary.time_zone);
    let from = file.needs("from").and_then(moment);
    let until_item = file.get("until");
    let until = until_item.and_then(moment);
    if let Some(item) = until_item.filter(|_| from.is_some() && until.is_some() && from >= until) {
        item.place.problem("the experiment ends before it begins");
    }
    let mut changed = Changed::new();
    let experiment = Experiment {
        name: file.texts("name", languages),
        intent: file.texts("intent", languages),
        owner: file.required::<&str>("owner").unwrap_or_default().to_owned(),
        from: from.unwrap_or_default(),
        until,
        metric: metric(&file, known),
        minimum_effect: minimum_effect(&file),
        guards: guards(&file, known),
        arms: arms(&file, known, &mut changed),
        id,
    };
    file.close();
    (experiment, changed)
}

fn metric(file: &Table<'_>, known: &Known<'_>) -> Metric {
    let outcome = file.needs("metric").and_then(|item| match item.text() {
        Some(VALUE) => None,
        _ => known.vocabulary.outcome_names.resolve(item).map(OutcomeName::from),
    });
    Metric {
        outcome,
        within: file.optional("within").unwrap_or(USUAL_WITHIN),
        less_is_better: file.word("better", &BETTER).unwrap_or(false),
    }
}

fn minimum_effect(file: &Table<'_>) -> f64 {
    let Some(item) = file.needs("minimum_effect") else {
        return 1.0;
    };
    let effect = item.read().map_or(1.0, |NotNegative(effect)| effect);
    if effect == 0.0 {
        item.place.problem_with_hint(
            "no experiment is large enough to see an effect of 0",
            "write the smallest difference per customer that would matter to you",
        );
    }
    effect
}

fn guards(file: &Table<'_>, known: &Known<'_>) -> Vec<Guard> {
    let guard = |item: Item<'_>| {
        let outcome = known.vocabulary.outcome_names.check(item.name, item.key)?;
        let worse_by_at_most = item.read().map(|Share(share)| share)?;
        Some(Guard { outcome: OutcomeName::from(outcome), worse_by_at_most })
    };
    file.section("guards").entries().into_iter().filter_map(guard).collect()
}

fn arms<'a>(file: &Table<'a>, known: &Known<'_>, changed: &mut Changed<'a>) -> Vec<Arm> {
    let Some(list) = file.needs("arms") else {
        return Vec::new();
    };
    let mut ids = BTreeSet::new();
    let items = list.list();
    if !(2..=ARMS_MAX).contains(&items.len()) {
        list.place.problem_with_hint(
            format!("an experiment has 2 to {ARMS_MAX} arms, found {}", items.len()),
            "the first arm is what the others are compared with",
        );
    }
    let arms: Vec<Arm> = items.into_iter().map(|item| arm(item, known, &mut ids, changed)).collect();
    let shares: f64 = arms.iter().map(|arm| arm.share).sum();
    if shares > 1.0 + ROUNDING {
        list.place.problem_with_hint(
            format!("the shares of the arms come to {shares}"),
            "keep their sum at most 1; who is left over is not in the experiment",
        );
    }
    arms
}

fn arm<'a>(item: Item<'a>, known: &Known<'_>, ids: &mut BTreeSet<&'a str>, changed: &mut Changed<'a>) -> Arm {
    let table = item.table();
    let id = table.needs("id").and_then(|item| {
        let id: &str = item.read()?;
        report_repetition(ids, "arm", id, item.place);
        Some(id)
    });
    let mut arm = Arm {
        id: ArmId::from(id.unwrap_or_default()),
        share: table.required("share").map_or(0.0, |PositiveShare(share)| share),
        without: BTreeSet::new(),
        without_forms: BTreeSet::new(),
        levers: BTreeMap::new(),
        weights: BTreeMap::new(),
        variant: None,
    };
    for item in table.list("without") {
        leave_out(item, known, &mut arm);
    }
    for item in table.section("levers").entries() {
        if let Some((scope, lever)) = known.vocabulary.scope_names.check(item.name, item.key).zip(item.read())
        {
            changed.push((format!("the lever of `{scope}`"), item));
            arm.levers.insert(scope.to_owned(), lever);
        }
    }
    for item in table.section("weights").entries() {
        if let Some((principle, weight)) = weighing(item, known).zip(item.read()) {
            changed.push((format!("the weight of `{}`", item.name), item));
            arm.weights.insert(principle, weight);
        }
    }
    if let Some(item) = table.get("strategy") {
        let name = match known.variants {
            Some(variants) => variants.resolve(item),
            None => item.read(),
        };
        changed.push(("the whole strategy".to_owned(), item));
        arm.variant = name.map(str::to_owned);
    }
    table.close();
    arm
}

/// Takes a scope of actions out of an arm, or `action#treatment`.
fn leave_out(item: Item<'_>, known: &Known<'_>, arm: &mut Arm) {
    let Some(written) = item.read::<&str>() else {
        return;
    };
    if let Some((action, treatment)) = written.split_once('#') {
        return leave_out_form(item, action, treatment, known, arm);
    }
    let Some(scope) = known.vocabulary.scope_names.check(written, item.place) else {
        return;
    };
    let within = || (0u16..).zip(known.actions).filter(|(_, action)| action.id.within(scope));
    if within().all(|(_, action)| action.spared) {
        item.place.problem_with_hint(
            format!("`{scope}` is service, mandatory or spared, and no experiment withholds that"),
            "compare two forms of it instead: `without = [\"issue/group/action#treatment\"]`",
        );
    }
    arm.without.extend(within().filter(|(_, action)| !action.spared).map(|(index, _)| index));
}

fn leave_out_form(item: Item<'_>, action: &str, treatment: &str, known: &Known<'_>, arm: &mut Arm) {
    let Some(action) = known.vocabulary.action_names.check(action, item.place) else {
        return;
    };
    let found = (0u16..).zip(known.actions).find(|(_, found)| found.id.as_str() == action);
    let Some((index, action)) = found else {
        return;
    };
    let forms = || (0u16..).zip(&action.treatments);
    let Some((form, treatment)) = forms().find(|(_, form)| form.id.as_str() == treatment) else {
        let ids = action.treatments.iter().map(|form| form.id.as_str());
        Names::new("treatment of this action", ids, true).check(treatment, item.place);
        return;
    };
    arm.without_forms.insert((index, form));
    let others = forms().filter(|(_, other)| other.placement == treatment.placement);
    if action.spared && others.into_iter().all(|(other, _)| arm.without_forms.contains(&(index, other))) {
        item.place.problem(format!(
            "`{}` would have no form left at `{}`, and no experiment withholds it",
            action.id, treatment.placement
        ));
    }
}

fn weighing(item: Item<'_>, known: &Known<'_>) -> Option<u16> {
    let weighs = |principle: &&Principle| matches!(principle.kind, PrincipleKind::Weigh { .. });
    let names = known.principles.iter().filter(weighs).map(|principle| principle.id.as_str());
    let name = Names::new("weighing principle", names, true).check(item.name, item.key)?;
    let position = known.principles.iter().position(|principle| principle.id.as_str() == name)?;
    u16::try_from(position).ok()
}

fn overlap(one: &Experiment, other: &Experiment) -> bool {
    let ends_before =
        |one: &Experiment, other: &Experiment| one.until.is_some_and(|until| until <= other.from);
    !ends_before(one, other) && !ends_before(other, one)
}

fn changes(experiment: &Experiment, what: &str, known: &Known<'_>) -> bool {
    experiment.arms.iter().any(|arm| {
        let levers = arm.levers.keys().map(|scope| format!("the lever of `{scope}`"));
        let weights = arm
            .weights
            .keys()
            .map(|principle| format!("the weight of `{}`", known.principles[usize::from(*principle)].id));
        let variant = arm.variant.iter().map(|_| "the whole strategy".to_owned());
        levers.chain(weights).chain(variant).any(|changed| changed == what)
    })
}

/// Levers and weights of an arm keep every factor above 0, as those of the strategy do.
fn report_too_low(experiment: &Experiment, known: &Known<'_>, place: super::problem::Place<'_>) {
    for arm in &experiment.arms {
        let declared = |scope: &str| known.organisation.levers.get(scope).copied();
        let of = |scope: &str| arm.levers.get(scope).copied().or(declared(scope)).unwrap_or(0.0);
        let lowest = known.actions.iter().map(|action| {
            let own = arm.levers.get(action.id.as_str()).copied().unwrap_or(action.lever);
            1.0 + of(action.id.issue()) + of(action.id.group()) + own
        });
        let lowest = lowest.fold(f64::INFINITY, f64::min);
        if lowest <= 0.0 {
            let hint = "keep the sum above 0, or leave the action out with `without`".to_owned();
            let message = format!("in the arm `{}` 1 and the levers of an action come to {lowest}", arm.id);
            place.report.about_file(place.file, message, Some(hint));
        }
        let weights = (0u16..).zip(known.principles).map(|(index, principle)| match principle.kind {
            PrincipleKind::Weigh { weight, .. } => {
                arm.weights.get(&index).copied().unwrap_or(weight).min(0.0)
            }
            _ => 0.0,
        });
        let weights: f64 = weights.sum();
        if weights <= -1.0 {
            let hint = "keep their sum above -1".to_owned();
            let message = format!("in the arm `{}` the negative weights come to {weights}", arm.id);
            place.report.about_file(place.file, message, Some(hint));
        }
    }
}

/// Whether an action is never withheld to measure something.
pub(super) fn is_spared(action: &Action, organisation: &Organisation) -> bool {
    let spares = &organisation.control.spares;
    action.class != Class::Normal || (!spares.is_empty() && applies(spares, &action.id))
}
