//! The energy world by itself: deterministic, paired, and true to its own truth.

use simulation::energy::{Contact, Happening, Outcomes, Topic, What, World};

fn start() -> decision::Timestamp {
    "2026-01-04T23:00:00Z".parse().unwrap()
}

fn world(seed: u64, customers: usize) -> World {
    World::new(seed, customers, start())
}

fn contact(customer: usize, topic: Topic, channel: &'static str) -> Contact {
    Contact { customer, topic, channel, cost: 0.0 }
}

fn live(world: &mut World, days: i64) -> Vec<Happening> {
    (0..days).flat_map(|day| world.day(day)).collect()
}

#[test]
fn the_same_seed_lives_the_same_days() {
    let (mut one, mut other) = (world(1, 60), world(1, 60));
    assert_eq!(one.registrations(), other.registrations());
    assert_eq!(live(&mut one, 60), live(&mut other, 60));
    assert_ne!(live(&mut world(2, 60), 60), live(&mut world(1, 60), 60));
}

#[test]
fn what_is_said_to_one_customer_changes_no_other_life() {
    let (mut quiet, mut spoken) = (world(3, 80), world(3, 80));
    let mut all = (Vec::new(), Vec::new());
    for day in 0..90 {
        all.0.extend(quiet.day(day));
        all.1.extend(spoken.day(day));
        spoken.say(contact(5, Topic::ExplainBill, "web"), day);
        spoken.say(contact(5, Topic::SavingPlan, "web"), day);
    }
    let of = |happenings: &[Happening], five: bool| -> Vec<Happening> {
        happenings.iter().filter(|happening| (happening.customer == 5) == five).cloned().collect()
    };
    assert_eq!(of(&all.0, false), of(&all.1, false));
    assert_ne!(of(&all.0, true), of(&all.1, true));
}

/// Share of customers with an open need who reach the goal within its window, when `topic` is said to
/// all of them on day 0 and when it is not, and the mean of the two truths.
fn measured(topic: Topic, channel: &'static str, seed: u64) -> [(f64, f64); 2] {
    let customers = 2_500;
    [true, false].map(|acted| {
        let mut world = world(seed, customers);
        world.day(0);
        let mut expected = 0.0;
        let mut concerned = vec![false; customers];
        for (customer, concerned) in concerned.iter_mut().enumerate() {
            let truth = world.truth(customer, topic.action(), channel, 0).unwrap();
            *concerned = truth.goal_if_acted > 0.0;
            expected += if acted { truth.goal_if_acted } else { truth.goal_if_not };
            if acted && *concerned {
                world.say(contact(customer, topic, channel), 0);
            }
        }
        let mut reached = vec![false; customers];
        for day in 1..=i64::from(topic.within_days()) {
            for happening in world.day(day) {
                let goal = matches!(&happening.what, What::Event { name, .. } if *name == topic.event());
                reached[happening.customer] |= goal && concerned[happening.customer];
            }
        }
        let count = concerned.iter().filter(|concerned| **concerned).count() as f64;
        (reached.iter().filter(|reached| **reached).count() as f64 / count, expected / count)
    })
}

#[test]
fn goals_happen_as_often_as_the_truth_says() {
    for (topic, channel) in
        [(Topic::InstallApp, "web"), (Topic::SavingPlan, "email"), (Topic::AskHeating, "web")]
    {
        for (happened, expected) in measured(topic, channel, 11) {
            assert!(
                (happened - expected).abs() < 0.03,
                "{topic:?}: {happened:.3} happened, {expected:.3} expected"
            );
        }
    }
}

#[test]
fn half_of_those_who_renew_would_have_renewed_anyway() {
    let [(acted, _), (alone, _)] = measured(Topic::RenewFixed, "email", 12);
    assert!(alone > 0.2 && acted > alone + 0.02 && alone / acted > 0.5, "{acted:.3} {alone:.3}");
}

/// Mean of what saying `topic` adds, over customers that satisfy `whom`.
fn gain(world: &World, topic: Topic, channel: &str, whom: impl Fn(usize) -> bool) -> f64 {
    let gains: Vec<f64> = (0..world.households().len())
        .filter(|customer| whom(*customer))
        .map(|customer| world.truth(customer, topic.action(), channel, 0).unwrap())
        .filter(|truth| truth.goal_if_acted > 0.0)
        .map(|truth| truth.goal_if_acted - truth.goal_if_not)
        .collect();
    assert!(gains.len() >= 20, "too few customers to compare");
    gains.iter().sum::<f64>() / gains.len() as f64
}

#[test]
fn help_with_arrears_works_early() {
    let world = world(4, 4_000);
    let months = |customer: usize| world.households()[customer].arrears_months(0);
    let early = gain(&world, Topic::PaymentPlan, "email", |customer| months(customer) < 2.0);
    let late = gain(&world, Topic::PaymentPlan, "email", |customer| months(customer) >= 3.0);
    assert!(early > 3.0 * late, "{early:.3} {late:.3}");
}

#[test]
fn heat_pumps_interest_owners_who_burn_much_gas() {
    let world = world(4, 2_000);
    let gas = |customer: usize| world.households()[customer].house.gas_m3;
    let much = gain(&world, Topic::HeatPumpTalk, "web", |customer| gas(customer) >= 1500.0);
    let little = gain(&world, Topic::HeatPumpTalk, "web", |customer| gas(customer) < 1500.0);
    assert!(much > 5.0 * little, "{much:.3} {little:.3}");
    let tenant = world.households().iter().position(|household| !household.house.owned).unwrap();
    let truth = world.truth(tenant, Topic::HeatPumpTalk.action(), "web", 0).unwrap();
    assert_eq!(truth.goal_if_acted, 0.0);
}

#[test]
fn repeating_a_message_wears_it_out_and_annoys() {
    let mut world = world(5, 50);
    let customer = world.households().iter().position(|household| !household.contract.app_user).unwrap();
    let before = world.truth(customer, Topic::InstallApp.action(), "web", 0).unwrap();
    for _ in 0..8 {
        world.say(contact(customer, Topic::InstallApp, "web"), 0);
    }
    let after = world.truth(customer, Topic::InstallApp.action(), "web", 0).unwrap();
    assert!(after.goal_if_acted - after.goal_if_not < 0.5 * (before.goal_if_acted - before.goal_if_not));
    assert!(after.opt_out_if_acted > before.opt_out_if_acted);
    assert!(after.complaint_if_acted > before.complaint_if_acted);
}

#[test]
fn an_offer_in_hard_times_makes_people_complain() {
    let world = world(6, 2_000);
    let risk = |hard: bool| {
        let concerned =
            world.households().iter().enumerate().filter(|(_, household)| household.in_hard_times(0) == hard);
        let risks: Vec<f64> = concerned
            .map(|(customer, _)| {
                world.truth(customer, Topic::BoilerCare.action(), "email", 0).unwrap().complaint_if_acted
            })
            .collect();
        risks.iter().sum::<f64>() / risks.len() as f64
    };
    assert!(risk(true) > 4.0 * risk(false));
}

#[test]
fn with_shuffled_outcomes_it_does_not_matter_what_is_said() {
    let shuffled = || world(7, 120).with_outcomes(Outcomes::Shuffled(1));
    let (mut silent, mut talking) = (shuffled(), shuffled());
    for day in 0..80 {
        for happening in silent.day(day) {
            if let What::Moment(_) = happening.what {
                silent.moment_over(happening.customer, happening.at);
            }
        }
        for happening in talking.day(day) {
            if let What::Moment(_) = happening.what {
                talking.say(contact(happening.customer, Topic::SavingPlan, "web"), day);
                talking.moment_over(happening.customer, happening.at);
            }
        }
    }
    let values = |world: &World| -> Vec<(f64, u32)> {
        world.ledgers().iter().map(|ledger| (ledger.customer + ledger.organisation, ledger.goals)).collect()
    };
    assert_eq!(values(&silent), values(&talking));
    assert!(talking.ledgers().iter().map(|ledger| ledger.contacts).sum::<u32>() > 100);
}

#[test]
fn outcomes_come_one_day_to_four_weeks_after_the_message() {
    let mut world = world(8, 2_000);
    world.day(0);
    (0..2_000).for_each(|customer| {
        world.say(contact(customer, Topic::RefundOwed, "letter"), 0);
    });
    let mut days = Vec::new();
    for day in 1..60 {
        let goals = world.day(day).into_iter().filter(|happening| {
            matches!(&happening.what, What::Event { name: "refund_claimed", .. }) && happening.customer > 0
        });
        days.extend(goals.map(|_| day));
    }
    let early = days.iter().filter(|day| **day <= 28).count();
    assert!(
        early >= 20
            && days.iter().any(|day| (2..=3).contains(day))
            && days.iter().any(|day| (8..=28).contains(day))
    );
}
