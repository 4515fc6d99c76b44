//! Who is who: visitors who become known, shared devices, two customers who are one person after all, or not.

use crate::shop::{IntoValue, OFFER, Shop, at, event, request, said};
use decision::{
    Duration, Timestamp,
    id::CustomerId,
    inputs::Assignment,
    profile::{About, ConsentStatus, Customer},
    request::Direction,
    value::Value,
};
use engine::{
    Ask, Because, ConsentReport, Decided, EventReport, Identifier, NotMerged, PastContact, Verdict,
};
use proptest::prelude::*;

const START: &str = "2026-03-09T09:00:00Z";
const BECAUSE: Because<'_> = Because { by: "desk", reason: "showed a passport" };

fn user(name: &str) -> Identifier {
    Identifier::new("user_id", name)
}

fn mail_of(name: &str) -> Identifier {
    Identifier::new("email", &format!("{name}@example.org"))
}

fn browser() -> Identifier {
    Identifier::new("anonymous_id", "browser")
}

impl Shop {
    /// A shop that declares something more.
    fn open_with(inventory: &str) -> Self {
        let mut files = crate::shop::files();
        files.0.insert("inventory/more.toml".into(), inventory.into());
        let store = std::sync::Arc::new(engine::storage::MemoryStore::new());
        Self { engine: engine::Engine::open(store, &files, [7; 32]).expect("the strategy checks") }
    }

    /// A shop with control groups.
    fn with_control(control: &str) -> Self {
        let mut files = crate::shop::files();
        files.0.get_mut("organisation.toml").unwrap().push_str(&format!("[control]\n{control}\n"));
        let store = std::sync::Arc::new(engine::storage::MemoryStore::new());
        Self { engine: engine::Engine::open(store, &files, [7; 32]).expect("the strategy checks") }
    }

    fn tell(&self, who: &[Identifier], id: &str, moment: Timestamp, facts: &[(&str, Value)]) -> CustomerId {
        let report = EventReport {
            identifiers: who.to_vec(),
            attributes: facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            ..event(id, "customer_updated")
        };
        assert_eq!(self.engine.ingest(&report, "", moment).unwrap().0, Verdict::Accepted);
        self.engine.find(who).unwrap().unwrap()
    }

    fn happens_to(&self, who: &[Identifier], id: &str, name: &str, moment: Timestamp) {
        let report = EventReport { identifiers: who.to_vec(), ..event(id, name) };
        self.engine.ingest(&report, "", moment).unwrap().1.wait().unwrap();
    }

    fn says(&self, who: &[Identifier], status: ConsentStatus, moment: Timestamp) {
        let about = About::Purpose("offers".into());
        let report = ConsentReport::new(who.to_vec(), about, status);
        self.engine.consent(&report, "", moment).unwrap().1.wait().unwrap();
    }

    fn visit(&self, who: &[Identifier], moment: Timestamp, seed: u64) -> Decided {
        let ask = Ask {
            identifiers: who.to_vec(),
            request: request("web", Direction::Inbound, "home", 1),
            adjustments: Vec::new(),
        };
        self.engine.decide(&ask, moment, seed).unwrap()
    }

    fn known(&self, who: &[Identifier]) -> Customer {
        self.engine.customer(who).unwrap().unwrap().customer
    }

    fn knows(&self, who: &[Identifier], name: &str) -> Option<Value> {
        self.known(who).profile.attributes.get(name).map(|value| value.value.clone())
    }

    fn merge(&self, from: &Identifier, into: &Identifier, moment: Timestamp) -> Result<(), NotMerged> {
        let id = |who: &Identifier| self.engine.find(std::slice::from_ref(who)).unwrap().unwrap();
        self.engine.merge(id(from), id(into), BECAUSE, moment).unwrap().map(drop)
    }

    fn unmerge(&self, part: &Identifier, moment: Timestamp) -> Result<(), NotMerged> {
        let id = self.engine.find(std::slice::from_ref(part)).unwrap().unwrap();
        self.engine.unmerge(id, BECAUSE, moment).unwrap().map(drop)
    }
}

/// Somebody with a garden who wants offers.
fn gardener(shop: &Shop, who: &Identifier, moment: Timestamp) -> CustomerId {
    let who = std::slice::from_ref(who);
    let id = shop.tell(
        who,
        "garden",
        moment,
        &[("has_garden", Value::Bool(true)), ("town", "Gouda".into_value())],
    );
    shop.says(who, ConsentStatus::Given, moment);
    id
}

#[test]
fn a_visitor_who_becomes_known_keeps_the_past() {
    let shop = Shop::open();
    let visitor = shop.tell(&[browser()], "e1", at(START), &[("town", "Gouda".into_value())]);
    let known = shop.tell(&[browser(), user("jan")], "e2", at(START), &[]);
    assert_eq!(visitor, known);
    assert_eq!(shop.knows(&[user("jan")], "town"), Some("Gouda".into_value()));
}

#[test]
fn a_visitor_on_the_browser_of_somebody_known_is_taken_in_and_that_can_be_undone() {
    let shop = Shop::open();
    let jan = gardener(&shop, &user("jan"), at(START));
    let visitor = shop.tell(&[browser()], "e1", at(START), &[("owns_heater", Value::Bool(true))]);
    shop.happens_to(&[user("jan"), browser()], "login", "bought", at(START));
    assert_eq!(shop.knows(&[user("jan")], "owns_heater"), Some(Value::Bool(true)));
    let state = shop.engine.customer(&[browser()]).unwrap().unwrap();
    assert_eq!(state.customer.id, jan);
    let merge = &state.merges[0];
    assert_eq!(
        (merge.from, merge.into, merge.kinds.as_slice()),
        (visitor, jan, &["anonymous_id".to_owned()][..])
    );
    shop.unmerge(&browser(), at(START)).unwrap();
    assert_eq!(shop.knows(&[user("jan")], "owns_heater"), None);
    shop.happens_to(&[user("jan"), browser()], "login again", "bought", at(START));
    assert_eq!(shop.knows(&[user("jan")], "owns_heater"), None, "what a human parted stays apart");
    assert_eq!(shop.engine.find(&[browser()]).unwrap(), Some(jan), "the browser is Jan's from now on");
}

#[test]
fn logging_in_on_a_shared_browser_switches_person_and_moves_nothing() {
    let shop = Shop::open();
    let jan = shop.tell(&[browser(), user("jan")], "e1", at(START), &[("town", "Gouda".into_value())]);
    let ask = |who: &[Identifier]| shop.visit(who, at(START), 1).decision.customer;
    assert_eq!(ask(&[browser(), user("eva")]), None, "Eva is nobody yet, and not Jan");
    let eva = shop.tell(&[browser(), user("eva")], "e2", at(START), &[]);
    assert_ne!(jan, eva);
    assert_eq!(shop.knows(&[user("eva")], "town"), None);
    assert_eq!(ask(&[browser()]), Some(eva), "the browser is Eva's now");
    assert_eq!(shop.knows(&[user("jan")], "town"), Some("Gouda".into_value()));
    shop.tell(&[browser(), user("jan")], "e3", at(START), &[]);
    assert_eq!(ask(&[browser()]), Some(jan));
    assert_eq!(shop.engine.parts(jan).unwrap(), [jan]);
}

#[test]
fn the_same_address_on_two_users_is_left_to_a_human() {
    let shop = Shop::open();
    let jan = shop.tell(&[user("jan"), mail_of("home")], "e1", at(START), &[("town", "Gouda".into_value())]);
    let eva = shop.tell(&[user("eva"), mail_of("home")], "e2", at(START), &[]);
    assert_ne!(jan, eva);
    assert_eq!(shop.knows(&[user("eva")], "town"), None);
    assert_eq!(shop.engine.find(&[mail_of("home")]).unwrap(), Some(jan));
    let open = shop.engine.conflicts(10).unwrap();
    assert_eq!((open[0].customer, open[0].other, open[0].kind.as_str()), (eva, jan, "email"));
    shop.merge(&user("eva"), &user("jan"), at(START)).unwrap();
    assert_eq!(shop.engine.conflicts(10).unwrap(), []);
    assert_eq!(shop.knows(&[user("eva")], "town"), Some("Gouda".into_value()));
}

#[test]
fn of_identifiers_of_two_customers_the_one_that_tells_persons_apart_counts() {
    let shop = Shop::open();
    shop.tell(&[mail_of("piet")], "e1", at(START), &[]);
    let jan = shop.tell(&[user("jan")], "e2", at(START), &[]);
    for who in [[mail_of("piet"), user("jan")], [user("jan"), mail_of("piet")]] {
        assert_eq!(shop.engine.find(&who).unwrap(), Some(jan));
    }
}

#[test]
fn an_account_never_says_which_person_it_is() {
    let shop = Shop::open_with("[identifiers.contract]\nidentifies = \"account\"\n");
    let contract = || Identifier::new("contract", "7");
    let jan = shop.tell(&[contract(), user("jan")], "e1", at(START), &[]);
    let eva = shop.tell(&[contract(), user("eva")], "e2", at(START), &[]);
    assert_ne!(jan, eva);
    assert_eq!(shop.engine.find(&[contract()]).unwrap(), None);
}

#[test]
fn an_opt_out_on_one_of_two_holds_for_the_person_until_the_person_says_yes() {
    let shop = Shop::open();
    gardener(&shop, &user("jan"), at(START));
    shop.says(&[mail_of("jan")], ConsentStatus::Withdrawn, at("2026-01-01T09:00:00Z"));
    assert_eq!(said(&shop.visit(&[user("jan")], at(START), 1)), Some(OFFER));
    shop.merge(&mail_of("jan"), &user("jan"), at("2026-03-10T09:00:00Z")).unwrap();
    let later = at("2026-03-20T09:00:00Z");
    for who in [user("jan"), mail_of("jan")] {
        assert_eq!(said(&shop.visit(&[who], later, 2)), None, "the stricter one counts, though it is older");
    }
    shop.says(&[mail_of("jan")], ConsentStatus::Given, later);
    assert_eq!(said(&shop.visit(&[user("jan")], later, 3)), Some(OFFER), "said by the one person they are");
    shop.says(&[user("jan")], ConsentStatus::Withdrawn, later);
    assert_eq!(said(&shop.visit(&[mail_of("jan")], at("2026-04-20T09:00:00Z"), 4)), None);
}

#[test]
fn limits_count_what_both_were_told_and_let_go_on_time() {
    let shop = Shop::open();
    let day = |day: i64| at(START) + Duration::from_hours(24 * day);
    gardener(&shop, &user("jan"), day(0));
    gardener(&shop, &mail_of("jan"), day(0));
    for (who, hours) in [(user("jan"), 0), (mail_of("jan"), 24)] {
        let decided = shop.visit(&[who], day(0) + Duration::from_hours(hours), 1);
        assert_eq!(said(&decided), Some(OFFER));
        shop.report(&decided, "displayed", &(day(0) + Duration::from_hours(hours)).to_string());
    }
    assert_eq!(said(&shop.visit(&[user("jan")], day(2), 2)), Some(OFFER), "apart each has had one");
    shop.merge(&mail_of("jan"), &user("jan"), day(2)).unwrap();
    assert_eq!(said(&shop.visit(&[mail_of("jan")], day(3), 3)), None, "together they have had two this week");
    assert_eq!(said(&shop.visit(&[user("jan")], day(3), 3)), None);
    let first_left = day(7) + Duration::from_hours(1);
    assert_eq!(said(&shop.visit(&[mail_of("jan")], first_left, 4)), Some(OFFER), "the first left the week");
}

#[test]
fn what_one_bought_closes_the_need_of_the_person() {
    let shop = Shop::open();
    gardener(&shop, &user("jan"), at(START));
    shop.happens_to(&[mail_of("jan")], "order", "bought", at(START));
    shop.merge(&mail_of("jan"), &user("jan"), at(START)).unwrap();
    assert_eq!(said(&shop.visit(&[user("jan")], at("2026-03-20T09:00:00Z"), 1)), None);
    shop.unmerge(&mail_of("jan"), at("2026-03-20T09:00:00Z")).unwrap();
    assert_eq!(said(&shop.visit(&[user("jan")], at("2026-03-20T09:00:00Z"), 1)), Some(OFFER));
}

#[test]
fn what_was_taken_away_by_one_is_not_brought_back_by_the_other() {
    let shop = Shop::open_with("[events.sold_heater]\nsets = { owns_heater = \"{none}\" }\n");
    shop.tell(&[mail_of("jan")], "e1", at(START), &[("owns_heater", Value::Bool(true))]);
    shop.tell(&[user("jan")], "e2", at(START), &[]);
    shop.merge(&mail_of("jan"), &user("jan"), at(START)).unwrap();
    assert_eq!(shop.knows(&[user("jan")], "owns_heater"), Some(Value::Bool(true)));
    shop.happens_to(&[user("jan")], "e3", "sold_heater", at("2026-03-10T09:00:00Z"));
    assert_eq!(shop.knows(&[mail_of("jan")], "owns_heater"), None);
    shop.unmerge(&mail_of("jan"), at("2026-03-11T09:00:00Z")).unwrap();
    assert_eq!(shop.knows(&[mail_of("jan")], "owns_heater"), Some(Value::Bool(true)));
}

#[test]
fn merged_they_are_in_the_group_of_who_was_compared_first_and_parted_each_in_their_own() {
    for (first, served_first) in [("silence", false), ("strategy", true)] {
        let shop = Shop::with_control("silence_share = 0.5\nperiod = \"90d\"");
        let hour = |hour: i64| at(START) + Duration::from_hours(hour);
        let published = shop.engine.published();
        let people = (0..16).map(|number| user(&number.to_string()));
        let people: Vec<_> = people.map(|who| (gardener(&shop, &who, hour(0)), who)).collect();
        let of = |group| {
            let drawn = |id| shop.engine.assignment(&published.strategy, id, hour(0)) == group;
            people.iter().find(|(id, _)| drawn(*id)).unwrap().1.clone()
        };
        let (silent, served) = (of(Assignment::Silence), of(Assignment::Strategy));
        let group = |who: &Identifier, hours| {
            shop.visit(std::slice::from_ref(who), hour(hours), 1).decision.trace.assignment
        };
        let both = |hours| (group(&silent, hours), group(&served, hours));
        if served_first {
            assert_eq!(group(&served, 1), Assignment::Strategy);
        }
        assert_eq!(group(&silent, 2), Assignment::Silence);
        assert_eq!(group(&served, 3), Assignment::Strategy);
        let merges = [(&silent, &served), (&served, &silent)];
        for (number, (from, into)) in (1..).zip(merges) {
            shop.merge(from, into, hour(10 * number)).unwrap();
            let expected = if served_first { Assignment::Strategy } else { Assignment::Silence };
            assert_eq!(both(10 * number + 1), (expected, expected), "{first} first, {number}");
            shop.unmerge(from, hour(10 * number + 2)).unwrap();
            assert_eq!(both(10 * number + 3), (Assignment::Silence, Assignment::Strategy), "{first} first");
        }
    }
}

#[test]
fn what_was_decided_while_they_were_one_stays_with_whom_it_was_asked_for() {
    let shop = Shop::open();
    let day = |day: i64| at(START) + Duration::from_hours(24 * day);
    gardener(&shop, &user("jan"), day(0));
    gardener(&shop, &mail_of("jan"), day(0));
    shop.merge(&mail_of("jan"), &user("jan"), day(0)).unwrap();
    let decided = [(user("jan"), 1), (mail_of("jan"), 2)].map(|(who, number)| {
        let decided = shop.visit(&[who], day(number), 1);
        assert_eq!(said(&decided), Some(OFFER));
        shop.report(&decided, "displayed", &day(number).to_string());
        decided.decision
    });
    assert_eq!(said(&shop.visit(&[user("jan")], day(3), 2)), None, "together they have had two this week");
    let of_both = shop.engine.decisions_of(decided[0].customer.unwrap(), 10).unwrap();
    assert_eq!(of_both.len(), 3);
    shop.unmerge(&mail_of("jan"), day(3)).unwrap();
    for (who, decision) in [user("jan"), mail_of("jan")].into_iter().zip(&decided) {
        let who = [who];
        let contacts: Vec<_> =
            shop.known(&who).history.contacts.iter().map(|contact| contact.decision).collect();
        assert_eq!(contacts, [decision.id]);
        let theirs = shop.engine.decisions_of(decision.customer.unwrap(), 10).unwrap();
        assert!(theirs.iter().all(|found| found.customer == decision.customer), "nobody else's");
        assert!(theirs.contains(decision));
        assert!(shop.engine.replay(decision.id).unwrap().unwrap().is_ok(), "made on what both knew");
        assert_eq!(said(&shop.visit(&who, day(4), 3)), Some(OFFER), "apart each has had one");
    }
}

#[test]
fn a_merge_that_makes_no_sense_is_refused_and_says_why() {
    let shop = Shop::open();
    for name in ["a", "b", "c"] {
        shop.tell(&[user(name)], "e1", at(START), &[]);
    }
    let merge = |from, into| shop.merge(&user(from), &user(into), at(START));
    assert_eq!(merge("a", "a"), Err(NotMerged::Itself));
    assert_eq!(merge("a", "b"), Ok(()));
    assert_eq!(merge("a", "b"), Err(NotMerged::Already));
    assert_eq!(merge("b", "a"), Err(NotMerged::Cycle));
    assert_eq!(merge("b", "c"), Ok(()));
    assert_eq!(merge("c", "a"), Err(NotMerged::Cycle));
    assert_eq!(shop.unmerge(&user("c"), at(START)), Err(NotMerged::NotThere));
    let parts = |name| shop.engine.parts(shop.engine.find(&[user(name)]).unwrap().unwrap()).unwrap().len();
    assert_eq!((parts("a"), parts("c")), (3, 3));
    assert_eq!(shop.unmerge(&user("b"), at(START)), Ok(()));
    assert_eq!((parts("a"), parts("b"), parts("c")), (2, 2, 1), "what b had taken in stays with b");
    let undone = shop.engine.customer(&[user("b")]).unwrap().unwrap().undone;
    assert_eq!((undone[0].by.as_str(), undone[0].reason.as_str()), ("desk", "showed a passport"));
}

/// One thing that happens to one of two customers.
#[derive(Debug, Clone)]
enum Step {
    Known(&'static str, bool),
    Town(&'static str),
    Says(ConsentStatus),
    Bought,
    Complains,
    Contact,
    Visit,
}

fn step() -> impl Strategy<Value = (bool, Step, i64)> {
    let status = prop::sample::select(vec![
        ConsentStatus::Given,
        ConsentStatus::Refused,
        ConsentStatus::Withdrawn,
        ConsentStatus::Objected,
    ]);
    let step = prop_oneof![
        (prop::sample::select(vec!["has_garden", "owns_heater"]), any::<bool>())
            .prop_map(|(name, value)| Step::Known(name, value)),
        prop::sample::select(vec!["Gouda", "Delft"]).prop_map(Step::Town),
        status.prop_map(Step::Says),
        Just(Step::Bought),
        Just(Step::Complains),
        Just(Step::Contact),
        Just(Step::Visit),
    ];
    (any::<bool>(), step, 1..48_i64)
}

/// Lives through the steps; merged from the one step to the other, or never.
fn live(steps: &[(bool, Step, i64)], merged: Option<(usize, usize)>) -> (Shop, Timestamp) {
    let shop = Shop::open();
    let mut now = at(START);
    for name in ["a", "b"] {
        gardener(&shop, &user(name), now);
    }
    for (number, (first, step, hours)) in steps.iter().enumerate() {
        now += Duration::from_hours(*hours);
        if merged.is_some_and(|(from, _)| from == number) {
            shop.merge(&user("a"), &user("b"), now).unwrap();
        }
        if merged.is_some_and(|(_, to)| to == number) {
            shop.unmerge(&user("a"), now).unwrap();
        }
        let who = [user(if *first { "a" } else { "b" })];
        let id = format!("s{number}");
        match step {
            Step::Known(name, value) => drop(shop.tell(&who, &id, now, &[(name, Value::Bool(*value))])),
            Step::Town(town) => drop(shop.tell(&who, &id, now, &[("town", town.into_value())])),
            Step::Says(status) => shop.says(&who, *status, now),
            Step::Bought => shop.happens_to(&who, &id, "bought", now),
            Step::Complains => shop.happens_to(&who, &id, "complaint_opened", now),
            Step::Contact => {
                let contact = PastContact {
                    id,
                    identifiers: who.to_vec(),
                    action: OFFER.into(),
                    request: request("web", Direction::Inbound, "home", 1),
                    at: now,
                    probability: None,
                };
                drop(shop.engine.record_contact(&contact, "", now).unwrap());
            }
            Step::Visit => {
                let mut question = request("web", Direction::Inbound, "home", 1);
                question.dry_run = true;
                let ask = Ask { identifiers: who.to_vec(), request: question, adjustments: Vec::new() };
                drop(shop.engine.decide(&ask, now, number as u64).unwrap());
            }
        }
    }
    if merged.is_some_and(|(_, to)| to >= steps.len()) {
        shop.unmerge(&user("a"), now).unwrap();
    }
    (shop, now)
}

fn cases(usual: u32) -> u32 {
    if std::env::var_os("ATTENT_NIGHTLY").is_some() { 50 * usual } else { usual }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(128), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn merged_and_parted_again_is_never_merged(
        steps in prop::collection::vec(step(), 1..25), from in 0..25_usize, length in 1..25_usize,
    ) {
        let from = from % steps.len();
        let (parted, now) = live(&steps, Some((from, from + length)));
        let (never, _) = live(&steps, None);
        for name in ["a", "b"] {
            let who = [user(name)];
            prop_assert_eq!(parted.known(&who), never.known(&who));
            let (one, other) = (parted.visit(&who, now, 99), never.visit(&who, now, 99));
            prop_assert_eq!(one.answer, other.answer);
            prop_assert_eq!(one.decision.trace, other.decision.trace);
        }
    }

    #[test]
    fn merged_both_ways_round_is_the_same_person_and_never_allows_more(steps in prop::collection::vec(step(), 1..25)) {
        let of = |from: &str, into: &str| {
            let (shop, now) = live(&steps, None);
            shop.merge(&user(from), &user(into), now).unwrap();
            (shop, now)
        };
        let ((one, now), (other, _)) = (of("a", "b"), of("b", "a"));
        let (never, _) = live(&steps, None);
        let sorted = |shop: &Shop| {
            let known = shop.known(&[user("a")]);
            let outcomes: Vec<Timestamp> = known.history.outcomes.iter().map(|outcome| outcome.at).collect();
            (known.profile.attributes, known.history.contacts.len(), outcomes)
        };
        prop_assert_eq!(sorted(&one), sorted(&other));
        for (name, apart) in [("a", "b"), ("b", "a")] {
            let together = said(&one.visit(&[user(name)], now, 7)).is_some();
            let basis = |shop: &Shop, name: &str| {
                let strategy = shop.engine.published();
                let purpose = &strategy.strategy.purposes[0];
                let known = shop.known(&[user(name)]);
                decision::consent::basis(purpose, &known.profile.consents, &"web".into(), false, now).is_ok()
            };
            prop_assert!(!together || basis(&never, name) || basis(&never, apart));
            let strict = |name: &str| {
                let said = never.known(&[user(name)]).profile.consents;
                said.last().is_some_and(|last| last.status != ConsentStatus::Given)
            };
            prop_assert!(!(basis(&one, name) && (strict("a") || strict("b"))));
        }
    }
}
