use super::*;

fn allow(world: &World, action: u16, layer: Layer, purpose: PurposeIndex, source: &str) -> AllowRule {
    let environment = world.environment(View::Purpose(purpose), Position::Allow);
    let rule =
        Rule::condition(source, &environment).unwrap_or_else(|problems| panic!("`{source}`: {problems:?}"));
    AllowRule { action, layer, purpose, rule }
}

#[test]
fn an_action_falls_by_the_first_clause_that_is_not_true() {
    let world = World::new();
    let book = RuleBook::compile(
        vec![
            allow(&world, 0, Layer::Suitability, OFFERS, "customer.bill < 100 && household.persons > 1"),
            allow(
                &world,
                0,
                Layer::Eligibility,
                OFFERS,
                "customer.newsletter && (customer.town == 'Ede' || context.visits > 3)",
            ),
            allow(&world, 2, Layer::Eligibility, OFFERS, "customer.newsletter"),
        ],
        3,
    );
    let refusal = |person: &Person| {
        let evaluation = book.evaluate(&|_| person as &dyn Facts);
        assert!(evaluation.allowed(1) && evaluation.refusal(1).is_none());
        assert_eq!(evaluation.allowed(0), evaluation.refusal(0).is_none());
        evaluation.refusal(0).map(|refusal| {
            (refusal.layer, book.clause(refusal.clause).rule.source().to_owned(), refusal.truth)
        })
    };
    let mut person = world.nobody().with("bill", 120.0);
    let unknown = (Layer::Eligibility, "customer.newsletter".to_owned(), Truth::Unknown);
    assert_eq!(refusal(&person), Some(unknown));
    person = person.with("newsletter", true).with("town", "Goes");
    let either = "customer.town == 'Ede' || context.visits > 3".to_owned();
    assert_eq!(refusal(&person), Some((Layer::Eligibility, either, Truth::Unknown)));
    person.contexts.insert(1, Value::Number(4.0));
    let bill = "customer.bill < 100".to_owned();
    assert_eq!(refusal(&person), Some((Layer::Suitability, bill, Truth::False)));
    person = person.with("bill", 80.0);
    let persons = "household.persons > 1".to_owned();
    assert_eq!(refusal(&person), Some((Layer::Suitability, persons, Truth::Unknown)));
    assert_eq!(refusal(&person.with("persons", 2.0)), None);
}

#[test]
fn equal_clauses_of_one_purpose_are_kept_once_and_of_two_purposes_twice() {
    let world = World::new();
    let source = "customer.bill > 5 && (customer.bill > 7 || customer.bill > 9)";
    let same = " customer.bill>5.0 && (customer.bill > 7) ";
    let book = RuleBook::compile(
        vec![
            allow(&world, 0, Layer::Eligibility, OFFERS, source),
            allow(&world, 1, Layer::Eligibility, OFFERS, same),
            allow(&world, 2, Layer::Eligibility, CARE, source),
        ],
        3,
    );
    let (offers, care) = (world.nobody(), world.nobody().with("bill", 8.0));
    let evaluation = book.evaluate(&|purpose| if purpose == CARE { &care } else { &offers });
    assert_eq!([0, 1, 2].map(|action| evaluation.allowed(action)), [false, false, true]);
    let clause = |action| evaluation.refusal(action).map(|refusal| refusal.clause);
    assert_eq!(clause(0), clause(1));
    let debug = format!("{book:?}");
    assert_eq!(debug.matches("Clause {").count(), 5);
    assert_eq!(debug.matches("Atom {").count(), 4);
}

#[test]
fn the_catalogue_may_be_wider_than_a_machine_word() {
    let world = World::new();
    let rules = (0..200).map(|action| {
        allow(&world, action, Layer::Eligibility, OFFERS, &format!("customer.bill > {action}"))
    });
    let book = RuleBook::compile(rules.collect(), 200);
    let person = world.nobody().with("bill", 130.0);
    let evaluation = book.evaluate(&|_| &person);
    let allowed: Vec<u16> = (0..200).filter(|action| evaluation.allowed(*action)).collect();
    assert_eq!(allowed, (0..130).collect::<Vec<u16>>());
    assert_eq!(book.reads(7).attributes, BTreeSet::from([world.attribute("bill")]));
}

#[test]
fn a_dropped_action_is_told_what_all_its_clauses_need() {
    let world = World::new();
    let book = RuleBook::compile(
        vec![allow(
            &world,
            0,
            Layer::Eligibility,
            OFFERS,
            "customer.bill < 100 && customer.newsletter && customer.town == 'Ede'",
        )],
        1,
    );
    let person = world.nobody().with("bill", 120.0).with("newsletter", true);
    let flips = book.flips(0, &person).expect("it can be reached");
    let changed: Vec<_> = flips.iter().map(|flip| (flip.from.clone(), flip.to.clone())).collect();
    assert_eq!(
        changed,
        [(Some(Value::Number(120.0)), Value::Number(99.9)), (None, Value::Text("Ede".into())),]
    );
    let person = person.changed(&flips);
    assert!(book.evaluate(&|_| &person).allowed(0));
}

#[test]
fn a_clause_in_a_book_says_what_it_says_alone() {
    let world = World::new();
    let numbers = [">", ">=", "<", "<=", "==", "!="].into_iter().flat_map(|comparison| {
        [-1, 0, 5, 5, 7].into_iter().flat_map(move |constant| {
            [
                format!("customer.bill {comparison} {constant}.0"),
                format!("{constant}.0 {comparison} customer.bill"),
            ]
        })
    });
    let texts = ["==", "!="].into_iter().flat_map(|comparison| {
        ["Ede", "Goes", ""].map(|town| format!("customer.town {comparison} '{town}'"))
    });
    let others = ["customer.newsletter", "!customer.newsletter", "customer.newsletter == false"];
    let sources: Vec<String> = numbers.chain(texts).chain(others.map(str::to_owned)).collect();
    let rules = (0u16..).zip(&sources);
    let rules = rules.map(|(action, source)| allow(&world, action, Layer::Eligibility, OFFERS, source));
    let book = RuleBook::compile(rules.collect(), sources.len());
    let bills = [-1.5, -1.0, 0.0, -0.0, 4.0, 5.0, 6.0, 7.0, 8.0, f64::INFINITY, f64::NAN];
    let people = bills.into_iter().map(|bill| world.nobody().with("bill", bill));
    let towns = ["", "Ede", "Epe", "Goes", "Z"].map(|town| world.nobody().with("town", town));
    let readers = [true, false].map(|reads| world.nobody().with("newsletter", reads));
    for person in people.chain(towns).chain(readers).chain([world.nobody()]) {
        let evaluation = book.evaluate(&|_| &person);
        for (action, source) in (0u16..).zip(&sources) {
            let alone = world.condition(source).truth(&person);
            let together = evaluation.refusal(action).map_or(Truth::True, |refusal| refusal.truth);
            assert_eq!(together, alone, "`{source}` for {:?}", person.attributes);
        }
    }
}
