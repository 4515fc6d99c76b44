//! The employee's reading: what is said and by how much it won, the funnel, the arithmetic, and for
//! every candidate why not, with the least that would have changed it.

use super::{
    CandidateExplanation, Explanation, FunnelStep, Outcome, SlotExplanation, Waterfall,
    texts::{self, Tongue},
};
use crate::{id::Language, inputs::Assignment};
use jiff::tz::TimeZone;
use serde::Serialize;
use std::fmt::Write;

/// What an employee is told.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EmployeeReading {
    /// What was decided, when, over which channel, for whom.
    pub headline: String,
    /// One line per slot.
    pub slots: Vec<String>,
    /// How many candidates were left after each step.
    pub funnel: Vec<String>,
    /// Every candidate, those that got furthest first.
    pub candidates: Vec<CandidateLine>,
    /// What was withheld, per reason.
    pub withheld: Vec<String>,
}

/// One candidate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CandidateLine {
    /// Id of the action.
    pub action: String,
    /// Id of the placement.
    pub placement: String,
    /// Its name.
    pub name: String,
    /// What became of it and why.
    pub fate: String,
    /// The arithmetic in one line, when it got that far.
    pub waterfall: Option<String>,
    /// What would have changed it.
    pub smallest_change: String,
}

impl EmployeeReading {
    /// As text for a terminal or a page.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", self.headline);
        let mut block = |lines: &[String]| {
            if !lines.is_empty() {
                text.push('\n');
                lines.iter().for_each(|line| text.extend(["  ", line, "\n"]));
            }
        };
        block(&self.slots);
        block(&self.funnel);
        for line in &self.candidates {
            let head = format!("{} · {} ({}) · {}", line.name, line.action, line.placement, line.fate);
            let details = [line.waterfall.clone(), Some(line.smallest_change.clone())];
            let indented = details.into_iter().flatten().filter(|detail| !detail.is_empty());
            block(&[vec![head], indented.map(|detail| format!("    {detail}")).collect()].concat());
        }
        block(&self.withheld);
        text
    }
}

impl Explanation {
    /// For an employee: funnel, waterfall, why not the others; Dutch for `nl`, else English.
    pub fn employee(&self, language: &Language) -> EmployeeReading {
        let t = Tongue::of(language);
        let mut candidates: Vec<&CandidateExplanation> = self.candidates.iter().collect();
        candidates.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
        EmployeeReading {
            headline: self.headline(t),
            slots: self.slots.iter().map(|slot| slot_line(t, slot)).collect(),
            funnel: funnel_lines(t, self.candidates.len(), &self.funnel),
            candidates: candidates
                .into_iter()
                .map(|candidate| candidate_line(t, candidate, &self.zone))
                .collect(),
            withheld: self.withheld_lines(t),
        }
    }

    fn headline(&self, t: Tongue) -> String {
        let who = self.customer.as_deref().unwrap_or(t.say("onbekende bezoeker", "unknown visitor"));
        let mut headline = format!("{} · {} · {} · {who}", self.decision, self.at, t.name(&self.channel));
        let marks = [
            (self.vulnerable, t.say("kwetsbaar", "vulnerable")),
            (self.dry_run, t.say("proef", "preview")),
            (
                self.assignment == Assignment::Silence,
                t.say("controlegroep: stilte", "control group: silence"),
            ),
            (
                self.assignment == Assignment::RandomRelevant,
                t.say("controlegroep: toeval", "control group: chance"),
            ),
            (
                self.assignment == Assignment::Today,
                t.say("controlegroep: zoals voorheen", "control group: as before"),
            ),
        ];
        marks.iter().filter(|(holds, _)| *holds).for_each(|(_, mark)| headline.extend([" · ", mark]));
        for place in &self.experiments {
            let experiment = t.say("proef", "experiment");
            headline.extend([" · ", experiment, " ‘", t.name(&place.experiment), "’: ", &place.arm]);
        }
        headline
    }

    fn withheld_lines(&self, t: Tongue) -> Vec<String> {
        let line = |fact: &super::WithheldFact| {
            let (attribute, purpose) = (t.name(&fact.attribute), t.name(&fact.purpose));
            let why = texts::withheld(t, fact.why);
            match t {
                Tongue::Dutch => format!("niet gebruikt voor ‘{purpose}’: {attribute}; {why}"),
                Tongue::English => format!("not used for ‘{purpose}’: {attribute}; {why}"),
            }
        };
        self.withheld.iter().map(line).collect()
    }
}

/// Chosen first, then by priority, then by how far it got.
fn rank(candidate: &CandidateExplanation) -> f64 {
    const FAR: f64 = 1e15;
    match &candidate.outcome {
        Outcome::Chosen { slot } => f64::from(*slot) - 2.0 * FAR,
        Outcome::PassedOver { .. } => {
            -candidate.waterfall.map_or(0.0, |waterfall| waterfall.priority).clamp(-FAR, FAR)
        }
        Outcome::Dropped { step, .. } => 2.0 * FAR - f64::from(*step as u8) * FAR / 100.0,
    }
}

fn slot_line(t: Tongue, slot: &SlotExplanation) -> String {
    let mut line = format!("{} · ", t.name(&slot.placement));
    match (&slot.chosen, slot.silence) {
        (Some(chosen), _) => line.push_str(t.name(&chosen.action)),
        (None, Some(why)) => {
            line.extend([t.say("stilte: ", "silence: "), &texts::silence(t, why)]);
        }
        (None, None) => line.push_str(t.say("stilte", "silence")),
    }
    if slot.awaits_human {
        line.push_str(t.say(" (een mens beslist)", " (a human decides)"));
    }
    if slot.again {
        line.push_str(t.say(" (opnieuw getoond)", " (shown again)"));
    } else if slot.fixed {
        line.push_str(t.say(" (altijd)", " (always)"));
    } else if slot.by_chance {
        line.push_str(t.say(" (geloot, om te leren)", " (drawn, to learn)"));
    }
    if let Some(margin) = slot.margin {
        let other = slot.runner_up.as_ref().map_or(t.say("stilte", "silence"), |name| t.name(name));
        let words = t.say("verschil met", "margin over");
        line.extend(["; ", words, " ", other, ": ", &t.euro(margin)]);
    }
    let percent = |probability: f32| format!("{} %", t.number(f64::from(probability) * 100.0, 1));
    if !slot.fixed && !slot.contenders.is_empty() {
        let arms =
            slot.contenders.iter().map(|arm| format!("{} {}", t.name(&arm.action), percent(arm.probability)));
        let silence = format!("{} {}", t.say("stilte", "silence"), percent(slot.silence_probability));
        let arms: Vec<String> = arms.chain([silence]).collect();
        line.extend(["; ", t.say("kansen", "probabilities"), ": ", &arms.join(", ")]);
    }
    line
}

fn funnel_lines(t: Tongue, candidates: usize, funnel: &[FunnelStep]) -> Vec<String> {
    let start = format!("{candidates} {}", t.say("mogelijkheden", "candidates"));
    let line = |step: &FunnelStep| format!("−{} {} → {}", step.dropped, texts::step(t, step.step), step.left);
    let removing = funnel.iter().filter(|step| step.dropped > 0);
    std::iter::once(start).chain(removing.map(line)).collect()
}

fn candidate_line(t: Tongue, candidate: &CandidateExplanation, zone: &TimeZone) -> CandidateLine {
    let fate = match &candidate.outcome {
        Outcome::Chosen { .. } => t.say("gekozen", "chosen").to_owned(),
        Outcome::PassedOver { why } => texts::passed_over(t, *why).to_owned(),
        Outcome::Dropped { reason, .. } => texts::reason(t, reason),
    };
    CandidateLine {
        action: candidate.action.id.clone(),
        placement: candidate.placement.id.clone(),
        name: t.name(&candidate.action).to_owned(),
        fate,
        waterfall: candidate.waterfall.as_ref().map(|waterfall| waterfall_line(t, waterfall)),
        smallest_change: smallest_line(t, candidate, zone),
    }
}

fn waterfall_line(t: Tongue, waterfall: &Waterfall) -> String {
    let mut line = format!("P {} × V {}", t.number(waterfall.probability_gained, 4), t.euro(waterfall.value));
    if waterfall.worth_knowing > 0.0 {
        let knowing = t.say("waarvan het antwoord weten", "of which knowing the answer");
        let _ = write!(line, " ({knowing} {})", t.euro(waterfall.worth_knowing));
    }
    if waterfall.side_value != 0.0 {
        let _ = write!(line, " + {} {}", t.say("bijeffect", "side effects"), t.euro(waterfall.side_value));
    }
    let _ = write!(
        line,
        " = {}; × C {} × L {} = {}; − {} {} − {} {} = {}",
        t.euro(waterfall.gain),
        t.number(waterfall.context_weight, 2),
        t.number(waterfall.lever, 2),
        t.euro(waterfall.weighed_gain),
        t.say("kosten", "cost"),
        t.euro(waterfall.contact_cost),
        t.say("moeheid", "fatigue"),
        t.euro(waterfall.fatigue),
        t.euro(waterfall.priority),
    );
    if waterfall.gross {
        line.push_str(t.say(" (bruto)", " (gross)"));
    }
    line
}

fn smallest_line(t: Tongue, candidate: &CandidateExplanation, zone: &TimeZone) -> String {
    let smallest = &candidate.smallest;
    match (smallest.aim, smallest.obstacle) {
        (Some(aim), _) => {
            let changes: Vec<String> =
                smallest.changes.iter().map(|change| texts::change(t, change, zone)).collect();
            let then = smallest.next.as_ref().map_or_else(String::new, |next| {
                format!("; {}: {}", t.say("daarna", "then"), texts::reason(t, next))
            });
            let either = changes.join(t.say(" of ", " or "));
            format!("{} {either}{then}", texts::aim(t, aim))
        }
        (None, Some(obstacle)) => texts::obstacle(t, obstacle).to_owned(),
        (None, None) => String::new(),
    }
}
