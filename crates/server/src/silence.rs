//! Why is nothing said? The closed list of reasons as codes for programs and sentences for people.

use decision::{candidate::Step, record::SilenceReason};

/// The stable code of a reason.
pub fn code(reason: SilenceReason) -> &'static str {
    match reason {
        SilenceReason::NoCandidates => "no_candidates",
        SilenceReason::AllDropped(_) => "all_dropped",
        SilenceReason::WorthMore => "worth_more",
        SilenceReason::SlotsTaken => "slots_taken",
        SilenceReason::Chance => "chance",
    }
}

/// The step that dropped the last candidate, when all were dropped.
pub fn step(reason: SilenceReason) -> Option<&'static str> {
    let SilenceReason::AllDropped(step) = reason else {
        return None;
    };
    Some(match step {
        Step::Consent => "consent",
        Step::Catalogue => "catalogue",
        Step::Eligibility => "eligibility",
        Step::Applicability => "applicability",
        Step::Suitability => "suitability",
        Step::Principle => "principle",
        Step::ContactPolicy => "contact_policy",
        Step::Arbitration => "arbitration",
        Step::Integrity => "integrity",
    })
}

/// The reason in Dutch for `nl`, else in English.
pub fn sentence(reason: SilenceReason, language: &str) -> &'static str {
    let (dutch, english) = sentences(reason);
    if language == "nl" { dutch } else { english }
}

fn sentences(reason: SilenceReason) -> (&'static str, &'static str) {
    match reason {
        SilenceReason::NoCandidates => {
            ("er is voor deze plek niets in de catalogus", "the catalogue has nothing for this placement")
        }
        SilenceReason::WorthMore => {
            ("niets was de aandacht van de klant waard", "nothing was worth the customer's attention")
        }
        SilenceReason::SlotsTaken => (
            "wat gezegd kon worden, staat al op een andere plek",
            "what could be said is said in another slot",
        ),
        SilenceReason::Chance => (
            "er is geloot om niets te zeggen, om te leren wat stilte doet",
            "silence was drawn, to keep learning what silence brings",
        ),
        SilenceReason::AllDropped(step) => dropped(step),
    }
}

fn dropped(step: Step) -> (&'static str, &'static str) {
    match step {
        Step::Consent => (
            "de klant staat dit gebruik van gegevens niet toe",
            "the customer does not allow this use of data",
        ),
        Step::Catalogue => ("er is nu niets beschikbaar", "nothing is available now"),
        Step::Eligibility => ("niets mag nu gezegd worden", "nothing may be said now"),
        Step::Applicability => ("niets past op dit moment", "nothing makes sense at this moment"),
        Step::Suitability => ("niets is nu goed voor de klant", "nothing is good for the customer now"),
        Step::Principle => ("een principe houdt alles tegen", "a principle holds everything back"),
        Step::ContactPolicy => ("de klant wordt met rust gelaten", "the customer is left in peace"),
        Step::Arbitration => ("de waarde is niet te bepalen", "its value cannot be known"),
        Step::Integrity => ("niets brengt de klant genoeg", "nothing does the customer enough good"),
    }
}
