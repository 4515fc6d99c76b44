//! For which uses may data serve, and what makes each of them lawful?

use super::{
    document::Table,
    model::{Basis, Purpose},
    vocabulary::report_unfit_name,
};
use crate::id::{Language, PurposeId};

const BASES: [(&str, Basis); 6] = [
    ("consent", Basis::Consent),
    ("contract", Basis::Contract),
    ("legal_obligation", Basis::LegalObligation),
    ("vital_interests", Basis::VitalInterests),
    ("public_task", Basis::PublicTask),
    ("legitimate_interests", Basis::LegitimateInterests),
];

/// Reads `purposes.toml`; sorted by id.
pub(super) fn read(file: Table<'_>, languages: &[Language]) -> Vec<Purpose> {
    let mut purposes: Vec<Purpose> = file
        .declared("purposes")
        .into_iter()
        .map(|item| {
            report_unfit_name("a purpose", item.name, item.key);
            let table = item.table();
            let purpose = Purpose {
                id: PurposeId::from(item.name),
                name: table.texts("name", languages),
                basis: table.needs("basis").and_then(|basis| basis.word(&BASES)).unwrap_or(Basis::Consent),
                protective: table.optional("protective").unwrap_or(false),
                global_privacy_control: table.optional("global_privacy_control").unwrap_or(false),
            };
            table.close();
            purpose
        })
        .collect();
    file.close();
    purposes.sort_by(|one, other| one.id.cmp(&other.id));
    purposes
}
