//! What does a customer get to keep of what they allowed? Consent receipts as ISO/IEC TS 27560 has them, in the
//! words of the W3C Data Privacy Vocabulary, as JSON-LD.

use decision::{
    id::Language,
    profile::{About, ConsentStatus},
    strategy::{Basis, Strategy},
};
use engine::{LedgerEntry, PurposeText};
use jiff::Timestamp;
use serde_json::{Value as AnyJson, json};

/// The receipt of one entry of the ledger; `None` when it is not about a purpose that this strategy has.
/// `text` is what the customer was told, where that is known.
pub fn receipt(
    strategy: &Strategy,
    customer: &str,
    entry: &LedgerEntry,
    text: Option<&PurposeText>,
    now: Timestamp,
) -> Option<AnyJson> {
    let About::Purpose(id) = &entry.statement.about else {
        return None;
    };
    let index = strategy.purpose_index(id.as_str())?;
    let purpose = &strategy.purposes[usize::from(index)];
    let data: Vec<&str> = strategy
        .attributes
        .iter()
        .filter(|attribute| attribute.purposes.contains(&index))
        .filter_map(|attribute| attribute.category.as_deref())
        .collect::<std::collections::BTreeSet<&str>>()
        .into_iter()
        .collect();
    let said_at = entry.statement.at.to_string();
    let record_id = record_id(customer, entry);
    Some(json!({
        "@context": {
            "dpv": "https://w3id.org/dpv#",
            "dpv-pd": "https://w3id.org/dpv/pd#",
            "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
            "dct": "http://purl.org/dc/terms/",
        },
        "@type": "dpv:ConsentReceipt",
        "dct:identifier": format!("receipt-{record_id}"),
        "dct:conformsTo": "https://w3id.org/dpv/schema/dpv-27560#receipt",
        "dct:created": now.to_string(),
        "dct:publisher": strategy.organisation.name,
        "dpv:hasRecordOfActivity": {
            "@type": "dpv:ConsentRecord",
            "dct:identifier": record_id,
            "dct:conformsTo": "https://w3id.org/dpv/schema/dpv-27560#record",
            "dpv:hasDataSubject": customer,
            "dpv:hasDataController": strategy.organisation.name,
            "dpv:hasApplicableLaw": "eu-gdpr:GDPR",
            "dpv:hasProcess": {
                "@type": "dpv:Process",
                "dpv:hasPurpose": {
                    "dct:identifier": id.as_str(),
                    "dct:title": translations(&purpose.name),
                    "dct:description": translations(&purpose.explanation),
                },
                "dpv:hasLegalBasis": legal_basis(purpose.basis),
                "dpv:hasPersonalData": data,
                "dpv:hasStorageCondition": {
                    "@type": "dpv:StorageDuration",
                    "dpv:hasDuration": purpose.retention.map(|kept| format!("P{}D", kept.as_hours() / 24)),
                },
                "dpv:hasCommunicationMechanism": entry.statement.channel.as_ref().map(|channel| channel.as_str()),
            },
            "dpv:hasNotice": {
                "@type": "dpv:ConsentNotice",
                "dct:hasVersion": entry.text.map(|version| version.to_string()),
                "dct:title": text.map(|text| translations(&text.name)),
                "dct:description": text.map(|text| translations(&text.explanation)),
            },
            "dpv:hasConsentStatus": {
                "@type": consent_status(entry, now),
                "dpv:isIndicatedAtTime": said_at,
                "dpv:hasExpiryTime": entry.statement.expires_at.map(|end| end.to_string()),
                "dpv:hasIndicationMethod": entry.evidence.as_ref().map(|evidence| evidence.kind().as_str()),
                "dct:source": entry.evidence.as_ref().and_then(|evidence| evidence.reference()),
            },
        },
    }))
}

/// Says nothing about the person, and is the same each time.
fn record_id(customer: &str, entry: &LedgerEntry) -> String {
    let about = entry.statement.about.named().1.unwrap_or_default();
    let key = format!(
        "{customer}/{about}/{:?}/{}/{}",
        entry.statement.status,
        entry.statement.at.as_millisecond(),
        entry.received_at_ms
    );
    blake3::hash(key.as_bytes()).to_hex()[..32].to_owned()
}

fn translations(texts: &std::collections::BTreeMap<Language, String>) -> Vec<AnyJson> {
    texts.iter().map(|(language, text)| json!({ "@language": language.as_str(), "@value": text })).collect()
}

fn consent_status(entry: &LedgerEntry, now: Timestamp) -> &'static str {
    match entry.statement.status {
        ConsentStatus::Given if entry.statement.expires_at.is_some_and(|end| end <= now) => {
            "dpv:ConsentExpired"
        }
        ConsentStatus::Given => "dpv:ConsentGiven",
        ConsentStatus::Refused => "dpv:ConsentRefused",
        ConsentStatus::Withdrawn => "dpv:ConsentWithdrawn",
        ConsentStatus::Objected | ConsentStatus::Restricted => "dpv:ConsentStatusInvalidForProcessing",
        ConsentStatus::Lifted => "dpv:ConsentUnknown",
    }
}

fn legal_basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Consent => "eu-gdpr:A6-1-a",
        Basis::Contract => "eu-gdpr:A6-1-b",
        Basis::LegalObligation => "eu-gdpr:A6-1-c",
        Basis::VitalInterests => "eu-gdpr:A6-1-d",
        Basis::PublicTask => "eu-gdpr:A6-1-e",
        Basis::LegitimateInterests => "eu-gdpr:A6-1-f",
    }
}
