//! Arms that are looked at after every single customer: how often is something claimed that is not there,
//! do the bounds hold the truth at every look, and is what is there found?
//!
//! Gate L7: 2,000 runs; `ATTENT_NIGHTLY` makes each twenty times as long.

use insight::{
    experiment::{
        power::Design,
        ratio::Ratio,
        sequence::{ALPHA, Moments, Sequence},
    },
    interval::Interval,
};

const RUNS: u64 = 2_000;

fn customers() -> u64 {
    if std::env::var_os("ATTENT_NIGHTLY").is_some() { 20_000 } else { 1_000 }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Chance(u64);

impl Chance {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn happens(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }
}

/// What becomes of one customer.
type Life = fn(&mut Chance) -> f64;

/// Bought, or not.
fn bought(chance: &mut Chance) -> f64 {
    f64::from(u8::from(chance.happens(0.05)))
}

/// Both ledgers: messages cost a little, few renew, fewer complain, and what a renewal brings differs widely.
fn value(chance: &mut Chance) -> f64 {
    let mut value = -0.02 * (chance.uniform() * 12.0).floor();
    if chance.happens(0.08) {
        value += 25.0 + 40.0 * chance.uniform() * chance.uniform();
    }
    if chance.happens(0.006) {
        value -= 55.0;
    }
    value
}

/// Looks after every customer of a run; `each` gets the two arms, ours and theirs.
fn run(
    seed: u64,
    customers: u64,
    share: f64,
    life: Life,
    effect: f64,
    mut each: impl FnMut(&Moments, &Moments),
) {
    let mut chance = Chance(seed.wrapping_mul(0x5851_F42D_4C95_7F2D));
    let (mut ours, mut theirs) = (Moments::default(), Moments::default());
    for _ in 0..customers {
        match chance.happens(share) {
            true => ours.add(life(&mut chance) + effect),
            false => theirs.add(life(&mut chance)),
        }
        each(&ours, &theirs);
    }
}

/// In which share of runs the bounds ever lose the truth.
fn lost_at_some_look(share: f64, life: Life, effect: f64) -> f64 {
    let lost = (0..RUNS).filter(|seed| {
        let mut lost = false;
        run(*seed, customers(), share, life, effect, |ours, theirs| {
            let found = Sequence::of_difference(ours, theirs, ALPHA);
            lost |= found.low > effect || found.high < effect;
        });
        lost
    });
    lost.count() as f64 / RUNS as f64
}

#[test]
fn arms_without_a_difference_that_are_looked_at_after_every_customer_seldom_show_one() {
    for (name, share, life) in
        [("bought", 0.5, bought as Life), ("value", 0.5, value), ("value, lopsided", 0.9, value)]
    {
        let claimed = lost_at_some_look(share, life, 0.0);
        println!("{name}: a difference claimed at some look in {:.2} % of {RUNS} runs", 100.0 * claimed);
        assert!(claimed <= ALPHA, "{name}: {claimed}");
    }
}

#[test]
fn bounds_hold_the_true_difference_at_every_look() {
    for (name, effect) in [("a gain", 1.5), ("a loss", -0.7)] {
        let lost = lost_at_some_look(0.5, value, effect);
        println!("{name} of {effect}: lost at some look in {:.2} % of {RUNS} runs", 100.0 * lost);
        assert!(lost <= ALPHA, "{name}: {lost}");
    }
}

/// Shows that the tests above could fail, and why nobody should peek at an ordinary interval.
#[test]
fn an_ordinary_interval_that_is_looked_at_every_hundred_customers_is_often_fooled() {
    const FEWER_RUNS: u64 = 200;
    let fooled = (0..FEWER_RUNS).filter(|seed| {
        let mut chance = Chance(*seed);
        let mut differences = Vec::new();
        (0..2_000).any(|customer| {
            differences.push(value(&mut chance) - value(&mut chance));
            customer % 100 == 99 && Interval::of(&differences).excludes_zero()
        })
    });
    let fooled = fooled.count() as f64 / FEWER_RUNS as f64;
    assert!(fooled > 2.0 * ALPHA, "{fooled}");
}

#[test]
fn an_effect_is_found_four_times_in_five_by_the_planned_customers() {
    const FEWER_RUNS: u64 = 300;
    let mut all = Moments::default();
    let mut chance = Chance(99);
    (0..50_000).for_each(|_| all.add(value(&mut chance)));
    let design = Design { deviation: all.variance().sqrt(), share: 0.5, alpha: ALPHA };
    let effect = 2.0;
    let planned = design.customers_for(effect).expect("an effect that can be seen");
    let found = (0..FEWER_RUNS).filter(|seed| {
        let mut found = false;
        run(*seed, planned, 0.5, value, effect, |ours, theirs| {
            found |= Sequence::of_difference(ours, theirs, ALPHA).low > 0.0;
        });
        found
    });
    let found = found.count() as f64 / FEWER_RUNS as f64;
    println!("an effect of {effect} found in {:.1} % of runs by {planned} customers", 100.0 * found);
    assert!(found >= 0.8, "{found} by {planned} customers");
}

#[test]
fn a_sound_spread_is_seldom_called_broken_and_a_leaking_arm_is_noticed() {
    let broken = |seed: u64, kept: f64| {
        let mut chance = Chance(seed.wrapping_mul(0xDA94_2042_E4DD_58B5));
        let mut arms = [0_u64; 2];
        (0..10_000).any(|customer| {
            let arm = usize::from(chance.happens(0.5));
            arms[arm] += u64::from(arm == 0 || chance.happens(kept));
            customer % 50 == 49 && Ratio::of(&arms, &[0.5, 0.5]).broken
        })
    };
    let alarms = (0..RUNS).filter(|seed| broken(*seed, 1.0)).count();
    let noticed = (0..100).filter(|seed| broken(*seed, 0.85)).count();
    println!("{alarms} false alarms in {RUNS} runs; {noticed} of 100 leaking arms noticed");
    assert!(alarms <= 2, "{alarms} false alarms in {RUNS} runs");
    assert!(noticed >= 95, "{noticed} of 100 leaking arms noticed");
}
