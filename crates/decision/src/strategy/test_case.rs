//! "Given this customer and this request, expect that, because": the strategy's own tests, read from
//! `tests/*.toml` into a customer, a request and what should come of them.

use super::{
    channels::DIRECTIONS,
    document::{Item, Table},
    model::{Channel, Subject},
    names::{Names, did_you_mean},
    quantity::NotNegative,
    vocabulary::Vocabulary,
};
use crate::{
    Duration, Timestamp,
    candidate::Step,
    id::{
        ActionId, AttributeName, ChannelId, ContextName, CustomerId, DecisionId, EventName, Language,
        OutcomeName, PlacementId, PurposeId,
    },
    profile::{
        About, AttributeValue, Attributes, ConsentStatement, ConsentStatus, Contact, ContactHistory,
        ContactState, Customer, Outcome, Profile,
    },
    request::{Direction, PlacementRequest, Request},
    value::Value,
};
use std::{collections::BTreeMap, ops::Range};

const DAY: Duration = Duration::from_hours(24);
const MS_PER_DAY: f64 = 86_400_000.0;
const STATUSES: [(&str, ConsentStatus); 5] = [
    ("given", ConsentStatus::Given),
    ("refused", ConsentStatus::Refused),
    ("withdrawn", ConsentStatus::Withdrawn),
    ("objected", ConsentStatus::Objected),
    ("lifted", ConsentStatus::Lifted),
];

/// The words for the steps that can drop a candidate.
pub const STEPS: [(&str, Step); 9] = [
    ("consent", Step::Consent),
    ("catalogue", Step::Catalogue),
    ("eligibility", Step::Eligibility),
    ("applicability", Step::Applicability),
    ("suitability", Step::Suitability),
    ("principle", Step::Principle),
    ("contact_policy", Step::ContactPolicy),
    ("arbitration", Step::Arbitration),
    ("integrity", Step::Integrity),
];

/// One test of a strategy.
#[derive(Debug, Clone)]
pub struct DecisionTest {
    /// What is tested.
    pub name: String,
    /// Why it should be so.
    pub because: String,
    /// Path of the file it stands in.
    pub file: String,
    /// Where its name stands in that file, in bytes.
    pub span: Range<usize>,
    /// The moment of the decision.
    pub at: Timestamp,
    /// What is asked.
    pub request: Request,
    /// The customer; `None` when nobody is recognised.
    pub customer: Option<Customer>,
    /// What is known of the household.
    pub household: Attributes,
    /// What should come of it.
    pub expectations: Vec<Expectation>,
}

/// One thing that should come of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// Where it stands in the file, in bytes.
    pub span: Range<usize>,
    /// What.
    pub expected: Expected,
}

/// What should come of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Exactly these actions, in the order of the slots.
    Said(Vec<ActionId>),
    /// Nothing in any slot.
    Silence,
    /// Every candidate of this action is dropped at this step, for this reason when one is named.
    Dropped {
        /// Which action.
        action: ActionId,
        /// At which step.
        step: Step,
        /// For example the id of a principle or limit.
        detail: Option<String>,
    },
}

/// Reads `tests/*.toml`, in the order of the files.
pub(super) fn read(files: Vec<Table<'_>>, vocabulary: &Vocabulary) -> Vec<DecisionTest> {
    let mut tests = Vec::new();
    for file in files {
        tests.extend(file.list("tests").into_iter().map(|item| test(item, vocabulary)));
        file.close();
    }
    tests
}

fn test(item: Item<'_>, vocabulary: &Vocabulary) -> DecisionTest {
    let table = item.table();
    let name = table.needs("name");
    let at =
        table.needs("at").and_then(|at| at.moment(&vocabulary.time_zone)).unwrap_or(Timestamp::UNIX_EPOCH);
    let given = table.section("given");
    let test = DecisionTest {
        name: name.and_then(Item::read::<&str>).unwrap_or_default().to_owned(),
        because: table.required::<&str>("because").unwrap_or_default().to_owned(),
        file: item.place.file.to_owned(),
        span: name.map_or(item.place, |name| name.place).span(),
        at,
        request: request(&table, vocabulary),
        customer: customer(&given, vocabulary, at),
        household: attributes(given.get("household"), Subject::Household, vocabulary, at),
        expectations: table
            .needs("expect")
            .map(|expect| expectations(expect, vocabulary))
            .unwrap_or_default(),
    };
    given.close();
    table.close();
    test
}

fn request(table: &Table<'_>, vocabulary: &Vocabulary) -> Request {
    let channel = table.needs("channel").and_then(|channel| vocabulary.channel_names.resolve(channel));
    let direction = table.needs("direction").and_then(|item| {
        let direction = item.word(&DIRECTIONS)?;
        let declared = vocabulary.channels.iter().find(|declared| Some(declared.id.as_str()) == channel);
        let unfit =
            |channel: &Channel| !channel.directions.is_empty() && !channel.directions.contains(&direction);
        if declared.is_some_and(unfit) {
            item.place.problem(format!("`{}` does not have this direction", channel.unwrap_or_default()));
        }
        Some(direction)
    });
    Request {
        channel: ChannelId::from(channel.unwrap_or_default()),
        direction: direction.unwrap_or(Direction::Inbound),
        placements: placements(table, channel, vocabulary),
        context: context(table, vocabulary),
        language: table.get("language").and_then(|language| spoken(language, vocabulary)),
        global_privacy_control: table.optional("global_privacy_control").unwrap_or(false),
        dry_run: true,
    }
}

fn spoken(item: Item<'_>, vocabulary: &Vocabulary) -> Option<Language> {
    let names = Names::new("language", vocabulary.languages.iter().map(Language::as_str), true);
    names.resolve(item).map(Language::from)
}

/// A placement that is listed twice asks for two slots.
fn placements(table: &Table<'_>, channel: Option<&str>, vocabulary: &Vocabulary) -> Vec<PlacementRequest> {
    let mut requests: Vec<PlacementRequest> = Vec::new();
    for item in table.needs("placements").map(Item::list).unwrap_or_default() {
        let Some(name) = vocabulary.placement_names.resolve(item) else {
            continue;
        };
        let declared = vocabulary.placements.iter().find(|placement| placement.id.as_str() == name);
        if let (Some(declared), Some(channel)) = (declared, channel)
            && declared.channel.as_str() != channel
            && vocabulary.channel_names.contains(declared.channel.as_str())
        {
            item.place
                .problem(format!("`{name}` is a placement of `{}`, not of `{channel}`", declared.channel));
        }
        match requests.iter_mut().find(|request| request.placement.as_str() == name) {
            Some(request) => request.slots += 1,
            None => requests.push(PlacementRequest { placement: PlacementId::from(name), slots: 1 }),
        }
        let slots =
            requests.iter().find(|request| request.placement.as_str() == name).map_or(0, |found| found.slots);
        if declared.is_some_and(|declared| slots > declared.slots) {
            item.place.problem(format!("`{name}` does not have so many slots"));
        }
    }
    requests
}

fn context(table: &Table<'_>, vocabulary: &Vocabulary) -> BTreeMap<ContextName, Value> {
    table
        .section("context")
        .entries()
        .into_iter()
        .filter_map(|item| {
            let name = vocabulary.context_names.check(item.name, item.key)?;
            let declared = vocabulary.contexts.iter().find(|context| context.name.as_str() == name)?;
            let value = vocabulary.value_of(item, declared.value_type, &declared.values)?;
            Some((ContextName::from(name), value))
        })
        .collect()
}

/// The customer of a test: what is given was provided a day before, with full confidence.
fn customer(given: &Table<'_>, vocabulary: &Vocabulary, at: Timestamp) -> Option<Customer> {
    let anonymous = given.optional("anonymous").unwrap_or(false);
    let customer = Customer {
        id: CustomerId(1),
        profile: Profile {
            attributes: attributes(given.get("attributes"), Subject::Customer, vocabulary, at),
            consents: consents(given, vocabulary, at),
        },
        history: ContactHistory {
            contacts: contacts(given, vocabulary, at),
            outcomes: outcomes(given, vocabulary, at),
        },
    };
    if anonymous && (customer.profile != Profile::default() || customer.history != ContactHistory::default())
    {
        given.place.problem("nothing is known of an anonymous customer");
    }
    (!anonymous).then_some(customer)
}

fn attributes(
    item: Option<Item<'_>>,
    subject: Subject,
    vocabulary: &Vocabulary,
    at: Timestamp,
) -> Attributes {
    let items = item.map(|item| item.table().entries()).unwrap_or_default();
    items
        .into_iter()
        .filter_map(|item| {
            let name = vocabulary.attribute_names.check(item.name, item.key)?;
            let declared = vocabulary.attributes.iter().find(|attribute| attribute.name.as_str() == name)?;
            if declared.subject != subject {
                item.key.problem(match subject {
                    Subject::Customer => {
                        format!("`{name}` is about the household; give it under `household`")
                    }
                    Subject::Household => {
                        format!("`{name}` is about the customer; give it under `attributes`")
                    }
                });
            }
            let value = vocabulary.value_of(item, declared.value_type, &declared.values)?;
            let observed_at = before(at, DAY);
            let value = AttributeValue {
                value,
                source: declared.source,
                confidence: 1.0,
                observed_at,
                expires_at: observed_at.saturating_add(declared.retention).unwrap_or(Timestamp::MAX),
            };
            Some((AttributeName::from(name), value))
        })
        .collect()
}

fn before(at: Timestamp, duration: Duration) -> Timestamp {
    at.saturating_sub(duration).unwrap_or(Timestamp::MIN)
}

fn consents(given: &Table<'_>, vocabulary: &Vocabulary, at: Timestamp) -> Vec<ConsentStatement> {
    let said = |(about, status)| ConsentStatement {
        about,
        channel: None,
        status,
        at: before(at, DAY),
        expires_at: None,
    };
    let purposes = given.section("consents").entries().into_iter().filter_map(|item| {
        let purpose = vocabulary.purpose_names.check(item.name, item.key)?;
        Some((About::Purpose(PurposeId::from(purpose)), item.word(&STATUSES)?))
    });
    let topics = vocabulary.scopes(given.list("objects_to"));
    let topics = topics.into_iter().map(|topic| (About::Topic(topic.into()), ConsentStatus::Objected));
    let attributes = vocabulary.attribute_names.resolve_all(given.list("objects_to_use_of"));
    let attributes =
        attributes.into_iter().map(|name| (About::Attribute(name.into()), ConsentStatus::Objected));
    let restricted = given.optional("restricted").unwrap_or(false);
    let restricted = restricted.then_some((About::Everything, ConsentStatus::Restricted));
    purposes.chain(topics).chain(attributes).chain(restricted).map(said).collect()
}

fn moment_ago(table: &Table<'_>, at: Timestamp) -> Timestamp {
    let days = table.required("days_ago").map_or(0.0, |NotNegative(days)| days);
    before(at, Duration::from_millis((days * MS_PER_DAY) as i64))
}

fn contacts(given: &Table<'_>, vocabulary: &Vocabulary, at: Timestamp) -> Vec<Contact> {
    let mut contacts: Vec<Contact> = (1..)
        .zip(given.list("contacts"))
        .map(|(number, item)| contact(number, item, vocabulary, at))
        .collect();
    contacts.sort_by_key(|contact| contact.at);
    contacts
}

fn contact(number: u128, item: Item<'_>, vocabulary: &Vocabulary, at: Timestamp) -> Contact {
    let table = item.table();
    let resolve =
        |key, names: &Names| table.needs(key).and_then(|name| names.resolve(name)).unwrap_or_default();
    let channel = resolve("channel", &vocabulary.channel_names);
    let declared = vocabulary.channels.iter().find(|declared| declared.id.as_str() == channel);
    let outbound = declared.is_some_and(|declared| declared.directions.contains(&Direction::Outbound));
    let usual_direction = if outbound { Direction::Outbound } else { Direction::Inbound };
    let contact = Contact {
        decision: DecisionId(number),
        slot: 0,
        action: resolve("action", &vocabulary.action_names).into(),
        channel: channel.into(),
        placement: resolve("placement", &vocabulary.placement_names).into(),
        direction: table.word("direction", &DIRECTIONS).unwrap_or(usual_direction),
        at: moment_ago(&table, at),
        state: ContactState::Counted { late: false },
    };
    table.close();
    contact
}

fn outcomes(given: &Table<'_>, vocabulary: &Vocabulary, at: Timestamp) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = given
        .list("outcomes")
        .into_iter()
        .map(|item| {
            let table = item.table();
            let resolve = |key, names: &Names| table.get(key).and_then(|name| names.resolve(name));
            let outcome = Outcome {
                outcome: OutcomeName::from(
                    table
                        .needs("outcome")
                        .and_then(|outcome| vocabulary.outcome_names.resolve(outcome))
                        .unwrap_or_default(),
                ),
                event: resolve("event", &vocabulary.event_names).map(EventName::from),
                action: resolve("action", &vocabulary.action_names).map(ActionId::from),
                at: moment_ago(&table, at),
            };
            table.close();
            outcome
        })
        .collect();
    outcomes.sort_by_key(|outcome| outcome.at);
    outcomes
}

fn expectations(item: Item<'_>, vocabulary: &Vocabulary) -> Vec<Expectation> {
    let table = item.table();
    let action = |item| vocabulary.action_names.resolve(item).map(ActionId::from);
    let said = match (table.get("action"), table.get("actions"), table.get("silence")) {
        (Some(one), None, None) => action(one).map(|one_action| (one, Expected::Said(vec![one_action]))),
        (None, Some(several), None) => {
            Some((several, Expected::Said(several.list().into_iter().filter_map(action).collect())))
        }
        (None, None, Some(silence)) => {
            if silence.read() == Some(false) {
                silence.expected("`true`");
            }
            Some((silence, Expected::Silence))
        }
        (None, None, None) => None,
        _ => {
            item.place.problem("expect one of `action`, `actions` and `silence`");
            None
        }
    };
    let dropped = table.section("dropped").entries();
    if said.is_none() && dropped.is_empty() && vocabulary.rules_can_be_typed && table.entries().is_empty() {
        item.place
            .problem_with_hint("nothing is expected", "write `action`, `actions`, `silence` or `dropped`");
    }
    table.close();
    said.into_iter()
        .chain(dropped.into_iter().filter_map(|item| Some((item, expected_drop(item, vocabulary)?))))
        .map(|(item, expected)| Expectation { span: item.place.span(), expected })
        .collect()
}

fn expected_drop(item: Item<'_>, vocabulary: &Vocabulary) -> Option<Expected> {
    let action = vocabulary.action_names.check(item.name, item.key)?;
    let text: &str = item.read()?;
    let (word, detail) =
        text.split_once(':').map_or((text, None), |(word, detail)| (word, Some(detail.to_owned())));
    let Some((_, step)) = STEPS.into_iter().find(|(known, _)| *known == word) else {
        let hint = did_you_mean(word, STEPS.map(|(known, _)| known));
        item.place.add(format!("no step of a decision is called `{word}`"), hint);
        return None;
    };
    Some(Expected::Dropped { action: ActionId::from(action), step, detail })
}
