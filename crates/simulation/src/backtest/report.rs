//! What does a backtest say, for people at a terminal and for machines?

use super::{
    Backtest, Measured,
    drift::{Drift, Episode, Stretch},
    measure,
};
use insight::{interval::Interval, quality::Quality};
use serde_json::{Value, json};

const BAR_MAX: f64 = 40.0;
const ATTRIBUTES_MAX: usize = 12;
const COLUMNS_MAX: usize = 5;

/// Everything as JSON.
pub fn json(backtest: &Backtest) -> Value {
    json!({ "measured": measure(backtest), "occasions": backtest.held })
}

/// The report, for a terminal or a Markdown file.
pub fn text(measured: &Measured) -> String {
    [
        coverage(measured),
        expectations(measured),
        calibration(&measured.scored),
        spared(measured),
        useful(measured),
        drifting(&measured.drift),
        worth(measured),
        limits(measured),
    ]
    .join("\n")
}

fn coverage(measured: &Measured) -> String {
    let mut text = format!(
        "# Backtest: {}\n\n{} customers, {} occasions, {} decisions, {:.0} decisions per second\n",
        measured.name,
        measured.customers,
        measured.occasions,
        measured.decisions,
        measured.decisions_per_second
    );
    text += &format!(
        "something would have been said in {} ({}); silence otherwise:\n",
        measured.said,
        percent(measured.said as f64 / measured.decisions.max(1) as f64)
    );
    for (reason, count) in &measured.silences {
        text += &format!("  {count:>8}  {reason}\n");
    }
    text + &format!(
        "contacts really made: {}, each with an expectation made before it; {} without\n",
        measured.sent, measured.not_scorable
    )
}

fn expectations(measured: &Measured) -> String {
    let mut text = String::from("## How likely is an answer: expected before, seen after\n\n");
    text +=
        &format!("{:<36}{:>9}{:>10}{:>8}{:>10}{:>8}\n", "", "contacts", "answered", "AUC", "log-loss", "ECE");
    text += &quality_line("all, from the very first one", &measured.all);
    text += &quality_line("scored", &measured.scored);
    for (action, quality) in &measured.by_action {
        text += &quality_line(&format!("  {action}"), quality);
    }
    text + &format!(
        "log-loss of always saying the base rate of the scored ones: {:.4}\n",
        measured.scored_base_log_loss
    )
}

fn quality_line(name: &str, quality: &Quality) -> String {
    let auc = quality.auc.map_or("-".into(), |auc| format!("{auc:.4}"));
    format!(
        "{name:<36}{:>9}{:>10}{auc:>8}{:>10.4}{:>8.4}\n",
        quality.count,
        percent(quality.base_rate),
        quality.log_loss,
        quality.calibration_error
    )
}

fn calibration(quality: &Quality) -> String {
    let mut text = String::from("## Calibration of the scored ones\n\n  expected   seen contacts\n");
    for bin in &quality.calibration {
        text += &format!("  {:>8}{:>7}{:>9}\n", percent(bin.estimated), percent(bin.happened), bin.count);
    }
    text
}

fn spared(measured: &Measured) -> String {
    let mut text = String::from(
        "## Contacts spared, least promising first, against answers lost\n\n   spared    lost\n",
    );
    for point in measured.curve.iter().step_by(2) {
        let bar = "█".repeat((point.lost_share * BAR_MAX).round() as usize);
        text += &format!(
            "  {:>7}{:>8}  {bar} {} of {} contacts, {} answers\n",
            percent(point.share),
            percent(point.lost_share),
            point.contacts,
            measured.scored.count,
            point.lost
        );
    }
    let agreement = measured.agreement;
    text + &format!(
        "as decided: {} made too ({} answered), {} spared ({} answered)\n",
        agreement.said, agreement.said_answered, agreement.spared, agreement.spared_answered
    )
}

fn useful(measured: &Measured) -> String {
    let mut text = String::from("## Most useful attributes: what hiding one from the same model costs\n\n");
    text += &format!("{:<28}{:>8}{:>16}{:>10}\n", "", "known", "log-loss rises", "AUC falls");
    for attribute in measured.attributes.iter().take(ATTRIBUTES_MAX) {
        text += &format!(
            "{:<28}{:>8}{:>16.5}{:>10.4}\n",
            attribute.name,
            percent(attribute.known),
            attribute.log_loss_rise,
            attribute.auc_fall
        );
    }
    text
}

fn drifting(drift: &Drift) -> String {
    let mut text = format!(
        "## Drift: expected before, seen after, in order of time\n\n\
         Watched {} contacts. An alarm means: the odds are off by more than a factor {} (e-detector; at least\n\
         {} outcomes between two false alarms of an action on average).\n",
        drift.watched, drift.tolerance, drift.outcomes_per_false_alarm
    );
    text += "\n";
    for (month, stretch) in &drift.months {
        text += &stretch_line(month, stretch);
    }
    if drift.episodes.is_empty() {
        text += "\nno alarm\n";
    }
    for episode in &drift.episodes {
        text += &drifted(episode);
    }
    text
}

fn drifted(episode: &Episode) -> String {
    let alarm = &episode.alarm;
    let mut text = format!(
        "\nALARM {}  {}: expected {}, seen {}, since {} ({} contacts ago)\n",
        episode.day,
        alarm.stream,
        percent(alarm.estimated),
        percent(alarm.happened),
        episode.since,
        alarm.outcomes
    );
    for moved in alarm.moved.iter().take(COLUMNS_MAX) {
        let (from, to) = (&moved.from, &moved.to);
        text += &format!("    moved: {:<28} {from} → {to} (PSI {:.2})\n", moved.column, moved.index);
    }
    text += &stretch_line("before the change", &episode.before);
    text += &stretch_line("until the alarm", &episode.between);
    match (&episode.after, &episode.recovery, &episode.right_on) {
        (Some(after), Some(recovery), Some(day)) => {
            text += &stretch_line("right again, the last", after);
            text + &format!("    … on {day}, {} contacts after the alarm\n", recovery.outcomes)
        }
        _ => text + "    not right again before the data end\n",
    }
}

fn stretch_line(name: &str, stretch: &Stretch) -> String {
    format!(
        "    {name:<28}{:>7} contacts, expected {:>6}, seen {:>6}, log-loss {:.4} (hindsight's base rate {:.4})\n",
        stretch.contacts,
        percent(stretch.estimated),
        percent(stretch.happened),
        stretch.log_loss,
        stretch.hindsight_log_loss
    )
}

fn worth(measured: &Measured) -> String {
    let Some(worth) = &measured.worth else {
        return String::from(
            "## What a policy would have been worth\n\nnot estimated: why these contacts were made is unknown\n",
        );
    };
    let mut text = String::from(
        "## What a policy would have been worth: chance chose, so it can be said\n\n\
         Share that reaches the goal, of all scored customers, by inverse propensity, with its 95 % interval.\n",
    );
    for policy in &worth.policies {
        text += &format!("{:<36}{}\n", policy.name, interval(&policy.goal));
    }
    text + &format!(
        "as we would have decided, over silence: {}; something is said to {} of the customers\n",
        interval(&worth.ours_over_silence),
        percent(worth.ours_said)
    )
}

fn interval(interval: &Interval) -> String {
    format!("{:>7} ({} to {})", percent2(interval.mean), percent2(interval.low), percent2(interval.high))
}

fn percent2(share: f64) -> String {
    format!("{:.2}%", share * 100.0)
}

fn limits(measured: &Measured) -> String {
    let mut text = String::from("## What this does not say\n\n");
    if measured.worth.is_none() {
        text += &format!(
            "Why these {} contacts were made is unknown: their probabilities are recorded as unknown, so no value of\n\
             a policy is estimated. ",
            measured.sent
        );
    }
    text + "An answer that a spared contact would have had counts as lost, although some of\n\
            it might have come anyway. Contacts we would have made and nobody made have no outcome.\n"
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}
