use super::*;
use Truth::{False, True, Unknown};

#[test]
fn what_is_not_known_is_neither_true_nor_false() {
    let world = World::new();
    let known = world.nobody().with("newsletter", true);
    for (source, wanted) in [
        ("customer.bill > 5.0", Unknown),
        ("customer.bill > 5.0 || customer.newsletter", True),
        ("customer.bill > 5.0 && customer.newsletter", Unknown),
        ("customer.bill > 5.0 && !customer.newsletter", False),
        ("customer.bill > 5.0 || !customer.newsletter", Unknown),
        ("!(customer.bill > 5.0)", Unknown),
        ("customer.bill == customer.bill", Unknown),
        ("customer.heating in ['gas', 'heat_pump']", Unknown),
        ("customer.newsletter ? customer.bill > 5.0 : true", Unknown),
        ("customer.newsletter ? true : customer.bill > 5.0", True),
        ("customer.bill > 5.0 ? true : true", Unknown),
        ("known(customer.bill)", False),
        ("known(customer.newsletter)", True),
        ("confidence(customer.bill) < 0.5", Unknown),
        ("confidence(customer.newsletter) < 0.95", True),
        ("or_else(customer.bill, 0.0) < 1.0", True),
        ("days_since_outcome('rejected', '') > 30", Unknown),
        ("or_else(days_since_outcome('rejected', ''), 999) > 30", True),
        ("context.page == 'home'", Unknown),
        ("0 / 0 > 1", Unknown),
    ] {
        assert_eq!(world.condition(source).truth(&known), wanted, "`{source}`");
    }
}

#[test]
fn the_same_signs_mean_what_they_mean_at_school() {
    let world = World::new();
    let person =
        world.nobody().with("bill", 120.0).with("persons", 4.0).with("moved_at", "2026-03-07T22:00:00Z");
    for (source, wanted) in [
        ("customer.bill / household.persons", Some(30.0)),
        ("2 + 3 * 4 - 1", Some(13.0)),
        ("(2 + 3) * -4", Some(-20.0)),
        ("-(-customer.bill)", Some(120.0)),
        ("min(customer.bill, 100) + max(1, 2) + abs(-3)", Some(105.0)),
        ("customer.bill > 100 ? 1.5 : 0", Some(1.5)),
        ("days_since(customer.moved_at)", Some(1.5)),
        ("days_until(customer.moved_at)", Some(-1.5)),
        ("days_until(timestamp('2026-03-19T10:00:00Z'))", Some(10.0)),
        ("hour()", Some(11.0)),
        ("weekday()", Some(1.0)),
        ("customer.bill / (household.persons - 4)", None),
        ("1e308 * 10", None),
        ("customer.bill / 0 + 1", None),
        ("or_else(customer.bill / 0, 7)", Some(7.0)),
    ] {
        assert_eq!(world.amount(source).number(&person), wanted, "`{source}`");
    }
    assert_eq!(Rule::constant(2.5).number(&person), Some(2.5));
    assert_eq!(Rule::constant(f64::NAN).number(&person), None);
}

#[test]
fn history_is_counted_in_its_scope_and_window() {
    let world = World::new();
    let mut person = world.nobody();
    person.contacts = vec![
        ("sales/contract/renew".into(), "2026-03-08T10:00:00Z".parse().unwrap()),
        ("sales/contract/renew".into(), "2026-03-02T10:00:00Z".parse().unwrap()),
        ("care/arrears/plan".into(), "2026-03-09T09:00:00Z".parse().unwrap()),
    ];
    person.outcomes =
        vec![("rejected".into(), "sales/contract".into(), "2026-02-27T10:00:00Z".parse().unwrap())];
    for (source, wanted) in [
        ("contacts('', '2w')", 3.0),
        ("history.contacts('sales', '7d')", 1.0),
        ("history.contacts('sales/contract', '8d')", 2.0),
        ("history.days_since('rejected', 'sales')", 10.0),
    ] {
        assert_eq!(world.amount(source).number(&person), Some(wanted), "`{source}`");
    }
}

#[test]
fn the_reason_names_exactly_the_references_that_are_missing() {
    let world = World::new();
    let person = world.nobody().with("newsletter", true);
    let names = |source: &str| -> Vec<Reference> { world.condition(source).unknowns(&person) };
    let bill = Reference::Attribute(world.attribute("bill"));
    let town = Reference::Attribute(world.attribute("town"));
    assert_eq!(names("customer.bill > 5.0 && customer.newsletter"), [bill]);
    assert_eq!(names("customer.bill > 5.0 && customer.town == 'Utrecht'"), [bill, town]);
    assert_eq!(names("customer.bill > 5.0 && !customer.newsletter"), []);
    assert_eq!(names("customer.newsletter ? customer.bill > 5.0 : customer.town == ''"), [bill]);
    assert_eq!(names("days_since_outcome('rejected', '') > 30"), []);
    assert_eq!(names("confidence(customer.bill) > 0.5"), [bill]);
    assert_eq!(names("context.visits > customer.bill"), [Reference::Context(1), bill]);
}

#[test]
fn a_rule_tells_what_it_reads() {
    let world = World::new();
    let rule = world.condition("known(customer.bill) && context.page == 'home' && household.persons > 1");
    let attributes = ["bill", "persons"].map(|name| world.attribute(name));
    assert_eq!(rule.reads().attributes, BTreeSet::from(attributes));
    assert_eq!(rule.reads().contexts, BTreeSet::from([0]));
}
