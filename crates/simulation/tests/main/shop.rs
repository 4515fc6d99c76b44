//! The shop: what lines of an order leave behind, what is worked out from them, and who gets none of it.

use crate::retailer::{read, repository};
use decision::{
    Timestamp,
    profile::{About, AttributeValue, ConsentStatus, Source},
    request::{Direction, PlacementRequest, Request},
    strategy::{Files, Items},
    value::Value,
};
use engine::{Ask, ConsentReport, Engine, EventReport, Identifier, storage::MemoryStore};
use insight::worth::{self, Worth};
use jiff::ToSpan;
use simulation::import::{self, Mapping, Tally};
use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

fn engine() -> Engine {
    let mut files = Files::default();
    read(&repository().join("worlds/shop/strategy"), "", &mut files);
    Engine::open(Arc::new(MemoryStore::new()), &files, [7; 32]).unwrap()
}

fn mapping() -> Mapping {
    Mapping::parse(&fs::read_to_string(repository().join("worlds/shop/mapping.toml")).unwrap()).unwrap()
}

fn day(number: i32) -> Timestamp {
    let first: Timestamp = "2011-01-03T10:00:00Z".parse().unwrap();
    first + (24 * i64::from(number)).hours()
}

const NOW: i32 = 300;

/// The web shop with customers who buy now and then.
struct Shop(Engine);

impl Shop {
    /// `customers` who buy lamps with bulbs or tea with cups, each at their own pace, until day 300.
    fn with(customers: i32) -> Self {
        let shop = Self(engine());
        for customer in 0..customers {
            let (pace, stops) = (10 + customer % 40, 100 + (customer * 37) % 250);
            let pair = if customer % 2 == 0 { ["lamp", "bulb"] } else { ["tea", "cup"] };
            for (time, on) in (customer % 17..NOW.min(stops)).step_by(pace as usize).enumerate() {
                let amount = f64::from(5 + (customer * 13) % 40 + (on * 7) % 30);
                shop.buys(&customer.to_string(), pair[time % 2], amount, day(on));
            }
        }
        shop
    }

    fn buys(&self, who: &str, item: &str, amount: f64, at: Timestamp) {
        let report = EventReport {
            id: format!("{who} {item} {at}"),
            event: "purchase".into(),
            identifiers: vec![Identifier::new("customer_id", who)],
            at: Some(at),
            properties: BTreeMap::from([
                ("amount".into(), Value::Number(amount)),
                ("item".into(), Value::Text(item.into())),
            ]),
            attributes: BTreeMap::new(),
            source: None,
            household: None,
        };
        self.0.ingest(&report, "", at).unwrap().1.wait().unwrap();
    }

    fn says(&self, who: &str, status: ConsentStatus, at: Timestamp) {
        let report = ConsentReport {
            at: Some(at),
            ..ConsentReport::new(
                vec![Identifier::new("customer_id", who)],
                About::Purpose("suggestions".into()),
                status,
            )
        };
        self.0.consent(&report, "", at).unwrap().1.wait().unwrap();
    }

    fn works_out(&self) -> Worth {
        worth::run(&self.0, day(NOW), true).unwrap()
    }

    fn knows(&self, who: &str, attribute: &str) -> Option<AttributeValue> {
        let state = self.0.customer(&[Identifier::new("customer_id", who)]).unwrap()?;
        state.customer.profile.attributes.get(attribute).cloned()
    }

    fn number(&self, who: &str, attribute: &str) -> Option<f64> {
        match self.knows(who, attribute)?.value {
            Value::Number(number) => Some(number),
            other => panic!("{attribute} is {other:?}"),
        }
    }

    fn text(&self, who: &str, attribute: &str) -> Option<String> {
        Some(self.knows(who, attribute)?.value.to_string())
    }
}

fn sum(reasons: &BTreeMap<&'static str, u64>) -> u64 {
    reasons.values().sum()
}

#[test]
fn buying_leaves_behind_when_how_often_and_for_how_much_and_no_list_of_orders() {
    let shop = Shop::with(0);
    for (item, amount, on) in [("tea", 4.0, 3), ("cup", 6.0, 3), ("tea", 4.0, 9), ("pot", 20.0, 40)] {
        shop.buys("jan", item, amount, day(on));
    }
    shop.buys("jan", "pot", 20.0, day(40));
    assert_eq!(shop.number("jan", "days_bought"), Some(3.0), "two lines of one day are one day");
    assert_eq!(shop.number("jan", "spent"), Some(34.0), "an event that is sent twice counts once");
    assert_eq!(shop.knows("jan", "first_bought_at").unwrap().value, Value::Time(day(3)));
    assert_eq!(shop.knows("jan", "last_bought_at").unwrap().value, Value::Time(day(40)));
    let chosen = shop.text("jan", "chosen").unwrap();
    assert_eq!(Items::read(&chosen).collect::<Vec<_>>(), ["pot", "tea", "cup"]);
    shop.buys("jan", "lamp", 0.0, day(50));
    assert_eq!(shop.number("jan", "days_bought"), Some(3.0), "what was not paid for is no purchase");
}

#[test]
fn a_purchase_that_arrives_late_moves_the_first_and_not_the_last() {
    let shop = Shop::with(0);
    for on in [40, 12, 12] {
        shop.buys("eva", &format!("tea {on}"), 5.0, day(on));
    }
    shop.buys("eva", "cup", 5.0, day(12));
    assert_eq!(shop.number("eva", "days_bought"), Some(2.0));
    assert_eq!(shop.knows("eva", "first_bought_at").unwrap().value, Value::Time(day(12)));
    assert_eq!(shop.knows("eva", "last_bought_at").unwrap().value, Value::Time(day(40)));
}

#[test]
fn what_is_worked_out_is_an_attribute_like_any_other() {
    let shop = Shop::with(200);
    let worth = shop.works_out();
    assert!(matches!(worth.purchasing, Some(Ok(_))), "{worth:?}");
    assert_eq!(worth.valued + sum(&worth.not_valued), worth.customers);
    assert_eq!(worth.suggested + sum(&worth.not_suggested), worth.customers);
    assert_eq!((worth.customers, worth.valued), (200, 200));
    let value = shop.knows("4", "value_12m").unwrap();
    assert_eq!((value.source, value.observed_at), (Source::Derived, day(NOW)));
    assert!(value.confidence > 0.5 && value.confidence < 1.0, "{value:?}");
    // Customers 0 and 40 bought every 10 days, until day 100 and until day 300.
    let (gone, here) = (shop.number("0", "alive").unwrap(), shop.number("40", "alive").unwrap());
    assert!(gone < 0.5 && here > gone, "{gone} and {here}");
    assert!(shop.number("0", "purchases_12m").unwrap() < shop.number("40", "purchases_12m").unwrap());
}

#[test]
fn who_objects_gets_no_expectation_and_loses_what_was_there() {
    let shop = Shop::with(200);
    shop.works_out();
    assert!(shop.knows("4", "value_12m").is_some() && shop.knows("6", "value_12m").is_some());
    shop.says("4", ConsentStatus::Objected, day(NOW));
    let worth = shop.works_out();
    assert_eq!(worth.not_valued, BTreeMap::from([("objected", 1)]));
    assert_eq!(worth.not_suggested.get("objected"), Some(&1));
    for attribute in ["value_12m", "purchases_12m", "alive", "similar", "because"] {
        assert_eq!(shop.knows("4", attribute), None, "{attribute}");
    }
    assert!(shop.knows("6", "value_12m").is_some());
    let Some(Ok(fit)) = worth.purchasing else { panic!("{worth:?}") };
    assert_eq!(fit.customers, 199, "the models do not know the customer either");
}

#[test]
fn a_suggestion_comes_with_its_reason_and_goes_when_it_is_bought() {
    let shop = Shop::with(60);
    shop.buys("noor", "tea", 4.0, day(NOW - 1));
    shop.works_out();
    assert_eq!(shop.text("noor", "similar").as_deref(), Some("cup"));
    assert_eq!(shop.text("noor", "because").as_deref(), Some("tea"));
    let ask = Ask {
        identifiers: vec![Identifier::new("customer_id", "noor")],
        request: Request {
            channel: "web".into(),
            direction: Direction::Inbound,
            placements: vec![PlacementRequest { placement: "home".into(), slots: 1 }],
            context: BTreeMap::new(),
            language: None,
            global_privacy_control: false,
            dry_run: true,
        },
        adjustments: Vec::new(),
    };
    let bodies = |shop: &Shop| -> Vec<String> {
        let said = |seed| shop.0.decide(&ask, day(NOW), seed).unwrap().answer.slots.remove(0).body;
        (0..20).filter_map(said).collect()
    };
    assert!(bodies(&shop).contains(&"Because you chose tea: cup.".to_owned()), "{:?}", bodies(&shop));
    shop.buys("noor", "cup", 3.0, day(NOW));
    assert_eq!(shop.knows("noor", "similar"), None);
    assert!(bodies(&shop).iter().all(|body| !body.contains("cup")));
    shop.works_out();
    assert_ne!(shop.text("noor", "similar").as_deref(), Some("cup"));
}

#[test]
fn a_dry_run_says_what_would_come_of_it_and_keeps_nothing() {
    let shop = Shop::with(100);
    let dry = worth::run(&shop.0, day(NOW), false).unwrap();
    assert_eq!(dry.valued, 100);
    assert_eq!(shop.knows("4", "value_12m"), None);
    let kept = shop.works_out();
    assert_eq!((dry.valued, dry.value.to_bits()), (kept.valued, kept.value.to_bits()));
}

#[test]
fn with_few_customers_nothing_is_expected_of_anybody() {
    let shop = Shop::with(10);
    let worth = shop.works_out();
    assert_eq!(worth.not_valued, BTreeMap::from([("no_model", 10)]));
    assert_eq!(shop.knows("4", "value_12m"), None);
}

const LINES: &str = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n\
    1,10,TEA,2,2011-03-01 10:00:00,2.5,17,UK\n\
    1,11,CUP ,1,2011-03-01 10:00:00,4.0,17,UK\n\
    1,11,CUP ,1,2011-03-01 10:00:00,4.0,17,UK\n\
    2,10,TEA,1,2011-03-02 10:00:00,2.5,,UK\n\
    C3,10,TEA,-2,2011-03-03 10:00:00,2.5,17,UK\n\
    4,10,damages,-9,2011-03-04 10:00:00,2.5,17,UK\n\
    5,10,TEA,1,2011-03-05 10:00:00,0.0,17,UK\n\
    6,POST,POSTAGE,1,2011-03-06 10:00:00,9.0,17,UK\n\
    7,gift_0001_20,Voucher,1,2011-03-07 10:00:00,20.0,17,UK\n\
    A8,B,Adjust bad debt,1,2011-03-08 10:00:00,-11062.06,17,UK\n\
    9,10,TEA,1,yesterday,2.5,17,UK\n\
    9,10,TEA,1,2011-03-09 10:00:00,2.5,17,UK\n";

fn imported(data: &Path, engine: Option<&Engine>) -> Tally {
    let strategy = engine.map_or_else(|| self::engine().published(), Engine::published);
    assert_eq!(import::problems(&mapping(), &strategy.strategy), [""; 0]);
    let now = "2011-12-10T00:00:00Z".parse().unwrap();
    import::run(&mapping(), &strategy.strategy, data, now, engine, &mut |_| {}).unwrap()
}

fn adds_up(tally: &Tally) {
    let rows = &tally.sources["invoice lines"];
    let excluded: u64 = rows.excluded.values().sum();
    assert_eq!(rows.used + excluded + rows.left_out + rows.rejects, rows.rows, "{rows:?}");
}

#[test]
fn every_line_of_an_order_is_used_rejected_or_excluded_for_one_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("online_retail.csv.gz");
    let mut packed =
        flate2::write::GzEncoder::new(fs::File::create(path).unwrap(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, LINES.as_bytes()).unwrap();
    packed.finish().unwrap();
    let shop = Shop::with(0);
    let tally = imported(folder.path(), Some(&shop.0));
    adds_up(&tally);
    let rows = &tally.sources["invoice lines"];
    assert_eq!((rows.rows, rows.used, rows.rejects), (12, 3, 1));
    assert!(rows.excluded.values().all(|count| *count == 1), "{rows:?}");
    assert_eq!(rows.excluded.len(), 8);
    assert!(tally.render().contains("        1  a cancellation\n"), "{}", tally.render());
    assert_eq!(shop.number("17", "spent"), Some(11.5));
    assert_eq!(shop.number("17", "days_bought"), Some(2.0));
    assert_eq!(shop.text("17", "chosen").as_deref(), Some("TEA · CUP"));
}

#[test]
fn a_real_year_of_orders_is_counted_to_the_last_line() {
    let data = repository().join("../shared/data/online-retail");
    if !data.is_dir() || std::env::var_os("ATTENT_NIGHTLY").is_none() {
        eprintln!("skipped: `{}` is read at night, where it is", data.display());
        return;
    }
    let tally = imported(&data, None);
    adds_up(&tally);
    let rows = &tally.sources["invoice lines"];
    eprintln!("{}", tally.render());
    assert_eq!(rows.rows, 541_909);
    assert_eq!(rows.excluded["no customer: nobody knows whose it is"], 135_080);
    assert_eq!(rows.rejects, 0);
}
