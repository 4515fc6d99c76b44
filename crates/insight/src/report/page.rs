//! The report as one page to read or print, in Dutch or English: no scripts, nothing from elsewhere.

use super::{Ledger, Mean, Report};
use crate::fairness::{Rate, Share};
use std::fmt::Write;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}\
table{border-collapse:collapse;margin:.5rem 0 1.5rem;width:100%}th,td{text-align:left;padding:.25rem .75rem .25rem 0;\
border-bottom:1px solid #ccc;vertical-align:top}td.n,th.n{text-align:right}h2{margin:1.5rem 0 .25rem;font-size:1.1rem}\
.alarm{font-weight:bold}p.empty{color:#555}@media print{body{margin:0;font-size:11px}h2{break-after:avoid}}";

/// The page in a language: Dutch for `nl`, English for anything else.
pub fn page(report: &Report, language: &str) -> String {
    let page = Page { dutch: language == "nl" };
    let title = page.say("Integrity report", "Integriteitsverslag");
    let mut body = format!("<h1>{title}: {}</h1>\n", escape(&report.organisation));
    body += &page.head(report);
    body += &page.ledgers(report);
    body += &page.manners(report);
    body += &page.vetoes(report);
    body += &page.consents(report);
    body += &page.fairness(report);
    body += &page.reviews(report);
    body += &page.kept(report);
    body += &page.owners(report);
    let language = if page.dutch { "nl" } else { "en" };
    format!(
        "<!doctype html>\n<html lang=\"{language}\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>{title}</title>\n<style>{STYLE}</style>\n{body}</html>\n"
    )
}

struct Page {
    dutch: bool,
}

impl Page {
    fn say(&self, english: &'static str, dutch: &'static str) -> &'static str {
        if self.dutch { dutch } else { english }
    }

    fn section(&self, english: &'static str, dutch: &'static str) -> String {
        format!("<h2>{}</h2>\n", self.say(english, dutch))
    }

    fn empty(&self, english: &'static str, dutch: &'static str) -> String {
        format!("<p class=\"empty\">{}</p>\n", self.say(english, dutch))
    }

    fn head(&self, report: &Report) -> String {
        let beginning = self.say("the beginning", "het begin").to_owned();
        let since = report.since.clone().unwrap_or(beginning);
        let until = report.until.as_ref().unwrap_or(&report.made_at);
        format!(
            "<p>{} {} {} {}. {}: {}. {}: {}.<br>{}: <code>{}</code></p>\n",
            self.say("From", "Van"),
            escape(&since),
            self.say("until", "tot"),
            escape(until),
            self.say("Decisions", "Besluiten"),
            report.decisions,
            self.say("Customers", "Klanten"),
            report.customers,
            self.say("Strategy", "Strategie"),
            escape(&report.strategy),
        )
    }

    fn ledgers(&self, report: &Report) -> String {
        let mut out = self.section(
            "Value per customer, in euro, in both ledgers",
            "Waarde per klant, in euro, in beide grootboeken",
        );
        if report.ledgers.is_empty() {
            return out
                + &self.empty(
                    "Nobody has been looked at for long enough yet, or there is no control group.",
                    "Nog niemand is lang genoeg gevolgd, of er is geen controlegroep.",
                );
        }
        let heads = [
            self.say("group", "groep"),
            self.say("customers", "klanten"),
            self.say("for the customer", "voor de klant"),
            self.say("for the organisation", "voor de organisatie"),
            self.say("added: customer", "toegevoegd: klant"),
            self.say("added: organisation", "toegevoegd: organisatie"),
        ];
        let row = |ledger: &Ledger| {
            let added = |of: fn(&(Mean, Mean)) -> Mean| {
                ledger.added.as_ref().map_or_else(String::new, |both| euro(&of(both)))
            };
            vec![
                ledger.group.clone(),
                ledger.customers.to_string(),
                euro(&ledger.customer),
                euro(&ledger.organisation),
                added(|both| both.0),
                added(|both| both.1),
            ]
        };
        out += &table(&heads, report.ledgers.iter().map(row));
        out
    }

    fn manners(&self, report: &Report) -> String {
        let heads = [
            self.say("manners", "omgangsvormen"),
            self.say("of", "van"),
            self.say("happened", "gebeurd"),
            self.say("share [95 %]", "aandeel [95 %]"),
        ];
        let row = |(name, share): (&str, &Share)| {
            vec![name.to_owned(), share.customers.to_string(), share.happened.to_string(), percent(share)]
        };
        let rows = [
            (self.say("silence (slots)", "stilte (plekken)"), &report.silence),
            (self.say("complaints (customers)", "klachten (klanten)"), &report.complaints),
            (self.say("asked us to stop (customers)", "vroegen ons te stoppen (klanten)"), &report.opt_outs),
        ];
        self.section("Silence, complaints, opt-outs", "Stilte, klachten, afmeldingen")
            + &table(&heads, rows.into_iter().map(row))
    }

    fn vetoes(&self, report: &Report) -> String {
        let out = self.section("Vetoes per principle", "Veto's per principe");
        if report.vetoes.is_empty() {
            return out + &self.empty("There are no principles.", "Er zijn geen principes.");
        }
        let heads = [
            self.say("principle", "principe"),
            self.say("owner", "eigenaar"),
            self.say("decisions in which it held something back", "besluiten waarin het iets tegenhield"),
        ];
        let rows = report
            .vetoes
            .iter()
            .map(|veto| vec![veto.principle.clone(), veto.owner.clone(), veto.decisions.to_string()]);
        out + &table(&heads, rows)
    }

    fn consents(&self, report: &Report) -> String {
        let out = self.section("What customers said about purposes", "Wat klanten over doelen zeiden");
        if report.consents.is_empty() {
            return out + &self.empty("Nobody said anything.", "Niemand zei iets.");
        }
        let words = ["given", "refused", "withdrawn", "objected", "lifted"];
        let heads = [
            self.say("purpose", "doel"),
            self.say("month", "maand"),
            self.say("given", "gegeven"),
            self.say("refused", "geweigerd"),
            self.say("withdrawn", "ingetrokken"),
            self.say("objected", "bezwaar"),
            self.say("lifted", "bezwaar vervallen"),
        ];
        let rows = report.consents.iter().map(|said| {
            let count = |word: &str| said.statements.get(word).copied().unwrap_or(0).to_string();
            let counts = words.iter().map(|word| count(word));
            [said.purpose.clone(), said.month.clone()].into_iter().chain(counts).collect()
        });
        out + &table(&heads, rows)
    }

    fn fairness(&self, report: &Report) -> String {
        let mut out = self.section("Are groups treated alike?", "Worden groepen gelijk behandeld?");
        let fairness = &report.fairness;
        if fairness.protected.is_empty() {
            return out
                + &self.empty(
                    "No protected attribute is declared, so nobody can see it.",
                    "Er is geen beschermd gegeven opgegeven, dus niemand kan het zien.",
                );
        }
        for name in &fairness.not_compared {
            let why = self.say(
                "fewer than two groups that are large enough to tell of",
                "minder dan twee groepen die groot genoeg zijn om over te vertellen",
            );
            out += &format!("<p class=\"empty\"><code>{}</code>: {why}.</p>\n", escape(name));
        }
        if fairness.compared.is_empty() {
            return out;
        }
        let alarms = fairness.alarms().count();
        out += &format!(
            "<p>{alarms} {} {}.</p>\n",
            self.say("alarms in", "alarmen in"),
            fairness.compared.len()
        );
        let heads = [
            self.say("group", "groep"),
            self.say("issue", "onderwerp"),
            self.say("share who", "aandeel dat"),
            self.say("this group", "deze groep"),
            self.say("others", "anderen"),
            self.say("alarm", "alarm"),
        ];
        let rows = fairness.compared.iter().map(|one| {
            let rate = match one.rate {
                Rate::Selection => self.say("heard something", "iets hoorde"),
                Rate::Benefit => self.say("reached its goal", "het doel bereikte"),
            };
            let alarm = if one.alarm { self.say("ALARM", "ALARM") } else { "" };
            vec![
                format!("{} = {}", one.attribute, one.group),
                one.issue.clone(),
                rate.to_owned(),
                percent(&one.ours),
                percent(&one.others),
                alarm.to_owned(),
            ]
        });
        out + &table(&heads, rows)
    }

    fn reviews(&self, report: &Report) -> String {
        let out = self.section("What humans decided", "Wat mensen besloten");
        if report.reviews.is_empty() {
            return out + &self.empty("No human was asked.", "Er is geen mens gevraagd.");
        }
        let heads = [
            self.say("why", "waarom"),
            self.say("asked", "gevraagd"),
            self.say("approved", "goedgekeurd"),
            self.say("refused", "afgewezen"),
            self.say("waiting", "wacht"),
        ];
        let rows = report.reviews.iter().map(|one| {
            let counts = [one.asked, one.approved, one.refused, one.waiting].map(|count| count.to_string());
            [one.why.clone()].into_iter().chain(counts).collect()
        });
        out + &table(&heads, rows)
    }

    fn kept(&self, report: &Report) -> String {
        let kept = &report.kept;
        let dropped: u64 = kept.dropped.values().sum();
        let heads = [self.say("what is kept", "wat wordt bewaard"), self.say("number", "aantal")];
        let rows = [
            (self.say("declared attributes", "opgegeven gegevens"), kept.attributes as u64),
            (self.say("inferred or bought", "afgeleid of ingekocht"), kept.inferred_or_bought as u64),
            (self.say("sensitive", "gevoelig"), kept.sensitive as u64),
            (self.say("for audits only", "alleen voor controle"), kept.audit_only as u64),
            (
                self.say("kept for more than a year", "langer dan een jaar bewaard"),
                kept.longer_than_a_year as u64,
            ),
            (self.say("undeclared values dropped", "niet-opgegeven waarden weggegooid"), dropped),
        ];
        self.section("Data", "Gegevens")
            + &table(&heads, rows.into_iter().map(|(name, count)| vec![name.to_owned(), count.to_string()]))
    }

    fn owners(&self, report: &Report) -> String {
        let heads = [
            self.say("who answers for it", "wie ervoor instaat"),
            self.say("actions", "acties"),
            self.say("principles", "principes"),
            self.say("attributes", "gegevens"),
            self.say("decided by", "besloten door"),
        ];
        let rows = report.owners.iter().map(|owner| {
            let mandates: Vec<&str> = owner.mandates.iter().map(String::as_str).collect();
            vec![
                owner.owner.clone(),
                owner.actions.to_string(),
                owner.principles.to_string(),
                owner.attributes.to_string(),
                mandates.join(", "),
            ]
        });
        self.section("Owners", "Eigenaren") + &table(&heads, rows)
    }
}

fn table(heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut out = String::from("<table>\n<tr>");
    for head in heads {
        write!(out, "<th scope=\"col\">{}</th>", escape(head)).expect("a text can always be added to");
    }
    out += "</tr>\n";
    for row in rows {
        out += "<tr>";
        for cell in row {
            let class = match cell.as_str() {
                "ALARM" => " class=\"alarm\"",
                number if number.parse::<f64>().is_ok() => " class=\"n\"",
                _ => "",
            };
            write!(out, "<td{class}>{}</td>", escape(&cell)).expect("a text can always be added to");
        }
        out += "</tr>\n";
    }
    out + "</table>\n"
}

fn euro(mean: &Mean) -> String {
    match (mean.low, mean.high) {
        (Some(low), Some(high)) => format!("{:+.2} [{low:+.2}, {high:+.2}]", mean.mean),
        _ => format!("{:+.2} [?]", mean.mean),
    }
}

fn percent(share: &Share) -> String {
    format!("{:.1} % [{:.1}, {:.1}]", 100.0 * share.share, 100.0 * share.low, 100.0 * share.high)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
