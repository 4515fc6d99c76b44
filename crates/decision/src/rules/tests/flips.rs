use super::*;

fn flips(source: &str, wanted: Truth, person: &Person) -> Option<Vec<(Option<Value>, Value)>> {
    let flips = person.world.condition(source).flips(person, wanted)?;
    Some(flips.into_iter().map(|flip| (flip.from, flip.to)).collect())
}

fn number(from: f64, to: f64) -> Vec<(Option<Value>, Value)> {
    vec![(Some(Value::Number(from)), Value::Number(to))]
}

#[test]
fn a_number_moves_just_past_its_threshold() {
    let world = World::new();
    let person = world.nobody().with("bill", 120.0).with("persons", 3.0);
    let to = |source, wanted| {
        flips(source, wanted, &person).unwrap_or_else(|| panic!("`{source}` can be reached"))
    };
    assert_eq!(to("customer.bill <= 100", Truth::True), number(120.0, 100.0));
    assert_eq!(to("customer.bill < 100", Truth::True), number(120.0, 99.9));
    assert_eq!(to("customer.bill >= 100", Truth::False), number(120.0, 99.9));
    assert_eq!(to("customer.bill == 77.25", Truth::True), number(120.0, 77.25));
    assert_eq!(to("customer.bill in [10, 100, 200]", Truth::True), number(120.0, 100.0));
    assert_eq!(to("abs(customer.bill - 50) < 1", Truth::True), number(120.0, 50.9));
    assert_eq!(to("customer.bill * 2 + 10 <= 200", Truth::True), number(120.0, 95.0));
    assert_eq!(to("1000 / customer.bill >= 20", Truth::True), number(120.0, 50.0));
    assert_eq!(to("customer.bill / household.persons > 50", Truth::True), number(3.0, 2.399));
    assert_eq!(to("customer.bill > 100", Truth::True), vec![]);
}

#[test]
fn a_number_on_its_threshold_moves_hardly_at_all() {
    let world = World::new();
    for (source, bill, to) in [
        ("customer.bill > 0", 0.0, 1e-10),
        ("customer.bill < 0", 0.0, -1e-10),
        ("customer.bill != 0", 0.0, -1e-10),
        ("customer.bill > 1000", 1_000.0, 1_000.000_000_1),
    ] {
        let person = world.nobody().with("bill", bill);
        assert_eq!(flips(source, Truth::True, &person), Some(number(bill, to)), "`{source}`");
    }
}

#[test]
fn few_changes_are_cheaper_than_many_and_small_ones_than_large_ones() {
    let world = World::new();
    let person = world.nobody().with("bill", 120.0).with("newsletter", false).with("persons", 2.0);
    let change = |source: &str| flips(source, Truth::True, &person);
    let yes = vec![(Some(Value::Bool(false)), Value::Bool(true))];
    assert_eq!(change("customer.newsletter || customer.bill < 10 && household.persons > 5"), Some(yes));
    assert_eq!(
        change("customer.bill <= 110 || customer.bill >= 170 || household.persons >= 9"),
        Some(number(120.0, 110.0))
    );
    let both = change("customer.newsletter && customer.bill <= 110").expect("two changes do it");
    assert_eq!(both.len(), 2);
}

#[test]
fn what_is_not_known_has_to_become_known() {
    let world = World::new();
    let person = world.nobody();
    let to = |source: &str, wanted| {
        flips(source, wanted, &person).map(|flips| flips.into_iter().map(|(_, to)| to).collect::<Vec<_>>())
    };
    assert_eq!(to("customer.heating == 'gas'", Truth::True), Some(vec![Value::Text("gas".into())]));
    assert_eq!(to("customer.town != 'Ede'", Truth::True), Some(vec![Value::Text("other".into())]));
    assert_eq!(to("customer.bill > 100", Truth::True), Some(vec![Value::Number(101.0)]));
    assert_eq!(to("known(customer.newsletter)", Truth::True).map(|values| values.len()), Some(1));
    assert_eq!(to("customer.bill + household.persons > 10", Truth::True).map(|values| values.len()), Some(2));
    assert_eq!(to("customer.bill > 100", Truth::Unknown), Some(vec![]));
    assert_eq!(to("known(customer.bill)", Truth::Unknown), None);
}

#[test]
fn a_moment_moves_to_a_whole_day_hour_or_minute() {
    let world = World::new();
    let person = world.nobody().with("moved_at", "2026-03-01T10:00:00Z");
    let to = |source| flips(source, Truth::True, &person).expect("it can be reached").remove(0).1;
    assert_eq!(
        to("days_since(customer.moved_at) >= 30"),
        Value::Time("2026-02-07T10:00:00Z".parse().unwrap())
    );
    assert_eq!(
        to("customer.moved_at > timestamp('2026-04-01T00:00:00Z')"),
        Value::Time("2026-04-01T01:00:00Z".parse().unwrap())
    );
}

#[test]
fn nothing_in_the_profile_changes_history_or_the_moment() {
    let world = World::new();
    let person = world.nobody().with("bill", 10.0);
    for source in [
        "contacts('sales', '7d') > 2",
        "hour() == 3",
        "days_since_outcome('rejected', '') > 30",
        "now < timestamp('2020-01-01T00:00:00Z')",
        "customer.bill > 5 && contacts('', '7d') > 0",
        "customer.bill * 0 > 1",
    ] {
        assert_eq!(flips(source, Truth::True, &person), None, "`{source}`");
    }
}
