//! The report as people read it in a terminal.

use super::report::{Line, Report};
use insight::interval::Interval;
use std::fmt;

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "{} simulated customers, {} days, seed {}. Euro per customer above saying nothing, 95 % interval:",
            self.customers, self.days, self.seed
        )?;
        writeln!(
            out,
            "  {:<9}{:>24}{:>24}{:>24}{:>9}{:>10}{:>12}{:>10}",
            "policy",
            "for the customer",
            "for the organisation",
            "together",
            "silence",
            "messages",
            "complaints",
            "opt-outs"
        )?;
        self.lines.iter().try_for_each(|line| write_line(out, line))?;
        writeln!(
            out,
            "  (complaints and opt-outs per 1,000 customers; {:.0} complaints when nobody says anything)\n",
            self.complaints_in_silence
        )?;
        writeln!(out, "Shipped above random:    {} together", euro(&self.gain_over_random.combined))?;
        writeln!(out, "                         {} for the customer", euro(&self.gain_over_random.customer))?;
        writeln!(
            out,
            "                         {} for the organisation",
            euro(&self.gain_over_random.organisation)
        )?;
        writeln!(out, "Of the way from random to knowing the truth: {:.0} %", 100.0 * self.share_of_truth)?;
        writeln!(out, "With shuffled outcomes:  {} (should contain 0)", euro(&self.gain_when_shuffled))?;
        let auc = |auc: Option<f64>| auc.map_or("-".to_owned(), |auc| format!("{auc:.3}"));
        writeln!(
            out,
            "Model, second half:      AUC {} (the truth itself {}), log-loss {:.4}, calibration error {:.4}, {} messages",
            auc(self.model.auc),
            auc(self.auc_of_truth),
            self.model.log_loss,
            self.model.calibration_error,
            self.model.count
        )
    }
}

fn write_line(out: &mut fmt::Formatter<'_>, line: &Line) -> fmt::Result {
    let worth = &line.worth;
    writeln!(
        out,
        "  {:<9}{:>24}{:>24}{:>24}{:>7.0} %{:>10.1}{:>12.0}{:>10.0}",
        line.policy.name(),
        euro(&worth.customer),
        euro(&worth.organisation),
        euro(&worth.combined),
        100.0 * line.silence_share,
        line.contacts,
        line.complaints,
        line.opt_outs
    )
}

fn euro(interval: &Interval) -> String {
    format!("{:.2} [{:.2}, {:.2}]", interval.mean, interval.low, interval.high)
}
