//! Who is in a household, who leaves it, and what stays of what they told.

use crate::shop::{at, event, files};
use decision::{id::CustomerId, value::Value};
use engine::{
    Because, Engine, EventReport, Identifier, Verdict,
    storage::{MemoryStore, Store, Table},
};
use std::sync::Arc;

const START: &str = "2026-03-09T09:00:00Z";
const LATER: &str = "2026-03-10T09:00:00Z";

struct Street {
    engine: Engine,
    store: Arc<MemoryStore>,
}

fn person(name: &str) -> Identifier {
    Identifier::new("user_id", name)
}

impl Street {
    fn new() -> Self {
        let mut files = files();
        let facts = ["solar", "cellar", "attic"].map(|name| {
            format!(
                "[attributes.{name}]\nname.en = \"{name}\"\ntype = \"bool\"\nsubject = \"household\"\npurposes = [\"offers\"]\nowner = \"team\"\n"
            )
        });
        let inventory = format!("[identifiers.contract]\nidentifies = \"account\"\n{}", facts.concat());
        files.0.insert("inventory/household.toml".into(), inventory);
        let store = Arc::new(MemoryStore::new());
        Self { engine: Engine::open(store.clone(), &files, [7; 32]).unwrap(), store }
    }

    fn tell(&self, who: &[Identifier], household: Option<&str>, facts: &[&str], moment: &str) -> CustomerId {
        let report = EventReport {
            identifiers: who.to_vec(),
            household: household.map(str::to_owned),
            attributes: facts.iter().map(|name| ((*name).to_owned(), Value::Bool(true))).collect(),
            ..event(&format!("{moment} {facts:?} {household:?}"), "customer_updated")
        };
        assert_eq!(self.engine.ingest(&report, "", at(moment)).unwrap().0, Verdict::Accepted);
        self.engine.find(who).unwrap().unwrap()
    }

    fn facts(&self, name: &str) -> Option<Vec<String>> {
        let known = self.engine.customer(&[person(name)]).unwrap().unwrap();
        known.household.map(|facts| facts.keys().map(ToString::to_string).collect())
    }

    fn rows(&self, table: Table) -> usize {
        self.store.scan(table, &[], None, 100).unwrap().len()
    }
}

#[test]
fn whoever_moves_takes_along_what_nobody_else_told() {
    let street = Street::new();
    let jan = street.tell(&[person("jan")], Some("house 1"), &["solar", "cellar"], START);
    let eva = street.tell(&[person("eva")], Some("house 1"), &["attic"], START);
    street.tell(&[person("eva")], None, &["cellar"], LATER);
    let mut together = vec![jan, eva];
    together.sort();
    assert_eq!(street.engine.housemates(eva).unwrap(), together);
    street.tell(&[person("jan")], Some("house 2"), &[], LATER);
    assert_eq!(street.engine.housemates(eva).unwrap(), [eva]);
    assert_eq!(street.facts("eva").unwrap(), ["attic", "cellar"], "eva told of the cellar too");
    assert_eq!(street.facts("jan").unwrap(), [""; 0]);
    street.tell(&[person("eva")], Some(""), &[], LATER);
    assert_eq!(street.facts("eva"), None);
    assert_eq!(street.engine.housemates(eva).unwrap(), []);
    assert_eq!(
        (street.rows(Table::Household), street.rows(Table::Member)),
        (1, 1),
        "house 1 went with its last"
    );
}

#[test]
fn an_account_brings_its_persons_together_and_a_household_by_name_counts_more() {
    let street = Street::new();
    let contract = Identifier::new("contract", "7");
    let jan = street.tell(&[person("jan"), contract.clone()], None, &["solar"], START);
    let eva = street.tell(&[person("eva"), contract.clone()], None, &[], START);
    assert_ne!(jan, eva);
    assert_eq!(street.facts("eva").unwrap(), ["solar"]);
    street.tell(&[person("eva"), Identifier::new("contract", "8")], None, &["attic"], LATER);
    assert_eq!(street.facts("jan").unwrap(), ["attic", "solar"], "a second contract moves nobody");
    street.tell(&[person("eva"), contract], Some("house 2"), &[], LATER);
    assert_eq!(street.engine.housemates(jan).unwrap(), [jan]);
    assert_eq!(street.facts("jan").unwrap(), ["solar"]);
}

#[test]
fn an_erased_member_goes_with_what_they_told_and_the_last_one_with_all() {
    let street = Street::new();
    street.tell(&[person("jan")], Some("house 1"), &["solar"], START);
    street.tell(&[person("eva")], Some("house 1"), &["attic"], START);
    let erase = |name: &str| {
        let (certificate, ticket) = street.engine.erase(&[person(name)], None, at(LATER)).unwrap();
        ticket.wait().unwrap();
        (certificate.rows["member"], certificate.rows["household"])
    };
    assert_eq!(erase("jan"), (1, 1));
    assert_eq!(street.facts("eva").unwrap(), ["attic"]);
    assert_eq!(erase("eva"), (1, 1));
    assert_eq!((street.rows(Table::Household), street.rows(Table::Member)), (0, 0));
}

#[test]
fn a_person_of_two_customers_in_one_household_is_erased_from_it_as_a_whole() {
    let street = Street::new();
    let jan = street.tell(&[person("jan")], Some("house 1"), &["solar"], START);
    let same = street.tell(&[person("j")], Some("house 1"), &["attic"], START);
    let because = Because { by: "desk", reason: "one passport" };
    street.engine.merge(same, jan, because, at(START)).unwrap().unwrap().1.wait().unwrap();
    street.engine.erase(&[person("jan")], None, at(LATER)).unwrap().1.wait().unwrap();
    assert_eq!((street.rows(Table::Household), street.rows(Table::Member)), (0, 0));
}
