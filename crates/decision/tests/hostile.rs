//! A strategy made to keep an explanation busy: thousands of actions with rules that take long to change.

use crate::{
    generated::{Fickle, at, compile},
    hand::{DAYTIME, Story},
};
use decision::{
    decide::decide,
    explain::{Obstacle, explain},
    inputs::Inputs,
    request::PlacementRequest,
    strategy::Strategy,
};

/// How many actions, and at most how many of them are searched: see `explain`.
fn sizes() -> (usize, usize) {
    let actions = if std::env::var_os("ATTENT_NIGHTLY").is_some() { 10_000 } else { 1_000 };
    (actions, 300_000 / (3 * actions))
}

fn strategy(actions: usize) -> Strategy {
    let mut files = crate::hand::files();
    files.retain(|path, _| !path.starts_with("actions/"));
    files.insert("actions/sales/contract/first.toml".into(), offer(0));
    for index in 1..actions {
        files.insert(format!("actions/sales/g{}/a{index}.toml", index % 50), offer(index));
    }
    compile(files)
}

fn offer(index: usize) -> String {
    let eligibility = match index % 3 {
        0 => "true".to_owned(),
        1 => format!(
            "customer.gain * customer.years > {index}.0 + customer.gain || customer.years < -{index}.0"
        ),
        _ => format!("customer.years > {index}.0 && customer.gain > {index}.5 && customer.solvent"),
    };
    format!(
        "name.nl = \"Aanbod\"\nname.en = \"Offer\"\nintent.nl = \"Het helpt\"\nintent.en = \"It helps\"\nowner = \"team\"\nmandate = \"board\"\npurpose = \"offers\"\ngoal = {{ event = \"bought\", within = \"30d\" }}\nvalue = {{ customer = 10.0, organisation = {index}.0 }}\neligibility = '''{eligibility}'''\n[[treatments]]\nid = \"web\"\nplacement = \"hero\"\ntitle.nl = \"Aanbod\"\ntitle.en = \"Offer\"\nbody.nl = \"Nu\"\nbody.en = \"Now\"\n"
    )
}

#[test]
fn an_explanation_of_very_many_candidates_searches_only_those_that_came_nearest() {
    let (actions, searched_max) = sizes();
    let strategy = strategy(actions);
    let mut story = Story::on_the_web(2);
    story.request.placements = vec![PlacementRequest { placement: "hero".into(), slots: 2 }];
    story.number("years", 3.0);
    story.number("gain", 5.0);
    let model = Fickle(1);
    let inputs = Inputs { predictor: &model, ..story.inputs() };
    let decision = decide(&strategy, &inputs, &story.request, at(DAYTIME), 1);
    let explanation = explain(&strategy, &decision).expect("the decision is made again");
    let too_many =
        |index: &usize| explanation.candidates[*index].smallest.obstacle == Some(Obstacle::TooMany);
    let skipped = (0..actions).filter(too_many).count();
    assert_eq!(skipped, actions - searched_max);
    for slot in &decision.slots {
        let pick = slot.pick.or(slot.preferred).expect("something is worth saying");
        assert!(!too_many(&usize::from(pick)), "what was nearest is searched");
    }
}
