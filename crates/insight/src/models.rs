//! What does the model know, and how well does it foresee? One page per outcome: all cards together, the
//! experts believed, the attributes that matter, and a card per action and channel.
//!
//! Cards count what was expected when something was displayed; nobody is named in them. What trying cost
//! is added up from records of decisions ([`tried`]). Deliberately not here: what to do about any of it.

use decision::{Timestamp, candidate::Fate, inputs::Assignment, record::Decision, strategy::Strategy};
use engine::{Engine, EngineError};
use learning::{ColumnWeight, ExpertShare, Foresight, ModelCard, Predictor, Snapshot};
use serde::Serialize;
use std::{collections::BTreeMap, fmt};

/// Attributes told per outcome, those with the most weight.
const ATTRIBUTES_MAX: usize = 20;
/// A column is active when its weight is this many deviations from nothing.
const ACTIVE_DEVIATIONS: f64 = 1.0;
/// Drift beyond this many standard deviations is worth a look.
const DRIFT_ALARM: f64 = 4.0;
/// Fewer settled exposures say nothing about quality.
const SETTLED_MIN: f64 = 100.0;

/// The model that decides now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Models {
    /// Its version: a hash of its content.
    pub version: String,
    /// What it foresees, the goal first.
    pub outcomes: Vec<OutcomeModel>,
    /// What was tried, when records were read for it.
    pub tried: Option<Tried>,
}

/// One outcome.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutcomeModel {
    /// `goal`, `complaint`, …
    pub outcome: String,
    /// All cards together.
    pub foresight: Foresight,
    /// Whom the model believes.
    pub experts: Vec<ExpertShare>,
    /// Attributes that matter, the weightiest first.
    pub attributes: Vec<ColumnWeight>,
    /// Attributes it could use.
    pub attributes_known: usize,
    /// By action, then channel.
    pub cards: Vec<ModelCard>,
}

/// What trying cost in a number of decisions, by what was expected at the time.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Tried {
    /// Slots with something to draw from.
    pub slots: u64,
    /// Slots in which something else than the preferred was picked.
    pub explored: u64,
    /// Expected value given up, in euro.
    pub given_up: f64,
    /// Expected value of what was preferred, in euro.
    pub preferred: f64,
    /// Times each action was picked without being preferred, by its name.
    pub by_action: BTreeMap<String, u64>,
}

impl Tried {
    /// Adds one decision of this strategy. Fixed slots try nothing; control groups are not there to try.
    pub fn add(&mut self, strategy: &Strategy, decision: &Decision) {
        if decision.trace.assignment != Assignment::Strategy {
            return;
        }
        let priority = |candidate: u16| match decision.fates[usize::from(candidate)].fate {
            Fate::PassedOver { priority, .. } | Fate::Chosen { priority, .. } => f64::from(priority),
            Fate::Dropped(_) => 0.0,
        };
        for slot in decision.slots.iter().filter(|slot| !slot.fixed && !slot.contenders.is_empty()) {
            let expected: f64 = slot
                .contenders
                .iter()
                .map(|contender| f64::from(contender.probability) * priority(contender.candidate))
                .sum();
            let best = slot.preferred.map_or(0.0, priority);
            self.slots += 1;
            self.preferred += best;
            self.given_up += (best - expected).max(0.0);
            if slot.pick != slot.preferred {
                self.explored += 1;
                if let Some(pick) = slot.pick {
                    let action = &strategy.actions[usize::from(decision.fates[usize::from(pick)].action)];
                    *self.by_action.entry(action.id.to_string()).or_default() += 1;
                }
            }
        }
    }
}

/// What was tried in the decisions of a time, without those whose strategy is no longer kept.
///
/// # Errors
/// The store cannot be read, or a record is damaged.
pub fn tried(engine: &Engine, since: Timestamp, until: Timestamp) -> Result<Tried, EngineError> {
    let mut tried = Tried::default();
    engine.each_decision(since, until, &mut |decision| {
        match engine.strategy_at(decision.strategy) {
            Ok(published) => tried.add(&published.strategy, &decision),
            Err(EngineError::UnknownStrategy(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    })?;
    Ok(tried)
}

/// What a snapshot knows, the goal first; only about this action when one is given.
pub fn report(snapshot: &Snapshot, action: Option<&str>) -> Models {
    let mut names: Vec<&str> = snapshot.outcomes().collect();
    names.sort_by_key(|name| (*name != decision::propensity::GOAL, *name));
    let outcome = |name: &str| {
        let all = snapshot.column_weights(name, action);
        let attributes_known = all.len();
        let mut attributes: Vec<ColumnWeight> = all
            .into_iter()
            .filter(|column| column.weight.abs() > ACTIVE_DEVIATIONS * column.deviation)
            .collect();
        attributes.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
        attributes.truncate(ATTRIBUTES_MAX);
        let mut cards = snapshot.cards(name);
        cards.retain(|card| action.is_none_or(|action| action == &*card.action));
        Some(OutcomeModel {
            outcome: name.to_owned(),
            foresight: snapshot.foresight(name, action)?,
            experts: snapshot.expert_shares(name),
            attributes,
            attributes_known,
            cards,
        })
    };
    Models {
        version: snapshot.version().to_string(),
        outcomes: names.into_iter().filter_map(outcome).collect(),
        tried: None,
    }
}

impl fmt::Display for Models {
    fn fmt(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(page, "Model {}", self.version)?;
        if self.outcomes.is_empty() {
            writeln!(page, "\nNothing has been learned yet: no window of an outcome has begun.")?;
        }
        self.outcomes.iter().try_for_each(|outcome| write!(page, "\n{outcome}"))?;
        if let Some(tried) = &self.tried {
            let percent = |part: u64| 100.0 * part as f64 / tried.slots.max(1) as f64;
            let cost = 100.0 * tried.given_up / tried.preferred.max(f64::MIN_POSITIVE);
            writeln!(
                page,
                "\nTried: {} of {} slots ({:.1} %) went to something else than what looked best; expected value given up \
                 EUR {:.2} ({:.2} % of what looked best).",
                tried.explored,
                tried.slots,
                percent(tried.explored),
                tried.given_up,
                if tried.preferred > 0.0 { cost } else { 0.0 },
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for OutcomeModel {
    fn fmt(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seen = &self.foresight;
        writeln!(page, "{}", self.outcome)?;
        writeln!(
            page,
            "  {:.0} exposures settled, {:.0} with the outcome{}",
            seen.settled,
            seen.happened,
            quality(seen)
        )?;
        if !seen.calibration.is_empty() {
            writeln!(page, "  expected  happened  exposures")?;
            for bin in &seen.calibration {
                writeln!(
                    page,
                    "  {:>7.2} %  {:>6.2} %  {:>9.0}  {}",
                    100.0 * bin.expected,
                    100.0 * bin.happened,
                    bin.count,
                    "█".repeat((40.0 * bin.happened).round() as usize),
                )?;
            }
        }
        let shares = self.experts.iter().map(|expert| {
            let view = match (expert.context, expert.interactions) {
                (false, _) => "base rates",
                (true, false) => "attributes",
                (true, true) => "attributes and their products",
            };
            format!("{:.0} % {view} (memory {:.0})", 100.0 * expert.share, expert.memory)
        });
        writeln!(page, "  believed: {}", shares.collect::<Vec<_>>().join(", "))?;
        writeln!(page, "  attributes that matter: {} of {}", self.attributes.len(), self.attributes_known)?;
        for column in &self.attributes {
            let word = column.word.as_ref().map_or_else(String::new, |word| format!(" = {word}"));
            writeln!(page, "    {:+.2} ± {:.2}  {}{word}", column.weight, column.deviation, column.name)?;
        }
        let width = self.cards.iter().map(|card| card.action.chars().count()).max().unwrap_or(0);
        for card in &self.cards {
            let seen = &card.foresight;
            writeln!(
                page,
                "  {:<width$}  {:<12}  evidence {:>7.0}  settled {:>7.0}{}",
                card.action,
                card.channel,
                card.evidence,
                seen.settled,
                quality(seen),
            )?;
        }
        Ok(())
    }
}

/// Numbers that mean something, or why there are none.
fn quality(seen: &Foresight) -> String {
    if seen.settled < SETTLED_MIN {
        return String::from("; too few to judge");
    }
    let number = |name: &str, value: Option<f64>, digits: usize| {
        value.map_or_else(String::new, |value| format!(", {name} {value:.digits$}"))
    };
    let drift = match seen.drift {
        drift if drift > DRIFT_ALARM => ", DRIFT: of late more often than expected",
        drift if drift < -DRIFT_ALARM => ", DRIFT: of late less often than expected",
        _ => "",
    };
    let rate = 100.0 * seen.happened / seen.settled;
    [
        format!(", rate {rate:.2} %"),
        number("AUC", seen.auc, 3),
        number("log-loss", seen.log_loss, 4),
        number("calibration error", seen.calibration_error, 4),
        drift.to_owned(),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use learning::{Config, Expected, Exposure, ExposureId, Feature, FeatureValue, Features, Learner, Row};

    fn learned(exposures: u128) -> Learner {
        let mut learner = Learner::new(Config::default());
        for decision in 0..exposures {
            let at_ms = i64::try_from(decision).unwrap_or_default() * 10;
            let old = decision % 2 == 0;
            let feature = Feature { name: "old".into(), value: FeatureValue::Flag(old), confidence: 1.0 };
            let id = ExposureId { decision, slot: 0 };
            learner.apply(&Row::Exposure(Exposure {
                id,
                subject: decision,
                purpose: "marketing".into(),
                at_ms,
                action: if decision % 3 == 0 { "sales/bread/rye".into() } else { "sales/bread/white".into() },
                channel: "web".into(),
                acted: true,
                features: Features::new(vec![feature]),
                expected: vec![Expected { outcome: "goal".into(), event: "bought".into(), within_ms: 5 }],
            }));
            if old && decision % 8 != 0 {
                learner.apply(&Row::Outcome {
                    at_ms,
                    subject: decision,
                    event: "bought".into(),
                    exposure: Some(id),
                });
            }
        }
        learner.advance(i64::MAX);
        learner
    }

    #[test]
    fn a_page_tells_what_is_known_and_how_well() {
        let models = report(&learned(3_000).snapshot(), None);
        let goal = &models.outcomes[0];
        assert_eq!((goal.outcome.as_str(), goal.cards.len()), ("goal", 2));
        assert_eq!(&*goal.attributes[0].name, "old");
        assert!(goal.attributes[0].weight > 0.5);
        let page = models.to_string();
        for expected in
            ["3000 exposures settled", "AUC", "sales/bread/white", "attributes that matter: 1 of 1"]
        {
            assert!(page.contains(expected), "{page}");
        }
    }

    #[test]
    fn a_page_about_one_action_is_about_that_one() {
        let models = report(&learned(3_000).snapshot(), Some("sales/bread/rye"));
        assert_eq!(models.outcomes[0].cards.len(), 1);
        assert_eq!(models.outcomes[0].foresight.settled, 1_000.0);
    }

    #[test]
    fn few_exposures_are_not_judged_and_none_are_told() {
        let few = report(&learned(50).snapshot(), None).to_string();
        assert!(few.contains("too few to judge") && !few.contains("AUC"), "{few}");
        let none = report(&Learner::new(Config::default()).snapshot(), None).to_string();
        assert!(none.contains("Nothing has been learned yet"), "{none}");
    }
}
