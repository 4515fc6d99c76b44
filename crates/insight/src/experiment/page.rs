//! One comparison as people read it: the arms, the differences with their bounds, and what to do.

use super::{
    advice::Phase,
    report::{ArmReport, Difference, Report},
    sequence::Sequence,
};
use std::fmt;

impl Report {
    fn is_value(&self) -> bool {
        self.metric == "value"
    }

    /// An amount in the unit of what is compared.
    fn amount(&self, amount: f64) -> String {
        if self.is_value() { format!("€ {amount:.2}") } else { percent(amount) }
    }

    fn bounds(&self, sequence: &Sequence) -> String {
        match sequence.speaks() {
            true => format!("between {} and {}", self.amount(sequence.low), self.amount(sequence.high)),
            false => "too little yet for bounds".to_owned(),
        }
    }

    fn arm_line(&self, arm: &ArmReport) -> String {
        let ledgers = format!(
            "customer € {:.2}, organisation € {:.2}",
            arm.value_for_customer, arm.value_for_organisation
        );
        format!(
            "  {:<16} {:>6} {:>9} entered {:>9} counted  {:>10} each  ({ledgers})",
            arm.arm,
            percent(arm.share),
            arm.enrolled,
            arm.metric.customers,
            self.amount(arm.metric.mean),
        )
    }

    fn difference_lines(&self, difference: &Difference) -> Vec<String> {
        let Difference { arm, minus, metric, guards } = difference;
        let mut lines =
            vec![format!("  {arm} − {minus}: {}, {}", self.amount(metric.mean), self.bounds(metric))];
        for guard in guards {
            let rise = match guard.rise.speaks() {
                true => {
                    format!("between {} and {}", percent(guard.rise.low), percent(guard.rise.high))
                }
                false => "too little yet for bounds".to_owned(),
            };
            lines.push(format!("    {} rises {rise}; {} is borne", guard.outcome, percent(guard.at_most)));
        }
        lines
    }

    fn plan_line(&self) -> Option<String> {
        let needed = self.customers_needed?;
        let mut line =
            format!("  a difference of {} takes about {needed} customers", self.amount(self.minimum_effect));
        if let Some(detectable) = self.detectable_at_end.filter(|_| self.phase == Phase::Running) {
            line += &format!("; by its end one of {} would be seen", self.amount(detectable));
        }
        Some(line)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owner = self.owner.as_ref().map_or_else(String::new, |owner| format!(", {owner}"));
        let phase = match self.phase {
            Phase::Planned => "planned",
            Phase::Running => "running",
            Phase::Finishing => "finishing",
            Phase::Over => "over",
        };
        let what = if self.is_value() {
            "value of both ledgers".to_owned()
        } else {
            format!("share with `{}`", self.metric)
        };
        let better = if self.less_is_better { ", less is better" } else { "" };
        writeln!(
            formatter,
            "{} ({phase}{owner}): {what} per customer in {} days{better}; look {}, the bounds hold for all looks together",
            self.id, self.within_days, self.looks
        )?;
        self.arms.iter().try_for_each(|arm| writeln!(formatter, "{}", self.arm_line(arm)))?;
        for difference in &self.differences {
            for line in self.difference_lines(difference) {
                writeln!(formatter, "{line}")?;
            }
        }
        if let Some(line) = self.plan_line() {
            writeln!(formatter, "{line}")?;
        }
        if self.ratio.broken {
            writeln!(formatter, "  customers are not spread as declared (p {:.1e})", self.ratio.p)?;
        }
        if self.unvalued > 0 {
            writeln!(
                formatter,
                "  {} goals have a value that is known of nobody and count as 0",
                self.unvalued
            )?;
        }
        writeln!(formatter, "  → {}", self.advice_text)
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
