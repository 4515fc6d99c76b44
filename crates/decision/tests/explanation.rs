//! What the three readings tell, and what they keep to themselves.

use crate::{
    generated::{case, cases, compile, organisation},
    hand::{self, RENEW, Story, strategy},
};
use decision::{
    explain::{Change, CustomerReading, Explanation, Outcome, Reason, explain},
    id::Language,
    profile::{ConsentStatus, Source},
    strategy::Strategy,
};
use proptest::{collection::vec, prelude::*};

fn explained(strategy: &Strategy, story: &Story) -> Explanation {
    explain(strategy, &story.decide(strategy)).expect("a decision just made can be explained")
}

fn dutch() -> Language {
    "nl".into()
}

#[test]
fn the_customer_reads_what_they_told_us_and_nothing_derived() {
    let strategy = strategy();
    let reading = explained(&strategy, &Story::default()).customer(&dutch());
    assert_eq!(
        reading.text(),
        "Morgen koos voor u: ‘Contract verlengen’ (e-mail).\n\n\
         Wat u eraan hebt: zekerheid over uw prijs. Van alles wat nu mocht en bij u paste, leek dit ons het nuttigst.\n\n\
         Wat u ons zelf vertelde en wij hiervoor gebruikten: uw soort contract en uw voornaam. \
         Wat wij weten doordat u klant bij ons bent: hoe lang u klant bent. \
         Alles wat wij van u weten kunt u bij ons inzien.\n\n\
         Komt het niet van pas? Zeg het ons, dan laten wij u hiermee met rust. \
         U gaf ons toestemming voor ‘Aanbiedingen die bij u passen’. Die kunt u op elk moment intrekken; wij houden ons er meteen aan. \
         Klopt er iets niet? U kunt het verbeteren of een medewerker vragen."
    );
}

/// Words that claim something about the reader: a choice, an agreement, what they have or are.
const CLAIMS: [&str; 8] = [
    "toestemming",
    "bij u paste",
    "dit hoort bij onze afspraak",
    "bezwaar",
    "consent",
    "suited you",
    "our agreement with you",
    "object",
];

/// What an unrecognised visitor reads, in Dutch and English, where a lamp is offered to whom allows it.
fn visitor_reads(story: &mut Story) -> [CustomerReading; 2] {
    let mut files = hand::files();
    let mut replace = |path: &str, before: &str, after: &str| {
        let file = files.get_mut(path).expect("a file");
        assert!(file.contains(before), "{path}");
        *file = file.replace(before, after);
    };
    replace("actions/sales/extra/lamp.toml", "purpose = \"contract\"", "purpose = \"offers\"");
    replace("principles/all.toml", "when_unknown = \"veto\"", "when_unknown = \"pass\"");
    story.recognised = false;
    let explanation = explained(&compile(files), story);
    ["nl", "en"].map(|language| explanation.customer(&language.into()))
}

#[test]
fn a_visitor_nobody_knows_reads_no_claim_about_themself() {
    let readings = visitor_reads(&mut Story::on_the_web(1));
    for reading in &readings {
        assert!(reading.headline.contains("Lamp"), "{}", reading.headline);
        let text = reading.text().to_lowercase();
        CLAIMS.iter().for_each(|claim| assert!(!text.contains(claim), "{claim}: {text}"));
    }
    let [dutch, english] = readings;
    assert_eq!(
        dutch.why[1],
        "Van alles wat wij hier kunnen zeggen zonder te weten wie u bent, kozen wij dit."
    );
    assert_eq!(english.why[1], "Of everything we can say here without knowing who you are, we chose this.");
    assert_eq!(english.data_used, ["We did not know who you were and used no data about you."]);
    assert_eq!(
        dutch.can_do,
        [
            "Wij weten niet wie u bent; er is hier niets van u om te verbeteren of in te trekken. Hebt u een vraag, dan helpt een medewerker u graag."
        ]
    );
}

#[test]
fn a_visitor_nobody_knows_who_hears_nothing_reads_no_claim_about_themself() {
    let [dutch, english] = visitor_reads(&mut Story::default());
    assert_eq!(
        dutch.why,
        ["Wij hadden niets te zeggen dat wij zonder te weten wie u bent mogen of willen zeggen."]
    );
    assert_eq!(
        english.why,
        ["We had nothing to say that we may or want to say without knowing who you are."]
    );
    assert_eq!(english.data_used, ["We did not know who you were and used no data about you."]);
    assert_eq!(
        english.can_do,
        [
            "We do not know who you are; there is nothing of yours here to correct or to withdraw. If you have a question, one of our people will gladly help."
        ]
    );
}

#[test]
fn a_customer_who_hears_nothing_reads_why() {
    let strategy = strategy();
    let mut story = Story::default();
    story.outcome("complaint", None, 2.0);
    let reading = explained(&strategy, &story).customer(&"en".into());
    assert_eq!(reading.headline, "Morgen left you in peace this time.");
    assert_eq!(reading.why, ["You have a complaint with us. We solve that first."]);
}

#[test]
fn a_principle_that_rests_on_derived_data_is_not_told_to_the_customer() {
    let strategy = strategy();
    let mut story = Story::default();
    story.knows("arrears", decision::value::Value::Number(90.0), Source::Observed);
    let told = explained(&strategy, &story).customer(&dutch()).text();
    assert!(told.contains("krijgt hulp en geen aanbod"), "{told}");
    story.knows("arrears", decision::value::Value::Number(90.0), Source::Derived);
    let told = explained(&strategy, &story).customer(&dutch()).text();
    assert!(!told.contains("krijgt hulp en geen aanbod"), "{told}");
    assert!(told.contains("niets te zeggen waar u nu echt iets aan had"), "{told}");
}

#[test]
fn an_employee_reads_the_count_of_a_limit_and_when_it_is_free_again() {
    let strategy = strategy();
    let mut story = Story::default();
    [1.0, 2.0, 6.5].iter().for_each(|days_ago| story.contact(*days_ago));
    let explanation = explained(&strategy, &story);
    let line = &explanation.employee(&"en".into()).candidates[0];
    assert_eq!(line.fate, "limit `three_a_week`: 3 of 3 in 7 days; free again at 2026-03-09T22:00+01:00");
    assert_eq!(
        explanation.employee(&dutch()).candidates[0].fate,
        "limiet `three_a_week`: 3 van 3 in 7 dagen; weer vrij op 2026-03-09T22:00+01:00"
    );
}

#[test]
fn an_employee_reads_the_arithmetic_and_the_clause_that_failed() {
    let strategy = strategy();
    let mut story = Story::on_the_web(1);
    let explanation = explained(&strategy, &story);
    let lines = explanation.employee(&"en".into());
    let line =
        |action: &str| lines.candidates.iter().find(|line| line.action == action).expect("a candidate");
    let waterfall = line(RENEW).waterfall.clone().expect("it was weighed");
    assert!(waterfall.starts_with("P 0.2000 × V € 70.00 + side effects € -0.21 = € 13.7"), "{waterfall}");
    assert_eq!(line("care/money/plan").fate, "may we: `customer.arrears > 0.0` does not hold");
    assert!(lines.text().contains("−1 may we → 3"), "{}", lines.text());
    story.forget("contract_type");
    let unknown = explained(&strategy, &story).employee(&"en".into());
    let fate = &unknown.candidates.iter().find(|line| line.action == RENEW).expect("a candidate").fate;
    assert_eq!(fate, "may we: `customer.contract_type == \"variable\"` is not known (your kind of contract)");
}

#[test]
fn the_smallest_change_names_the_consent_the_fact_or_the_moment() {
    let strategy = strategy();
    let changes = |story: &Story| explained(&strategy, story).candidates[0].smallest.changes.clone();
    let mut story = Story::default();
    story.states("mailing", ConsentStatus::Refused);
    assert!(matches!(&changes(&story)[..], [Change::Consent { purpose, .. }] if purpose.id == "mailing"));
    let mut story = Story::default();
    story.number("years", 0.5);
    assert!(matches!(&changes(&story)[..], [Change::Facts { facts }] if facts[0].name.id == "years"));
    let mut story = Story::default();
    story.outcome("rejected", Some(RENEW), 10.0);
    assert!(
        matches!(&changes(&story)[..], [Change::Wait { until, .. }] if until == "2026-03-29T11:00+02:00")
    );
}

#[test]
fn what_would_stand_in_the_way_next_is_told_too() {
    let strategy = strategy();
    let mut story = Story::default();
    story.number("years", 0.5);
    story.outcome("complaint", None, 2.0);
    let line = explained(&strategy, &story).employee(&"en".into()).candidates[0].clone();
    assert_eq!(
        line.smallest_change,
        "would not be dropped here with how long you are a customer: 1.001 instead of 0.5; \
         then: a complaint is open since 2026-03-07T10:00+01:00"
    );
}

#[test]
fn the_auditor_gets_everything_as_data() {
    let strategy = strategy();
    let mut story = Story::on_the_web(2);
    story.states("offers", ConsentStatus::Withdrawn);
    let explanation = explained(&strategy, &story);
    let reasons: Vec<&Reason> = explanation
        .auditor()
        .candidates
        .iter()
        .filter_map(|candidate| match &candidate.outcome {
            Outcome::Dropped { reason, .. } => Some(reason),
            _ => None,
        })
        .collect();
    assert!(reasons.iter().any(|reason| matches!(reason, Reason::NoBasis { .. })), "{reasons:?}");
    assert!(explanation.withheld.iter().any(|withheld| withheld.attribute.id == "years"));
    assert_eq!(explanation.funnel.last().map(|step| step.left), Some(1));
}

proptest! {
    #![proptest_config(cases(25))]

    #[test]
    fn customers_never_read_derived_data_or_other_candidates(organisation in organisation(), requests in vec(case(), 12)) {
        let strategy = organisation.strategy();
        for case in &requests {
            let explanation = explain(&strategy, &case.decide(&strategy)).expect("explained");
            for language in ["nl", "en"] {
                let text = explanation.customer(&language.into()).text();
                let known = case.customer.iter().flat_map(|customer| &customer.profile.attributes);
                for (name, _) in known.filter(|(_, value)| matches!(value.source, Source::Derived | Source::ThirdParty)) {
                    prop_assert!(!text.contains(&format!("label {name}")), "{}", text);
                }
                for candidate in &explanation.candidates {
                    let said = matches!(candidate.outcome, Outcome::Chosen { .. })
                        || explanation.slots.iter().flat_map(|slot| &slot.chosen).any(|chosen| chosen.action == candidate.action);
                    prop_assert!(said || !text.contains(&candidate.action.name[&Language::from("en")]), "{}", text);
                }
                prop_assert!(!text.contains('€'));
                prop_assert!(!explanation.employee(&language.into()).text().is_empty());
            }
        }
    }
}
