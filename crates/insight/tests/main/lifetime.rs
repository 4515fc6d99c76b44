//! The value of customers: fits held against another implementation (lifetimes 0.11, Python), against known
//! parameters of simulated customers, and against the published figures of the CDNOW customers.

use crate::online_retail::{self, Line};
use insight::lifetime::{CUSTOMERS_MIN, History, NotFitted, Purchasing, Spending, Spent};
use jiff::civil::Date;
use std::{collections::BTreeMap, path::PathBuf};

fn near(found: f64, expected: f64, within: f64) {
    assert!((found - expected).abs() <= within, "{found} is not {expected} ± {within}");
}

fn close_to(found: Purchasing, [r, alpha, a, b]: [f64; 4]) {
    for (found, expected) in [(found.r, r), (found.alpha, alpha), (found.a, a), (found.b, b)] {
        near(found, expected, 1e-3);
    }
}

/// A linear congruential generator (Knuth's MMIX), the same in the Python that made the constants.
struct Draws(u64);

impl Draws {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn exponential(&mut self) -> f64 {
        -libm::log(self.unit())
    }

    fn gamma(&mut self, shape: u32) -> f64 {
        (0..shape).map(|_| self.exponential()).sum()
    }
}

/// Customers who buy as the models assume: r 1, α 4, a 1, b 2.5; p 3, q 4, v 50.
fn simulated(customers: u32) -> Vec<(History, Spent)> {
    let mut draws = Draws(7);
    let mut customer = |number: u32| {
        let rate = draws.exponential() * 0.25;
        let leaves = 1.0 - libm::pow(draws.unit(), 1.0 / 2.5);
        let age = f64::from(26 + number % 26);
        let (mut repeats, mut last, mut at) = (0, 0.0, 0.0);
        loop {
            at += draws.exponential() / rate;
            if at > age {
                break;
            }
            (repeats, last) = (repeats + 1, at);
            if draws.unit() < leaves {
                break;
            }
        }
        let scale = draws.gamma(4);
        let total = draws.gamma(3 * (repeats + 1)) / scale * 50.0;
        let average = total / f64::from(repeats + 1);
        (History { repeats, last, age }, Spent { purchases: repeats + 1, average })
    };
    (0..customers).map(&mut customer).collect()
}

#[test]
fn simulated_customers_give_the_parameters_of_another_implementation() {
    let (histories, spent): (Vec<_>, Vec<_>) = simulated(3_000).into_iter().unzip();
    assert_eq!(histories.iter().map(|history| history.repeats).sum::<u32>(), 10_514);
    let purchasing = Purchasing::fit(&histories).unwrap();
    close_to(
        purchasing.model,
        [1.007_538_792_337_357, 4.042_810_380_643_643, 1.001_470_679_891_149_7, 2.503_960_050_747_003_2],
    );
    near(purchasing.log_likelihood, -29_999.822_061_818_32, 1e-4);
    let spending = Spending::fit(&spent).unwrap();
    near(spending.model.p, 3.196_913_748_954_576, 1e-3);
    near(spending.model.q, 3.943_668_957_678_16, 1e-3);
    near(spending.model.v, 46.686_134_842_165_38, 1e-2);
    near(spending.log_likelihood, -14_008.373_163_493_496, 1e-4);
    let readings = [
        ((0, 0.0), 1.0, 0.641_883_903_912_750_1),
        ((2, 10.0), 0.196_111_621_744_805_3, 0.359_127_357_230_959),
        ((5, 25.0), 0.714_360_397_721_801_3, 2.544_996_305_621_755),
    ];
    for ((repeats, last), alive, expected) in readings {
        let history = History { repeats, last, age: 30.0 };
        near(purchasing.model.alive(&history), alive, 1e-4);
        near(purchasing.model.expected(&history, 26.0), expected, 1e-4);
    }
    let paid = spending.model.expected(&Spent { purchases: 3, average: 50.0 }).unwrap();
    near(paid, 50.164_993_68, 1e-4);
}

#[test]
fn known_parameters_of_simulated_customers_are_recovered() {
    let (histories, spent): (Vec<_>, Vec<_>) = simulated(20_000).into_iter().unzip();
    let found = Purchasing::fit(&histories).unwrap().model;
    for (found, true_value) in [(found.r, 1.0), (found.alpha, 4.0), (found.a, 1.0), (found.b, 2.5)] {
        near(found / true_value, 1.0, 0.08);
    }
    let found = Spending::fit(&spent).unwrap().model;
    for (found, true_value) in [(found.p, 3.0), (found.q, 4.0), (found.v, 50.0)] {
        near(found / true_value, 1.0, 0.08);
    }
}

#[test]
fn what_is_expected_of_simulated_customers_is_what_they_do_later() {
    let whole = simulated(20_000);
    let model = Purchasing { r: 1.0, alpha: 4.0, a: 1.0, b: 2.5 };
    // Everybody's repeats are known up to the end; the mean of a new customer follows from the age alone.
    let expected: f64 = whole.iter().map(|(history, _)| model.expected_of_new(history.age)).sum();
    let happened: f64 = whole.iter().map(|(history, _)| f64::from(history.repeats)).sum();
    near(happened / expected, 1.0, 0.02);
}

#[test]
fn published_readings_of_cdnow_follow_from_the_published_parameters() {
    let cdnow = Purchasing { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 };
    // Customer 0001: x = 2, t_x = 30.43, T = 38.86; the paper expects 1.226 purchases within 39 weeks.
    let first = History { repeats: 2, last: 30.43, age: 38.86 };
    near(cdnow.expected(&first, 39.0), 1.226, 5e-4);
    near(cdnow.alive(&first), 0.726_578_57, 1e-8);
    near(cdnow.expected_of_new(39.0), 1.196_723_193_320_799, 1e-9);
    // Note 025: the average of everybody is 35.2.
    let spending = Spending { p: 6.25, q: 3.74, v: 15.44 };
    near(spending.expected_of_new().unwrap(), 35.218_978_102_189_78, 1e-9);
    near(spending.expected(&Spent { purchases: 2, average: 23.72 }).unwrap(), 25.787_401_574_803_148, 1e-9);
}

#[test]
fn the_published_fit_of_the_cdnow_customers_is_found_again() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/cdnow/cdnow_customers_summary.csv");
    let Ok(mut table) = csv::Reader::from_path(path) else {
        eprintln!("skipped: the summary of the CDNOW customers is not here");
        return;
    };
    let histories: Vec<History> = table
        .deserialize()
        .map(|row: csv::Result<(u32, u32, f64, f64)>| row.expect("customer, x, t_x and T"))
        .map(|(_, repeats, last, age)| History { repeats, last, age })
        .collect();
    let fit = Purchasing::fit(&histories).unwrap();
    close_to(fit.model, [0.243, 4.414, 0.793, 2.426]);
    near(fit.log_likelihood, -9_582.4, 0.05);
}

/// The expectation as an integral over the probability of leaving, for parameters at which it is smooth.
fn expected_by_integral(model: &Purchasing, history: &History, within: f64) -> f64 {
    let (x, now) = (f64::from(history.repeats), model.alpha + history.age);
    let (a, b) = (model.a, model.b + x);
    let ln_beta = libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    let steps = 50_000;
    let sum: f64 = (0..steps)
        .map(|step| {
            let p = (f64::from(step) + 0.5) / f64::from(steps);
            let density = libm::exp((a - 1.0) * libm::log(p) + (b - 1.0) * libm::log1p(-p) - ln_beta);
            density * (1.0 - libm::pow(now / (now + p * within), model.r + x)) / p
        })
        .sum();
    sum / f64::from(steps) * model.alive(history)
}

#[test]
fn the_closed_form_agrees_with_the_integral_it_comes_from() {
    let models = [
        Purchasing { r: 0.8, alpha: 9.0, a: 2.5, b: 3.0 },
        Purchasing { r: 5.0, alpha: 2.0, a: 2.0, b: 1.5 },
        Purchasing { r: 0.3, alpha: 60.0, a: 400.0, b: 900.0 },
    ];
    for model in models {
        for (repeats, last, age) in [(0, 0.0, 5.0), (1, 4.0, 40.0), (30, 50.0, 52.0)] {
            for within in [1.0, 52.0, 2_000.0] {
                let history = History { repeats, last, age };
                let found = model.expected(&history, within);
                let expected = expected_by_integral(&model, &history, within);
                near(found / expected, 1.0, 1e-5);
            }
        }
    }
}

#[test]
fn where_nobody_comes_back_there_is_no_model() {
    let once = vec![History { repeats: 0, last: 0.0, age: 30.0 }; 1_000];
    assert_eq!(Purchasing::fit(&once), Err(NotFitted::TooFew));
    let broken = vec![History { repeats: 3, last: f64::NAN, age: 30.0 }; CUSTOMERS_MIN];
    assert_eq!(Purchasing::fit(&broken), Err(NotFitted::TooFew));
    let free = vec![Spent { purchases: 2, average: 0.0 }; 1_000];
    assert_eq!(Spending::fit(&free), Err(NotFitted::TooFew));
}

#[test]
fn customers_who_are_all_alike_give_finite_readings_or_no_model() {
    let alike = vec![History { repeats: 4, last: 28.0, age: 30.0 }; 500];
    if let Ok(fit) = Purchasing::fit(&alike) {
        let expected = fit.model.expected(&alike[0], 52.0);
        assert!(expected.is_finite() && (0.0..=52.0).contains(&expected), "{fit:?}: {expected}");
    }
    let alike = vec![Spent { purchases: 4, average: 20.0 }; 500];
    if let Ok(fit) = Spending::fit(&alike) {
        near(fit.model.expected(&alike[0]).unwrap(), 20.0, 0.1);
    }
}

#[test]
fn customers_of_a_real_web_shop_give_the_parameters_of_another_implementation() {
    let Some(lines) = online_retail::lines() else { return };
    let end = Date::constant(2011, 12, 10);
    let mut days: BTreeMap<u32, BTreeMap<Date, f64>> = BTreeMap::new();
    for Line { customer, at, amount, .. } in lines {
        *days.entry(customer).or_default().entry(at.date()).or_default() += amount;
    }
    let since = |from: Date, to: Date| f64::from((to - from).get_days());
    let (mut histories, mut spent) = (Vec::new(), Vec::new());
    for days in days.values() {
        let (first, last) = (*days.first_key_value().unwrap().0, *days.last_key_value().unwrap().0);
        let repeats = u32::try_from(days.len() - 1).unwrap();
        histories.push(History { repeats, last: since(first, last) / 7.0, age: since(first, end) / 7.0 });
        if repeats > 0 {
            let average = days.values().skip(1).sum::<f64>() / f64::from(repeats);
            spent.push(Spent { purchases: repeats, average });
        }
    }
    assert_eq!(histories.len(), 4_334);
    let purchasing = Purchasing::fit(&histories).unwrap();
    eprintln!("{purchasing:?}");
    close_to(
        purchasing.model,
        [0.822_031_453_757_477_1, 9.916_622_410_615_412, 0.003_584_256_009_673_889, 7.164_378_067_857_266],
    );
    near(purchasing.log_likelihood, -37_511.186_646_700_54, 1e-3);
    let spending = Spending::fit(&spent).unwrap();
    near(spending.model.p, 2.259_286_715_249_008, 1e-3);
    near(spending.model.q, 3.410_026_214_648_419, 1e-3);
    near(spending.model.v / 437.537_683_258_368_13, 1.0, 1e-3);
    near(spending.log_likelihood, -18_934.713_875_719_197, 1e-3);
}
