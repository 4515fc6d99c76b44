//! With which probability is each arm chosen, and which one is it this time?
//!
//! The vector is computed first and the pick is sampled from it, so the recorded probability is the
//! policy's own. Deliberately absent: who may be explored on, and the scores; the caller knows.

use std::sync::OnceLock;

/// Share of a prediction's deviation that Thompson draws use; larger explores more.
pub const THOMPSON_SCALE: f64 = 0.25;

/// Probability that each arm has the highest score under Thompson draws; sums to 1.
///
/// `score(arm, z)` gives the arm's scores, in euro, for a standard normal `z` and for `-z`; they only rise, or only
/// fall, with `z`.
/// Draws are independent per arm and antithetic (`z`, then `-z`), keyed by `seed`; an odd number of draws is
/// rounded up and 0 counts as 2. Arms that cannot win with the best of luck are not drawn for. Ties go to the
/// lowest index; a NaN score never wins from a number. Empty for no arms.
pub fn thompson(arms: usize, seed: u64, draws: usize, score: impl Fn(usize, f64) -> [f64; 2]) -> Vec<f64> {
    let mut wins = vec![0.0; arms];
    if arms == 0 {
        return wins;
    }
    let quantiles = normal_quantiles();
    let luck = quantiles[QUANTILES - 1];
    let reach: Vec<[f64; 2]> = (0..arms).map(|arm| score(arm, luck)).collect();
    let safe = reach.iter().map(|[one, other]| one.min(*other)).fold(f64::NEG_INFINITY, f64::max);
    let mut able: Vec<usize> = (0..arms).filter(|&arm| reach[arm][0].max(reach[arm][1]) >= safe).collect();
    if able.is_empty() {
        able.push(0);
    }
    if let [only] = able[..] {
        wins[only] = 1.0;
        return wins;
    }
    let pairs = draws.div_ceil(2).max(1);
    let mut scores = vec![[0.0; 2]; able.len()];
    for pair in 0..pairs {
        let stream = mix(seed, pair as u64);
        for (&arm, scores) in able.iter().zip(&mut scores) {
            let bits = finalise(stream.wrapping_add((arm as u64).wrapping_mul(GOLDEN)));
            *scores = score(arm, quantiles[(bits >> 32) as usize % QUANTILES]);
        }
        for side in 0..2 {
            wins[able[best(scores.iter().map(|scores| scores[side]))]] += 1.0;
        }
    }
    let total = (2 * pairs) as f64;
    wins.iter_mut().for_each(|count| *count /= total);
    wins
}

/// How much may be tried that does not look best.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Floor {
    /// Probability spread over contenders, 0 to 1.
    pub total: f64,
    /// How many contenders share it at most.
    pub arms: usize,
    /// Expected value that may be given up for it, as a part of what the most promising arm may be worth; the
    /// floor sinks where trying would cost more.
    pub budget: f64,
}

/// What is expected of an arm, in euro.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Worth {
    /// The value expected.
    pub expected: f64,
    /// The value with luck.
    pub hoped: f64,
}

/// `(1 - f) * vector`, plus `f` spread evenly over the (at most) `floor.arms` explorable arms with the
/// largest entries; ties go to the lowest index. Rescaled to sum to 1. `f` is the floor's total, or as much
/// of it as the budget pays for.
///
/// With nothing explorable the vector is only rescaled.
///
/// # Panics
/// When the lengths differ.
pub fn with_floor(vector: &[f64], explorable: &[bool], worth: &[Worth], floor: Floor) -> Vec<f64> {
    assert!(vector.len() == explorable.len() && vector.len() == worth.len(), "one flag and worth per arm");
    let mut contenders: Vec<usize> = (0..vector.len()).filter(|&arm| explorable[arm]).collect();
    contenders.sort_by(|&a, &b| vector[b].total_cmp(&vector[a]).then(a.cmp(&b)));
    contenders.truncate(floor.arms);
    let total = affordable(vector, &contenders, worth, floor);
    let mut mixed: Vec<f64> = vector.iter().map(|entry| (1.0 - total) * entry).collect();
    for &arm in &contenders {
        mixed[arm] += total / contenders.len() as f64;
    }
    let total: f64 = mixed.iter().sum();
    if total > 0.0 {
        mixed.iter_mut().for_each(|entry| *entry /= total);
    }
    mixed
}

/// As much of the floor as the budget pays for.
fn affordable(vector: &[f64], contenders: &[usize], worth: &[Worth], floor: Floor) -> f64 {
    if contenders.is_empty() {
        return 0.0;
    }
    let chosen: f64 = vector.iter().zip(worth).map(|(entry, worth)| entry * worth.expected).sum();
    let tried = contenders.iter().map(|&arm| worth[arm].expected).sum::<f64>() / contenders.len() as f64;
    let hoped = worth.iter().map(|worth| worth.hoped).fold(0.0, f64::max);
    let (total, lost) = (floor.total.clamp(0.0, 1.0), chosen - tried);
    if lost > 0.0 { total.min(floor.budget * hoped / lost) } else { total }
}

/// Arms above their cap give the excess to the steady ones, in proportion to what those have (evenly when they
/// have nothing); sums stay as they were. Without a steady arm nothing is capped: somebody has to begin.
///
/// # Panics
/// When the lengths differ.
pub fn ramped(vector: &[f64], caps: &[f64], steady: &[bool]) -> Vec<f64> {
    assert!(vector.len() == caps.len() && vector.len() == steady.len(), "one cap and flag per arm");
    let takers = steady.iter().filter(|steady| **steady).count();
    if takers == 0 {
        return vector.to_vec();
    }
    let capped = |arm: usize| if steady[arm] { vector[arm] } else { vector[arm].min(caps[arm]) };
    let excess: f64 = (0..vector.len()).map(|arm| vector[arm] - capped(arm)).sum();
    let held: f64 = (0..vector.len()).filter(|&arm| steady[arm]).map(|arm| vector[arm]).sum();
    let share = |arm: usize| match (steady[arm], held > 0.0) {
        (false, _) => 0.0,
        (true, true) => vector[arm] / held,
        (true, false) => 1.0 / takers as f64,
    };
    (0..vector.len()).map(|arm| capped(arm) + excess * share(arm)).collect()
}

/// The arm at `uniform` (in `[0, 1)`) of the cumulative distribution; never one with probability 0.
///
/// # Panics
/// When no entry is positive: there is nothing to pick.
pub fn pick(vector: &[f64], uniform: f64) -> usize {
    let mut cumulative = 0.0;
    let mut last_positive = None;
    for (arm, &probability) in vector.iter().enumerate() {
        if probability > 0.0 {
            cumulative += probability;
            last_positive = Some(arm);
            if uniform < cumulative {
                break;
            }
        }
    }
    last_positive.expect("a vector to pick from has a positive entry")
}

/// A uniform draw in `[0, 1)`, the same for the same key and independent between keys.
#[must_use]
pub fn keyed_uniform(seed: u64, slot: u64) -> f64 {
    (mix(seed, slot) >> 11) as f64 / (1_u64 << 53) as f64
}

const QUANTILES: usize = 4_096;

/// Normal draws come from so many equally likely values, the middles of as many strata; none is beyond 3.7.
fn normal_quantiles() -> &'static [f64] {
    static TABLE: OnceLock<Vec<f64>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let (mut quantile, half) = (-4.0, 0.5 / QUANTILES as f64);
        (0..QUANTILES)
            .map(|stratum| {
                quantile = normal_quantile(stratum as f64 / QUANTILES as f64 + half, quantile);
                quantile
            })
            .collect()
    })
}

/// Where the normal distribution reaches a probability: Newton's method from below, where it is convex, and
/// from the last one found.
fn normal_quantile(probability: f64, near: f64) -> f64 {
    let mut quantile = near;
    for _ in 0..60 {
        let reached = 0.5 * libm::erfc(-quantile * std::f64::consts::FRAC_1_SQRT_2);
        let density = libm::exp(-0.5 * quantile * quantile) / (2.0 * std::f64::consts::PI).sqrt();
        let step = (probability - reached) / density;
        quantile += step.clamp(-0.5, 0.5);
        if step.abs() < 1e-13 {
            break;
        }
    }
    quantile
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Two rounds of the SplitMix64 finaliser (Steele, Lea, Flood 2014), one per half of the key.
fn mix(seed: u64, slot: u64) -> u64 {
    finalise(finalise(seed.wrapping_add(GOLDEN)).wrapping_add(slot.wrapping_add(1).wrapping_mul(GOLDEN)))
}

fn finalise(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

fn best(scores: impl Iterator<Item = f64>) -> usize {
    let mut winner = (0, f64::NEG_INFINITY);
    for (arm, value) in scores.enumerate() {
        if value > winner.1 {
            winner = (arm, value);
        }
    }
    winner.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(score: impl Fn(usize, f64) -> f64) -> impl Fn(usize, f64) -> [f64; 2] {
        move |arm, z| [score(arm, z), score(arm, -z)]
    }

    #[test]
    fn thompson_gives_the_textbook_probability_for_two_normal_arms() {
        let vector = thompson(2, 7, 20_000, both(|arm, z| if arm == 0 { z } else { 1.0 + z }));
        // P(N(1, 1) > N(0, 1)) = Phi(1 / sqrt 2) = 0.7602
        assert!((vector[1] - 0.7602).abs() < 0.01, "{vector:?}");
        assert!((vector.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn normal_draws_have_the_moments_of_a_normal() {
        let table = normal_quantiles();
        let mean = table.iter().sum::<f64>() / QUANTILES as f64;
        let variance = table.iter().map(|z| z * z).sum::<f64>() / QUANTILES as f64;
        let fourth = table.iter().map(|z| z * z * z * z).sum::<f64>() / QUANTILES as f64;
        assert!(mean.abs() < 1e-9 && (variance - 1.0).abs() < 2e-3 && (fourth - 3.0).abs() < 0.05);
        // Phi(1.959964) = 0.975
        assert!((normal_quantile(0.975, 1.0) - 1.959_964).abs() < 1e-6);
        assert!(table.windows(2).all(|two| two[0] < two[1]));
    }

    #[test]
    fn who_cannot_win_with_all_luck_is_not_drawn_for() {
        let scores = std::cell::Cell::new(0);
        let score = |arm: usize, z: f64| {
            scores.set(scores.get() + 1);
            if arm == 0 { 100.0 + z } else { z }
        };
        assert_eq!(thompson(3, 1, 128, both(score)), [1.0, 0.0, 0.0]);
        assert!(scores.get() <= 6);
    }

    #[test]
    fn each_draw_is_balanced_by_its_mirror_image() {
        for seed in 0..20 {
            let vector = thompson(2, seed, 2, both(|arm, z| if arm == 0 { z } else { 0.0 }));
            assert_eq!(vector, [0.5, 0.5]);
        }
    }

    #[test]
    fn equal_scores_go_to_the_lowest_index_and_nan_never_wins() {
        assert_eq!(thompson(3, 1, 10, both(|_, _| 2.0)), [1.0, 0.0, 0.0]);
        let with_nan = |arm, _| if arm == 0 { f64::NAN } else { -5.0 };
        assert_eq!(thompson(2, 1, 10, both(with_nan)), [0.0, 1.0]);
        assert!(thompson(0, 1, 10, both(|_, _| 0.0)).is_empty());
    }

    #[test]
    fn the_same_seed_gives_the_same_vector_and_another_seed_another() {
        let vector = |seed| thompson(3, seed, 64, both(|arm, z| z * (1.0 + arm as f64)));
        assert_eq!(vector(5), vector(5));
        assert_ne!(vector(5), vector(6));
    }

    const FLOOR: Floor = Floor { total: 0.06, arms: 2, budget: 1.0 };
    const EVEN: Worth = Worth { expected: 1.0, hoped: 1.0 };

    #[test]
    fn the_floor_makes_every_contender_positive_and_the_vector_sums_to_one() {
        let mixed = with_floor(&[0.9, 0.1, 0.0, 0.0], &[false, true, true, true], &[EVEN; 4], FLOOR);
        let expected = [0.846, 0.094 + 0.03, 0.03, 0.0];
        for (found, wanted) in mixed.iter().zip(expected) {
            assert!((found - wanted).abs() < 1e-12, "{mixed:?}");
        }
        let nothing = with_floor(&[0.5, 0.5], &[false, false], &[EVEN; 2], FLOOR);
        assert_eq!(nothing, [0.5, 0.5]);
    }

    #[test]
    fn what_is_new_leaves_the_excess_to_what_is_steady() {
        let ramp = |vector: &[f64], caps: &[f64], steady: &[bool]| ramped(vector, caps, steady);
        assert_eq!(ramp(&[0.0, 0.8, 0.2], &[1.0, 0.3, 1.0], &[false, false, true]), [0.0, 0.3, 0.7]);
        assert_eq!(ramp(&[0.0, 0.9, 0.1, 0.0], &[1.0, 0.5, 0.5, 0.5], &[false; 4]), [0.0, 0.9, 0.1, 0.0]);
        assert_eq!(
            ramp(&[0.0, 1.0, 0.0, 0.0], &[1.0, 0.5, 1.0, 1.0], &[false, false, true, true]),
            [0.0, 0.5, 0.25, 0.25]
        );
        assert_eq!(ramp(&[0.1, 0.2, 0.7], &[1.0, 0.3, 1.0], &[false, false, true]), [0.1, 0.2, 0.7]);
    }

    #[test]
    fn the_floor_sinks_to_what_its_budget_pays_for() {
        let worth = |expected| Worth { expected, hoped: expected };
        let floor = |other, budget| {
            let worth = [worth(10.0), worth(other)];
            with_floor(&[1.0, 0.0], &[true, true], &worth, Floor { budget, ..FLOOR })[1]
        };
        // Half of the floor falls on the other arm, so its whole loss is half the difference.
        assert!((floor(0.0, 0.01) - 0.01).abs() < 1e-12);
        assert!((floor(9.0, 0.01) - 0.03).abs() < 1e-12);
        assert_eq!(floor(10.0, 0.0), 0.03);
        assert_eq!(floor(0.0, 0.0), 0.0);
    }

    #[test]
    fn the_frequency_of_picks_matches_the_recorded_probability() {
        let floor = Floor { total: 0.1, arms: 3, budget: 1.0 };
        let vector = with_floor(&[0.7, 0.0, 0.3, 0.0], &[true, true, true, false], &[EVEN; 4], floor);
        let mut counts = [0_u32; 4];
        let draws = 100_000_u32;
        for slot in 0..draws {
            counts[pick(&vector, keyed_uniform(42, u64::from(slot)))] += 1;
        }
        for (count, probability) in counts.iter().zip(&vector) {
            let sd = (probability * (1.0 - probability) / f64::from(draws)).sqrt();
            let frequency = f64::from(*count) / f64::from(draws);
            assert!((frequency - probability).abs() <= 4.0 * sd, "{counts:?} {vector:?}");
        }
        assert_eq!(counts[3], 0);
    }

    #[test]
    fn an_arm_without_probability_is_never_picked() {
        assert_eq!(pick(&[0.0, 1.0, 0.0], 0.0), 1);
        assert_eq!(pick(&[0.0, 1.0 - 1e-12, 0.0], 1.0 - 1e-16), 1);
    }

    #[test]
    fn neighbouring_keys_give_unrelated_draws() {
        let pairs = 20_000_u64;
        let covariance: f64 = (0..pairs)
            .map(|slot| (keyed_uniform(1, slot) - 0.5) * (keyed_uniform(2, slot) - 0.5))
            .sum::<f64>()
            / pairs as f64;
        assert!((covariance * 12.0).abs() < 0.03, "{covariance}");
    }
}
