//! A record is small: about a kilobyte for a hundred candidates of which a quarter is weighed.

use crate::{
    generated::{Fickle, at, compile, days},
    hand::{DAYTIME, Story},
};
use decision::{
    candidate::Fate,
    decide::decide,
    inputs::Inputs,
    profile::{ConsentStatus, Source},
    request::PlacementRequest,
    strategy::Strategy,
    value::Value,
};
use std::fmt::Write;

/// A hundred actions in twenty groups: offers with rules, some for everybody.
fn hundred() -> Strategy {
    let mut files = crate::hand::files();
    files.retain(|path, _| !path.starts_with("actions/"));
    files.insert("actions/sales/contract/first.toml".into(), offer(0));
    for index in 1..100 {
        files.insert(
            format!("actions/{}/g{}/a{index}.toml", ["sales", "care"][index % 2], index % 20),
            offer(index),
        );
    }
    compile(files)
}

fn offer(index: usize) -> String {
    let mut file = format!(
        "name.nl = \"Aanbod\"\nname.en = \"Offer\"\nintent.nl = \"Het helpt\"\nintent.en = \"It helps\"\nowner = \"team\"\nmandate = \"board\"\npurpose = \"offers\"\ngoal = {{ event = \"bought\", within = \"30d\" }}\nvalue = {{ customer = 10.0, organisation = {index}.0 }}\n[[treatments]]\nid = \"web\"\nplacement = \"hero\"\ntitle.nl = \"Aanbod\"\ntitle.en = \"Offer\"\nbody.nl = \"Nu\"\nbody.en = \"Now\"\n"
    );
    let rules = [
        format!("customer.years > {}.0", index % 7),
        "customer.contract_type == \"variable\" && customer.years > 6.0".to_owned(),
        format!("customer.gain > {}.0 && customer.solvent", index % 50),
        "customer.contract_type == \"fixed\"".to_owned(),
    ];
    let rule = &rules[index % 4];
    let at = file.find("[[treatments]]").expect("a treatment");
    let mut line = String::new();
    let _ = writeln!(line, "eligibility = '''{rule}'''");
    file.insert_str(at, &line);
    file
}

/// Bytes of the record and candidates weighed, for sixty customers.
fn sizes(strategy: &Strategy) -> Vec<(usize, usize)> {
    let mut sizes: Vec<(usize, usize)> = (0..60_u32)
        .map(|seed| {
            let mut story = Story::on_the_web(2);
            story.request.placements = vec![PlacementRequest { placement: "hero".into(), slots: 2 }];
            story.number("years", f64::from(seed % 9));
            story.number("gain", f64::from(seed % 60));
            story.knows("solvent", Value::Bool(seed % 3 > 0), Source::Derived);
            (0..seed % 6)
                .for_each(|contact| story.contact_about("sales/g2/a2", f64::from(contact) * 9.0 + 8.0));
            story.outcome("clicked", Some("sales/g3/a3"), 20.0);
            if seed % 10 == 0 {
                story.states("offers", ConsentStatus::Withdrawn);
            }
            let model = Fickle(u64::from(seed));
            let inputs = Inputs { predictor: &model, ..story.inputs() };
            let moment = at(DAYTIME) + days(f64::from(seed) / 10.0);
            let decision = decide(strategy, &inputs, &story.request, moment, u64::from(seed));
            let weighed = decision.fates.iter().filter(|fate| !matches!(fate.fate, Fate::Dropped(_))).count();
            (decision.encode().len(), weighed)
        })
        .collect();
    sizes.sort_unstable();
    sizes
}

#[test]
fn a_record_of_a_hundred_candidates_takes_about_a_kilobyte() {
    let strategy = hundred();
    assert_eq!(strategy.actions.len(), 100);
    let sizes = sizes(&strategy);
    let (least, median, most) = (sizes[0], sizes[sizes.len() / 2], sizes[sizes.len() - 1]);
    eprintln!("bytes and candidates weighed: least {least:?}, median {median:?}, most {most:?}");
    assert!(median.1 >= 20, "too few are weighed to be realistic: {median:?}");
    assert!(median.0 < 1280, "the median record is {} bytes", median.0);
}
