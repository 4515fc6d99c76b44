//! How does a person read it? Tables of plain text.

use super::report::{Hindsight, Layers, Ledger, LeftOut, Missing, Verdict};
use decision::Timestamp;
use insight::interval::Interval;
use std::{collections::BTreeMap, fmt};

/// Most groups shown; all are in the JSON.
const GROUPS_SHOWN: usize = 12;

impl fmt::Display for Hindsight {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "Strategy {} on the decisions {}\n", self.strategy, period(self.since, self.until))?;
        writeln!(
            out,
            "{} decisions about {} customers; {:.1} % of the choices would be others; effective n {:.0}, for what \
             would change {:.0}",
            self.decisions,
            self.customers,
            self.changed * 100.0,
            self.support.effective,
            self.support.tried
        )?;
        writeln!(
            out,
            "silence in {:.1} % of the slots, then {:.1} %\n",
            self.silence.other * 100.0,
            self.silence.then * 100.0
        )?;
        writeln!(out, "Verdict: {}\n", self.verdict)?;
        writeln!(out, "{:<14}{:>28}{:>28}{:>28}", "EUR/1000", "then", "with it", "difference")?;
        for line in &self.ledgers {
            let name = match line.ledger {
                Ledger::Customer => "customer",
                Ledger::Organisation => "organisation",
                Ledger::Total => "total",
            };
            let cells = [line.then, line.other, line.difference].map(|interval| cell(&interval));
            writeln!(
                out,
                "{name:<14}{:>28}{:>28}{:>28}  {}",
                cells[0],
                cells[1],
                cells[2],
                line.verdict.word()
            )?;
        }
        self.tell_volumes(out)?;
        self.tell_groups(out)?;
        tell_left_out(out, &self.left_out)?;
        tell_missing(out, &self.missing)
    }
}

impl Hindsight {
    fn tell_volumes(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "\n{:<40}{:<10}{:>10}{:>10}{:>10}{:>10}",
            "", "", "said", "with it", "reach", "with it"
        )?;
        for line in &self.volumes {
            writeln!(
                out,
                "{:<40}{:<10}{:>10.0}{:>10.0}{:>10.0}{:>10.0}",
                line.action, line.channel, line.said[0], line.said[1], line.reach[0], line.reach[1]
            )?;
        }
        Ok(())
    }

    fn tell_groups(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.groups.is_empty() {
            return Ok(());
        }
        writeln!(out, "\nWho gains and who loses, as customers (EUR per 1000 decisions)")?;
        for group in self.groups.iter().take(GROUPS_SHOWN) {
            let name = format!("{} = {}", group.attribute, group.value);
            let difference = cell(&group.for_customer);
            writeln!(
                out,
                "  {name:<38}{:>8} customers{difference:>28}  {}",
                group.customers,
                group.verdict.word()
            )?;
        }
        match self.groups.len().saturating_sub(GROUPS_SHOWN) {
            0 => Ok(()),
            more => writeln!(out, "  and {more} more, see --json"),
        }
    }
}

impl fmt::Display for Layers {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "What each layer is worth on the decisions {}", period(self.since, self.until))?;
        writeln!(out, "{} decisions about {} customers\n", self.decisions, self.customers)?;
        writeln!(out, "{:<18}{:>28}{:>28}{:>14}", "EUR/1000", "worth", "more than random", "effective n")?;
        for line in &self.lines {
            let (worth, over) = (cell(&line.worth), cell(&line.over_random));
            writeln!(
                out,
                "{:<18}{worth:>28}{over:>28}{:>14.0}  {}",
                line.layer,
                line.support.effective,
                line.verdict.word()
            )?;
        }
        for line in &self.lines {
            if let Verdict::TooLittle(wanting) = &line.verdict {
                writeln!(out, "\n{}: {wanting}", line.layer)?;
            }
        }
        tell_left_out(out, &self.left_out)
    }
}

impl Verdict {
    fn word(&self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Undecided => "no difference shown",
            Self::Same => "the same",
            Self::TooLittle(_) => "too little evidence",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Better => write!(out, "better (99 % sure)"),
            Self::Worse => write!(out, "worse (99 % sure)"),
            Self::Undecided => write!(out, "no difference is shown; it may lie anywhere in the interval"),
            Self::Same => write!(out, "nothing would change"),
            Self::TooLittle(wanting) => write!(out, "none; {wanting}"),
        }
    }
}

/// A mean with its interval, per thousand decisions.
fn cell(interval: &Interval) -> String {
    let Interval { mean, low, high, .. } = interval;
    format!("{:.0} [{:.0}, {:.0}]", mean * 1000.0, low * 1000.0, high * 1000.0)
}

fn tell_left_out(out: &mut fmt::Formatter<'_>, left_out: &LeftOut) -> fmt::Result {
    let reasons = [
        (left_out.control_group, "in a control group"),
        (left_out.nothing_drawn, "nothing was chosen: required, or an open contact shown again"),
        (left_out.withdrawn, "the customer has said no since to what could be used then"),
        (left_out.too_recent, "too recent, outcomes may still come"),
        (left_out.not_repeatable, "cannot be made again from the record"),
        (left_out.unusable, "recorded numbers that cannot be used"),
    ];
    if reasons.iter().all(|(count, _)| *count == 0) {
        return Ok(());
    }
    writeln!(out, "\nDecisions left out")?;
    for (count, reason) in reasons.iter().filter(|(count, _)| *count > 0) {
        writeln!(out, "{count:>8}  {reason}")?;
    }
    let ready = left_out.ready_ms.and_then(|ready_ms| Timestamp::from_millisecond(ready_ms).ok());
    ready.map_or(Ok(()), |ready| writeln!(out, "          all outcomes will be in by {ready}"))
}

fn tell_missing(out: &mut fmt::Formatter<'_>, missing: &Missing) -> fmt::Result {
    let parts: [(&str, &BTreeMap<String, u64>); 4] = [
        ("attributes not in the record, taken as unknown", &missing.attributes),
        ("purposes not asked about then, taken as not agreed to", &missing.purposes),
        ("actions not estimated then, estimated by the model of that moment", &missing.estimated_by_model),
        ("actions not estimated then, taken at their declared prior", &missing.estimated_by_prior),
    ];
    for (what, names) in parts.iter().filter(|(_, names)| !names.is_empty()) {
        writeln!(out, "\n{what} (decisions)")?;
        for (name, count) in *names {
            writeln!(out, "{count:>8}  {name}")?;
        }
    }
    Ok(())
}

/// In words, without bounds that nobody set.
fn period(since: Timestamp, until: Timestamp) -> String {
    let from = (since > Timestamp::UNIX_EPOCH).then(|| format!("from {since}"));
    let to = (until < Timestamp::MAX).then(|| format!("before {until}"));
    match (from, to) {
        (None, None) => "of the whole history".to_owned(),
        (from, to) => [from, to].into_iter().flatten().collect::<Vec<_>>().join(" "),
    }
}
