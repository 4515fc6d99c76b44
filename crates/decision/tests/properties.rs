//! The promises of [`decision::invariant`], on generated organisations and customers.

use crate::{
    generated::{Case, GROUPS, case, cases, organisation},
    hand,
};
use decision::{
    candidate::Fate,
    decide::decide,
    inputs::Assignment,
    invariant,
    profile::{About, ConsentStatement, ConsentStatus},
    record::{Contender, Decision, Slot},
    strategy::{Attribute, Basis, Strategy},
};
use proptest::{
    collection::vec,
    prelude::*,
    strategy::{Strategy as _, ValueTree},
    test_runner::TestRunner,
};
use std::collections::BTreeMap;

fn with_statement(case: &Case, about: About, status: ConsentStatus) -> Case {
    let mut case = case.clone();
    if let Some(customer) = &mut case.customer {
        customer.profile.consents.push(ConsentStatement {
            about,
            channel: None,
            status,
            at: case.at,
            expires_at: None,
        });
    }
    case
}

/// Every way to say no.
fn everything_against() -> Vec<(About, ConsentStatus)> {
    use ConsentStatus::{Objected, Restricted, Withdrawn};
    let purposes = ["offers", "calls", "advice", "service"].map(|id| About::Purpose(id.into()));
    let topics = ["sales", GROUPS[0], "service"].map(|topic| About::Topic(topic.into()));
    let attributes = ["n0", "f0", "kind", "arrears"].map(|name| About::Attribute(name.into()));
    let withdrawn = purposes.clone().into_iter().map(|about| (about, Withdrawn));
    let objected = purposes.into_iter().chain(topics).chain(attributes).map(|about| (about, Objected));
    withdrawn.chain(objected).chain([(About::Everything, Restricted)]).collect()
}

/// Sixty organisations make 2,400 worlds, every night 102,000.
fn worlds_per_organisation() -> usize {
    if std::env::var_os("ATTENT_NIGHTLY").is_some() { 1_700 } else { 40 }
}

/// The same without the facts of the customer that serve these purposes only.
fn without_fields(case: &Case, strategy: &Strategy, purposes: &[&str]) -> Case {
    let mut bare = case.clone();
    let goes = |attribute: &Attribute| {
        attribute.purposes.iter().all(|index| {
            let purpose = &strategy.purposes[usize::from(*index)];
            purposes.contains(&purpose.id.as_str()) && !purpose.protective
        })
    };
    let gone: Vec<_> = strategy.attributes.iter().filter(|attribute| goes(attribute)).collect();
    let fields = bare.customer.iter_mut().map(|customer| &mut customer.profile.attributes);
    for attributes in fields {
        gone.iter().for_each(|attribute| _ = attributes.remove(&attribute.name));
    }
    bare
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn every_decision_keeps_the_promises_that_one_record_shows(
        organisation in organisation(),
        requests in vec(case(), 40),
    ) {
        let strategy = organisation.strategy();
        for case in &requests {
            prop_assert_eq!(invariant::check(&strategy, &case.decide(&strategy)), Ok(()));
        }
    }

    #[test]
    fn nothing_is_read_without_purpose_basis_and_retention(organisation in organisation(), requests in vec(case(), 40)) {
        let strategy = organisation.strategy();
        for case in &requests {
            let worked = case.work_out(&strategy);
            prop_assert_eq!(invariant::only_what_is_permitted_is_read(&strategy, &case.inputs(), &worked), Ok(()));
        }
    }

    #[test]
    fn withdrawing_or_objecting_adds_no_candidate_and_lifts_no_veto(
        organisation in organisation(),
        requests in vec(case(), 20),
    ) {
        let strategy = organisation.strategy();
        for case in &requests {
            let before = case.decide(&strategy);
            for (about, status) in everything_against() {
                let after = with_statement(case, about, status).decide(&strategy);
                prop_assert_eq!(invariant::withdrawing_adds_nothing(&before, &after), Ok(()));
            }
        }
    }

    #[test]
    fn with_any_consents_withdrawn_the_decision_is_that_on_a_profile_without_those_fields(
        organisation in organisation(),
        requests in vec(case(), worlds_per_organisation()),
        withdrawn in any::<[bool; 4]>(),
    ) {
        let strategy = organisation.strategy();
        let named = ["offers", "calls", "advice", "service"].into_iter().zip(withdrawn);
        let no_to: Vec<&str> = named.filter(|(_, no)| *no).map(|(id, _)| id).collect();
        for case in &requests {
            let refused = no_to.iter().fold(case.clone(), |case, id| {
                let index = strategy.purpose_index(id).expect("declared");
                let consent = strategy.purposes[usize::from(index)].basis == Basis::Consent;
                let no = if consent { ConsentStatus::Withdrawn } else { ConsentStatus::Objected };
                with_statement(&case, About::Purpose((*id).into()), no)
            });
            let (kept, bare) = (refused.decide(&strategy), without_fields(&refused, &strategy, &no_to).decide(&strategy));
            prop_assert_eq!(&kept.fates, &bare.fates);
            prop_assert_eq!(&kept.slots, &bare.slots);
        }
    }

    #[test]
    fn a_dry_run_decides_the_same_and_has_no_effects(organisation in organisation(), requests in vec(case(), 20)) {
        let strategy = organisation.strategy();
        for case in &requests {
            let run = |dry_run: bool| {
                let mut case = case.clone();
                case.request.dry_run = dry_run;
                case.decide(&strategy)
            };
            prop_assert_eq!(invariant::a_dry_run_decides_the_same(&run(true), &run(false)), Ok(()));
        }
    }

    #[test]
    fn the_same_arguments_give_the_same_bytes(organisation in organisation(), requests in vec(case(), 20)) {
        let (once, again) = (organisation.strategy(), organisation.strategy());
        for case in &requests {
            prop_assert_eq!(case.decide(&once).encode(), case.clone().decide(&again).encode());
        }
    }
}

/// Picks over many seeds, compared with what the records said: the sum of (picked − probability) per
/// arm, in standard deviations.
fn deviations(strategy: &Strategy, case: &Case, seeds: u64) -> BTreeMap<Option<u16>, f64> {
    let mut sums: BTreeMap<Option<u16>, (f64, f64)> = BTreeMap::new();
    for seed in 0..seeds {
        let decision = decide(strategy, &case.inputs(), &case.request, case.at, seed);
        let Some(slot) = decision.slots.first() else {
            continue;
        };
        let arms = slot.contenders.iter().map(|arm| (Some(arm.candidate), f64::from(arm.probability)));
        for (arm, probability) in arms.chain([(None, f64::from(slot.silence))]) {
            let (difference, variance) = sums.entry(arm).or_default();
            *difference += f64::from(u8::from(slot.pick == arm)) - probability;
            *variance += probability * (1.0 - probability);
        }
    }
    let in_deviations = |(difference, variance): (f64, f64)| difference / variance.max(1.0).sqrt();
    sums.into_iter().map(|(arm, sum)| (arm, in_deviations(sum))).collect()
}

#[test]
fn picks_over_many_seeds_come_as_often_as_the_records_say() {
    let mut runner = TestRunner::deterministic();
    let mut drawn = 0;
    for _ in 0..400 {
        if drawn == 6 {
            return;
        }
        let strategy = organisation().new_tree(&mut runner).expect("a strategy").current().strategy();
        let mut case = case().new_tree(&mut runner).expect("a request").current();
        case.assignment = Assignment::Strategy;
        let uncertain = |decision: &Decision| {
            let first = decision.slots.first();
            first.is_some_and(|slot| !slot.fixed && slot.contenders.len() > 1 && slot.silence < 0.9)
        };
        if !uncertain(&case.decide(&strategy)) {
            continue;
        }
        drawn += 1;
        for (arm, deviation) in deviations(&strategy, &case, 800) {
            assert!(deviation.abs() < 4.5, "arm {arm:?} is off by {deviation} standard deviations");
        }
    }
    panic!("only {drawn} generated decisions had a real draw");
}

/// Breaks one promise of a sound record.
fn broken(id: &str, alter: fn(&mut Decision)) {
    let strategy = hand::strategy();
    let mut story = hand::Story::on_the_web(2);
    [1.0, 2.0].iter().for_each(|days_ago| story.contact(*days_ago));
    story.number("arrears", 50.0);
    let mut decision = story.decide(&strategy);
    assert_eq!(invariant::check(&strategy, &decision), Ok(()));
    alter(&mut decision);
    let found = invariant::check(&strategy, &decision).expect_err("a broken promise");
    assert_eq!(found.id, id, "{found}");
}

/// Says this candidate too, in a slot of its own.
fn say(decision: &mut Decision, candidate: u16) {
    let number = u16::try_from(decision.slots.len()).expect("few slots");
    decision.fates[usize::from(candidate)].fate = Fate::Chosen { slot: number, priority: 1.0 };
    let contenders = vec![Contender { candidate, probability: 1.0 }];
    decision.slots.push(Slot { number, contenders, pick: Some(candidate), ..Slot::default() });
}

#[test]
fn a_broken_promise_is_named() {
    const RENEW: u16 = 2;
    const LAMP: u16 = 3;
    broken("INV-5", |decision| decision.fates.truncate(3));
    broken("INV-5", |decision| decision.slots[0].pick = None);
    broken("INV-6", |decision| decision.slots[1].preferred = Some(LAMP));
    broken("INV-13", |decision| decision.slots[1].silence = 0.5);
    broken("INV-11", |decision| decision.request.dry_run = true);
    broken("INV-4", |decision| {
        decision.trace.consents.clear();
        say(decision, RENEW);
    });
    broken("INV-10", |decision| say(decision, LAMP));
}
