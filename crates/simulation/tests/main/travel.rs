//! The travel world in the real engine: what happens after a booking, in whatever order it is told.

use crate::retailer::{read, repository};
use decision::{
    Timestamp,
    profile::{About, ConsentStatus},
    request::{Direction, PlacementRequest, Request},
    strategy::Files,
    value::Value,
};
use engine::{Ask, ConsentReport, Engine, EventReport, Identifier, storage::MemoryStore};
use std::{collections::BTreeMap, sync::Arc};

const EVERYWHERE: [(&str, &str, Direction); 5] = [
    ("web", "web_home", Direction::Inbound),
    ("app", "app_home", Direction::Inbound),
    ("email", "email_hero", Direction::Outbound),
    ("call_centre", "agent_suggestion", Direction::Inbound),
    ("paid_media", "ad_audience", Direction::Outbound),
];

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Wegwijs, with Noor and Sam on one account, both open to offers and adverts.
struct Wegwijs(Engine);

impl Wegwijs {
    fn new(people: f64) -> Self {
        let mut files = Files::default();
        read(&repository().join("worlds/travel/strategy"), "", &mut files);
        let wegwijs = Self(Engine::open(Arc::new(MemoryStore::new()), &files, [7; 32]).unwrap());
        for who in ["noor", "sam"] {
            let start = "2026-05-01T09:00:00Z";
            let registered =
                [("first_name", Value::Text(who.into())), ("people_on_account", Value::Number(people))];
            wegwijs.tell(who, "customer_updated", start, start, &[], &registered);
            for purpose in ["personal_offers", "audiences"] {
                let given = ConsentReport {
                    at: Some(at(start)),
                    ..ConsentReport::new(
                        vec![Identifier::new("user_id", who)],
                        About::Purpose(purpose.into()),
                        ConsentStatus::Given,
                    )
                };
                wegwijs.0.consent(&given, "", at(start)).unwrap().1.wait().unwrap();
            }
        }
        wegwijs
    }

    /// An event that happened at one moment and arrives at another.
    fn tell(
        &self,
        who: &str,
        event: &str,
        happened: &str,
        arrived: &str,
        properties: &[(&str, Value)],
        attributes: &[(&str, Value)],
    ) {
        let named = |values: &[(&str, Value)]| -> BTreeMap<String, Value> {
            values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
        };
        let report = EventReport {
            id: format!("{who} {event} {happened}"),
            event: event.into(),
            identifiers: vec![Identifier::new("user_id", who)],
            at: Some(at(happened)),
            properties: named(properties),
            attributes: named(attributes),
            source: None,
            household: Some("their account".into()),
        };
        let (verdict, _) = self.0.ingest(&report, "", at(arrived)).unwrap();
        assert_eq!(verdict, engine::Verdict::Accepted, "{event}");
    }

    fn flight(&self, who: &str, happened: &str, arrived: &str, departs: &str) {
        self.tell(who, "flight_booked", happened, arrived, &[("departs_at", Value::Time(at(departs)))], &[]);
    }

    /// What could be said of stays, where, at a moment; nothing is reserved.
    fn stays_advertised(&self, who: &str, moment: &str) -> Vec<&'static str> {
        let advertised = |(channel, placement, direction): &(&'static str, &'static str, Direction)| {
            let person = if *channel == "paid_media" { "anybody" } else { "confirmed" };
            let decided = self.decide(who, channel, placement, *direction, person, moment);
            let strategy = &decided.published.strategy;
            let open = decided.decision.fates.iter().any(|candidate| {
                let action = &strategy.actions[usize::from(candidate.action)];
                action.id.as_str().starts_with("sales/stay/")
                    && !matches!(candidate.fate, decision::candidate::Fate::Dropped(_))
            });
            open.then_some(*channel)
        };
        EVERYWHERE.iter().filter_map(advertised).collect()
    }

    fn decide(
        &self,
        who: &str,
        channel: &str,
        placement: &str,
        direction: Direction,
        person: &str,
        moment: &str,
    ) -> engine::Decided {
        let ask = Ask {
            identifiers: vec![Identifier::new("user_id", who)],
            request: Request {
                channel: channel.into(),
                direction,
                placements: vec![PlacementRequest { placement: placement.into(), slots: 1 }],
                context: BTreeMap::from([("person".into(), Value::Text(person.into()))]),
                language: None,
                global_privacy_control: false,
                dry_run: true,
            },
            adjustments: Vec::new(),
        };
        self.0.decide(&ask, at(moment), 7).unwrap()
    }
}

const ALL: [&str; 5] = ["web", "app", "email", "call_centre", "paid_media"];
const NONE: [&str; 0] = [];
const DEPARTS: &str = "2026-07-04T07:00:00Z";

#[test]
fn after_the_booking_no_channel_advertises_a_stay_until_there_is_another_need() {
    let wegwijs = Wegwijs::new(1.0);
    wegwijs.flight("noor", "2026-05-10T09:00:00Z", "2026-05-10T09:00:00Z", DEPARTS);
    assert_eq!(wegwijs.stays_advertised("noor", "2026-05-10T12:00:00Z"), ALL);
    let booked = "2026-05-11T09:00:00Z";
    wegwijs.tell("noor", "stay_booked", booked, booked, &[], &[]);
    for moment in
        ["2026-05-11T09:00:00Z", "2026-05-11T09:01:00Z", "2026-05-12T12:00:00Z", "2026-06-30T12:00:00Z"]
    {
        assert_eq!(wegwijs.stays_advertised("noor", moment), NONE, "{moment}");
    }
    let cancelled = "2026-06-01T09:00:00Z";
    wegwijs.tell("noor", "stay_cancelled", cancelled, cancelled, &[], &[]);
    assert_eq!(wegwijs.stays_advertised("noor", "2026-06-02T12:00:00Z"), ALL, "after the cancellation");
    wegwijs.tell("noor", "stay_booked", "2026-06-03T09:00:00Z", "2026-06-03T09:00:00Z", &[], &[]);
    assert_eq!(wegwijs.stays_advertised("noor", "2026-06-04T12:00:00Z"), NONE);
    wegwijs.flight("noor", "2026-06-10T09:00:00Z", "2026-06-10T09:00:00Z", "2026-09-01T07:00:00Z");
    assert_eq!(wegwijs.stays_advertised("noor", "2026-06-10T12:00:00Z"), ALL, "another trip");
}

#[test]
fn a_booking_silences_stays_also_when_the_flight_before_it_is_told_later() {
    let wegwijs = Wegwijs::new(1.0);
    wegwijs.tell("noor", "stay_booked", "2026-05-10T09:30:00Z", "2026-05-10T09:31:00Z", &[], &[]);
    wegwijs.flight("noor", "2026-05-10T09:00:00Z", "2026-05-10T11:00:00Z", DEPARTS);
    assert_eq!(wegwijs.stays_advertised("noor", "2026-05-10T12:00:00Z"), NONE);
    assert_eq!(wegwijs.stays_advertised("noor", "2026-05-20T12:00:00Z"), NONE);
}

#[test]
fn a_late_cancellation_of_an_earlier_stay_does_not_reopen_a_need_that_was_met_since() {
    let wegwijs = Wegwijs::new(1.0);
    wegwijs.flight("noor", "2026-05-10T09:00:00Z", "2026-05-10T09:00:00Z", DEPARTS);
    wegwijs.tell("noor", "stay_booked", "2026-05-10T10:00:00Z", "2026-05-10T10:00:00Z", &[], &[]);
    wegwijs.tell("noor", "stay_booked", "2026-05-11T10:00:00Z", "2026-05-11T10:00:00Z", &[], &[]);
    wegwijs.tell("noor", "stay_cancelled", "2026-05-10T18:00:00Z", "2026-05-12T10:00:00Z", &[], &[]);
    assert_eq!(wegwijs.stays_advertised("noor", "2026-05-13T12:00:00Z"), NONE);
}

#[test]
fn nothing_that_one_does_changes_what_the_other_on_the_account_sees() {
    let (alone, beside) = (Wegwijs::new(2.0), Wegwijs::new(2.0));
    beside.flight("noor", "2026-05-10T09:00:00Z", "2026-05-10T09:00:00Z", DEPARTS);
    let until = [("until", Value::Time(at(DEPARTS)))];
    beside.tell("noor", "gift_declared", "2026-05-10T09:05:00Z", "2026-05-10T09:05:00Z", &until, &[]);
    let hotel = [("hotel", Value::Text("casa do mar".into()))];
    beside.tell("noor", "stay_ended", "2026-05-10T09:06:00Z", "2026-05-10T09:06:00Z", &hotel, &[]);
    for (channel, placement, direction) in EVERYWHERE {
        for person in ["confirmed", "unknown", "anybody"] {
            let seen = |wegwijs: &Wegwijs| {
                let decided =
                    wegwijs.decide("sam", channel, placement, direction, person, "2026-05-12T12:00:00Z");
                (decided.answer.slots, decided.decision.fates)
            };
            assert_eq!(seen(&alone), seen(&beside), "{channel} {person}");
        }
    }
}

#[test]
fn on_a_shared_screen_the_question_is_who_is_there_and_the_answer_opens_what_is_theirs() {
    let wegwijs = Wegwijs::new(2.0);
    wegwijs.flight("noor", "2026-05-10T09:00:00Z", "2026-05-10T09:00:00Z", DEPARTS);
    let said = |moment: &str| {
        let decided = wegwijs.decide("noor", "web", "web_home", Direction::Inbound, "unknown", moment);
        decided.answer.slots[0].action.as_ref().map(|action| action.as_str().to_owned())
    };
    assert_eq!(said("2026-05-10T12:00:00Z").as_deref(), Some("questions/who/watching"));
    let answered = "2026-05-10T12:01:00Z";
    let me = [("watching", Value::Text("me".into()))];
    wegwijs.tell("noor", "customer_updated", answered, answered, &[], &me);
    assert_eq!(said("2026-05-10T12:02:00Z").as_deref(), Some("sales/stay/stay"));
    assert_ne!(said("2026-05-11T14:00:00Z").as_deref(), Some("sales/stay/stay"), "the answer has expired");
}
