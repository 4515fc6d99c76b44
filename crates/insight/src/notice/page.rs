//! The notice as a page that needs nothing else: no script, no picture, no font from elsewhere.

use super::{FactNotice, Notice, PurposeNotice};
use decision::{explain::Tongue, strategy::Sensitivity};
use std::fmt::Write;

const STYLE: &str = "body{font:1.05rem/1.55 system-ui,sans-serif;max-width:46rem;margin:0 auto;padding:1.5rem;color:#1a1a1a;background:#fff}\
h1{line-height:1.2}h2{margin-top:2.5rem}section>h3{margin-bottom:.25rem}\
dl{margin:.25rem 0}dt{font-weight:600}dd{margin:0 0 .4rem}\
small,code{color:#555}ul{padding-left:1.2rem}\
@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}small,code{color:#aaa}a{color:#9cf}}";

impl Notice {
    /// The notice as HTML; `other` is where it can be read in the other language.
    pub fn html(&self, other: Option<&str>) -> String {
        let mut page = String::new();
        self.write(&mut page, other).expect("a text can always be added to");
        page
    }

    fn tongue(&self) -> Tongue {
        if self.language == "nl" { Tongue::Dutch } else { Tongue::English }
    }

    fn write(&self, page: &mut String, other: Option<&str>) -> std::fmt::Result {
        let t = self.tongue();
        let title = t.say("Wat wij van u bewaren, en waarom", "What we keep about you, and why");
        let name = escape(&self.organisation);
        write!(
            page,
            "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width,initial-scale=1\"><title>{title} – {name}</title><style>{STYLE}</style></head>\n<body><main>\n<h1>{title}</h1>\n<p>{name}",
            self.language
        )?;
        if let Some(other) = other {
            let (language, words) = t
                .say("en|Read this in English", "nl|Lees dit in het Nederlands")
                .split_once('|')
                .expect("both are there");
            write!(
                page,
                " · <a href=\"{}\" hreflang=\"{language}\" lang=\"{language}\">{words}</a>",
                escape(other)
            )?;
        }
        writeln!(page, "</p>")?;
        self.write_contact(page, t)?;
        writeln!(page, "<h2>{}</h2>", t.say("Waarvoor wij gegevens gebruiken", "For what we use data"))?;
        for purpose in &self.purposes {
            self.write_purpose(page, t, purpose)?;
        }
        writeln!(page, "<h2>{}</h2>", t.say("Wat wij bewaren", "What we keep"))?;
        writeln!(page, "<dl>")?;
        for fact in &self.facts {
            self.write_fact(page, t, fact)?;
        }
        for record in &self.records {
            let kept = t.say("Bewaard", "Kept");
            writeln!(page, "<dt>{}</dt><dd>{kept}: {}.</dd>", record.what, escape(&record.kept_for))?;
        }
        writeln!(page, "</dl>\n<h2>{}</h2>", t.say("Hoe wij kiezen", "How we choose"))?;
        for told in &self.deciding {
            writeln!(page, "<p>{told}</p>")?;
        }
        writeln!(page, "<h2>{}</h2>\n<dl>", t.say("Wat u kunt doen", "What you can do"))?;
        for right in &self.rights {
            writeln!(page, "<dt>{}</dt><dd>{}.</dd>", right.right, right.how)?;
        }
        let made = t.say("Gemaakt uit versie", "Made from version");
        writeln!(
            page,
            "</dl>\n<p><small>{made} <code>{}</code></small></p>\n</main></body></html>",
            self.version
        )
    }

    fn write_contact(&self, page: &mut String, t: Tongue) -> std::fmt::Result {
        if let Some(contact) = &self.contact {
            writeln!(page, "<p>{}: {}.</p>", t.say("Vragen", "Questions"), escape(contact))?;
        }
        if let Some(officer) = &self.data_protection_officer {
            let what = t.say("Functionaris gegevensbescherming", "Data protection officer");
            writeln!(page, "<p>{what}: {}.</p>", escape(officer))?;
        }
        Ok(())
    }

    fn write_purpose(&self, page: &mut String, t: Tongue, purpose: &PurposeNotice) -> std::fmt::Result {
        writeln!(page, "<section id=\"{}\"><h3>{}</h3>", escape(&purpose.purpose), escape(&purpose.name))?;
        if let Some(explanation) = &purpose.explanation {
            writeln!(page, "<p>{}.</p>", escape(explanation))?;
        }
        writeln!(page, "<p>{}: {}. {}", t.say("Grond", "Ground"), purpose.ground, purpose.choice)?;
        if purpose.protective {
            let only = t.say("Het houdt ons alleen tegen.", "It only ever holds us back.");
            write!(page, " {only}")?;
        }
        if purpose.audit_only {
            let only = t.say(
                "Geen keuze leest het: het laat zien of wij mensen gelijk behandelen.",
                "No choice reads it: it shows whether we treat people alike.",
            );
            write!(page, " {only}")?;
        }
        if purpose.profiling {
            let profiled = t.say(
                "Hiervoor schatten wij stelselmatig in wat bij u past.",
                "For this we systematically estimate what fits you.",
            );
            write!(page, " {profiled}")?;
        }
        if let Some(days) = purpose.retention_days {
            write!(page, " {} {days} {}.", t.say("Ten hoogste", "At most"), t.say("dagen", "days"))?;
        }
        for (what, names) in [
            (t.say("Kanalen", "Channels"), &purpose.channels),
            (t.say("Wie het ook krijgt", "Who else gets it"), &purpose.recipients),
        ] {
            if !names.is_empty() {
                write!(page, " {what}: {}.", escape(&t.list(names.iter().map(String::as_str))))?;
            }
        }
        let text = t.say("Versie van deze tekst", "Version of this text");
        writeln!(page, "<br><small>{text}: <code>{}</code></small></p></section>", purpose.text)
    }

    fn write_fact(&self, page: &mut String, t: Tongue, fact: &FactNotice) -> std::fmt::Result {
        let uses = self.purposes.iter().filter(|purpose| fact.purposes.contains(&purpose.purpose));
        let uses: Vec<String> = uses
            .map(|purpose| format!("<a href=\"#{}\">{}</a>", escape(&purpose.purpose), escape(&purpose.name)))
            .collect();
        write!(page, "<dt>{}", escape(&fact.label))?;
        if fact.household {
            write!(page, " ({})", t.say("van uw huishouden", "of your household"))?;
        }
        if fact.sensitivity == Sensitivity::Special {
            write!(page, " ({})", t.say("bijzonder gegeven", "special category"))?;
        }
        write!(
            page,
            "</dt><dd>{}: {}. {}: {}",
            t.say("Hoe", "How"),
            fact.from,
            t.say("Bewaard", "Kept"),
            fact.kept_for
        )?;
        if let Some(reason) = &fact.retention_reason {
            write!(page, " ({})", escape(reason))?;
        }
        writeln!(page, ". {}: {}.</dd>", t.say("Waarvoor", "For"), uses.join("; "))
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
