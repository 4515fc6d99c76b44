//! What does a backtest say, for people at a terminal and for machines?

use super::{Backtest, Measured, measure};
use insight::quality::Quality;
use serde_json::{Value, json};

const BAR_MAX: f64 = 40.0;
const ATTRIBUTES_MAX: usize = 12;

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
        "really sent: {}, each with an expectation made before it; {} without\n",
        measured.sent, measured.not_scorable
    )
}

fn expectations(measured: &Measured) -> String {
    let mut text = String::from("## How likely is an answer: expected before, seen after\n\n");
    text +=
        &format!("{:<36}{:>8}{:>10}{:>8}{:>10}{:>8}\n", "", "letters", "answered", "AUC", "log-loss", "ECE");
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
        "{name:<36}{:>8}{:>10}{auc:>8}{:>10.4}{:>8.4}\n",
        quality.count,
        percent(quality.base_rate),
        quality.log_loss,
        quality.calibration_error
    )
}

fn calibration(quality: &Quality) -> String {
    let mut text = String::from("## Calibration of the scored ones\n\n  expected   seen  letters\n");
    for bin in &quality.calibration {
        text += &format!("  {:>8}{:>7}{:>9}\n", percent(bin.estimated), percent(bin.happened), bin.count);
    }
    text
}

fn spared(measured: &Measured) -> String {
    let mut text =
        String::from("## Letters spared, least promising first, against answers lost\n\n   spared    lost\n");
    for point in measured.curve.iter().step_by(2) {
        let bar = "█".repeat((point.lost_share * BAR_MAX).round() as usize);
        text += &format!(
            "  {:>7}{:>8}  {bar} {} of {} letters, {} answers\n",
            percent(point.share),
            percent(point.lost_share),
            point.contacts,
            measured.scored.count,
            point.lost
        );
    }
    let agreement = measured.agreement;
    text + &format!(
        "as decided: {} sent too ({} answered), {} spared ({} answered)\n",
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

fn limits(measured: &Measured) -> String {
    format!(
        "## What this does not say\n\n\
         Why these {} letters were sent is unknown: their probabilities are recorded as unknown, so no value of\n\
         a policy is estimated. An answer that a spared letter would have had counts as lost, although some of\n\
         it might have been bought anyway. Letters we would have sent and nobody sent have no outcome.\n",
        measured.sent
    )
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}
