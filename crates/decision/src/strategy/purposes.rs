//! For which uses may data serve, what makes each of them lawful, and what is the customer told about it?
//!
//! What the customer is told has a version: the hash of its texts. It deliberately says nothing about who allowed
//! what; that is in the ledger.

use super::{
    category,
    document::{Item, Table},
    model::{Basis, Purpose, Reviewed, TextVersion, Texts},
    names::Names,
    quantity::Count,
    vocabulary::report_unfit_name,
};
use crate::{
    Duration,
    id::{Language, PurposeId},
};
use jiff::tz::TimeZone;

/// How long a consent holds unless declared otherwise.
pub(super) const CONSENT_HOLDS: Duration = Duration::from_hours(365 * 24);
/// Purposes of the IAB Transparency and Consent Framework, from 1.
const TCF_PURPOSES: u32 = 24;

const BASES: [(&str, Basis); 6] = [
    ("consent", Basis::Consent),
    ("contract", Basis::Contract),
    ("legal_obligation", Basis::LegalObligation),
    ("vital_interests", Basis::VitalInterests),
    ("public_task", Basis::PublicTask),
    ("legitimate_interests", Basis::LegitimateInterests),
];

/// Reads `purposes.toml`; sorted by id.
pub(super) fn read(
    file: Table<'_>,
    languages: &[Language],
    channels: &Names,
    time_zone: &TimeZone,
) -> Vec<Purpose> {
    let items = file.declared("purposes");
    let mut purposes: Vec<Purpose> =
        items.into_iter().map(|item| purpose(item, languages, channels, time_zone)).collect();
    file.close();
    purposes.sort_by(|one, other| one.id.cmp(&other.id));
    purposes
}

fn purpose(item: Item<'_>, languages: &[Language], channels: &Names, time_zone: &TimeZone) -> Purpose {
    report_unfit_name("a purpose", item.name, item.key);
    let table = item.table();
    let name = table.texts("name", languages);
    let explanation = match table.get("explanation") {
        Some(_) => table.texts("explanation", languages),
        None => Texts::new(),
    };
    let basis = table.needs("basis").and_then(|basis| basis.word(&BASES)).unwrap_or(Basis::Consent);
    let purpose = Purpose {
        id: PurposeId::from(item.name),
        text: version(&name, &explanation),
        name,
        explanation,
        basis,
        protective: table.optional("protective").unwrap_or(false),
        audit_only: table.optional("audit_only").unwrap_or(false),
        global_privacy_control: table.optional("global_privacy_control").unwrap_or(false),
        needs_text: table.optional("needs_text").unwrap_or(false),
        consent_holds: consent_holds(&table),
        retention: table.optional("retention"),
        channels: channels.resolve_all(table.list("channels")).into_iter().map(Into::into).collect(),
        assessment: reviewed(&table, "assessment", time_zone),
        impact_assessment: reviewed(&table, "impact_assessment", time_zone),
        recipients: recipients(&table),
        forbidden_categories: forbidden_categories(&table),
        profiling: table.optional("profiling").unwrap_or(false),
        segment_category: table.optional::<&str>("segment_category").map(str::to_owned),
        tcf_purpose: table.get("tcf_purpose").and_then(tcf_purpose),
    };
    report_missing_assessment(item, &table, &purpose);
    if purpose.audit_only && purpose.protective {
        item.key.problem_with_hint(
            format!("`{}` is for audits only, and yet decisions would read it to protect", purpose.id),
            "leave out `audit_only` or `protective`",
        );
    }
    table.close();
    purpose
}

/// The version of what a customer is told: equal texts have equal versions.
pub fn version(name: &Texts, explanation: &Texts) -> TextVersion {
    let mut hasher = blake3::Hasher::new();
    for (kind, texts) in [("name", name), ("explanation", explanation)] {
        for (language, text) in texts {
            for part in [kind, language.as_str(), text] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part.as_bytes());
            }
        }
    }
    TextVersion(*hasher.finalize().as_bytes().first_chunk().expect("a hash has 32 bytes"))
}

fn consent_holds(table: &Table<'_>) -> Duration {
    let Some(item) = table.get("consent_holds") else {
        return CONSENT_HOLDS;
    };
    let holds = item.read().unwrap_or(CONSENT_HOLDS);
    if holds > CONSENT_HOLDS || holds <= Duration::ZERO {
        item.place
            .problem_with_hint("a consent holds for at most a year", "ask again after `365d`, or sooner");
    }
    holds
}

fn reviewed(table: &Table<'_>, key: &'static str, time_zone: &TimeZone) -> Option<Reviewed> {
    let item = table.get(key)?;
    let table = item.table();
    let reference = table.required::<&str>("reference");
    let date = table.needs("date").and_then(|date| date.moment(time_zone));
    table.close();
    Some(Reviewed { reference: reference?.to_owned(), date: date? })
}

fn forbidden_categories(table: &Table<'_>) -> Vec<String> {
    let known = |item: Item<'_>| {
        let id: &str = item.read()?;
        if !category::is_known(id) {
            item.place.problem(format!("no category of personal data is called `{id}`"));
        }
        Some(id.to_owned())
    };
    table.list("forbidden_categories").into_iter().filter_map(known).collect()
}

fn recipients(table: &Table<'_>) -> Vec<String> {
    table.list("recipients").into_iter().filter_map(|item| item.read::<&str>()).map(str::to_owned).collect()
}

fn tcf_purpose(item: Item<'_>) -> Option<u8> {
    let Count(number) = item.read()?;
    if number > TCF_PURPOSES {
        item.place.problem(format!("the framework numbers its purposes from 1 to {TCF_PURPOSES}"));
    }
    u8::try_from(number).ok()
}

/// GDPR article 6(1)(f) asks for a balance of interests, article 35 for an impact assessment of systematic
/// profiling; both have to be pointed at before data are used.
fn report_missing_assessment(item: Item<'_>, table: &Table<'_>, purpose: &Purpose) {
    let hint = |key: &str| format!("write `{key} = {{ reference = \"…\", date = 2026-01-15 }}`");
    if purpose.basis == Basis::LegitimateInterests && table.get("assessment").is_none() {
        item.key.problem_with_hint(
            format!("`{}` rests on legitimate interests without an assessment of them", item.name),
            hint("assessment"),
        );
    }
    if purpose.profiling && table.get("impact_assessment").is_none() {
        item.key.problem_with_hint(
            format!("`{}` profiles people systematically without an impact assessment", item.name),
            hint("impact_assessment"),
        );
    }
}
