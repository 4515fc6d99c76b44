//! What do we have: the declared attributes, request values and events, and what events do to attributes?
//! What a purchase does to them is read by `purchases`.

use super::{
    category,
    document::{Item, Table},
    identifiers,
    model::{
        Attribute, Basis, Context, Event, IdentifierKind, Obtain, PurposeIndex, Sensitivity, Setting, Subject,
    },
    names::did_you_mean,
    purchases::{self, Purchases},
    quantity::{NotNegative, Share},
    vocabulary::{Vocabulary, report_unfit_name},
};
use crate::{
    Duration,
    id::{AttributeName, ContextName, EventName, OutcomeName},
    profile::Source,
    value::ValueType,
};
use std::collections::BTreeMap;

/// How long a value is kept unless declared otherwise, and the longest without giving a reason.
const USUAL_RETENTION: Duration = Duration::from_hours(365 * 24);
/// Confidence of a value that arrives without one, unless declared otherwise.
const USUAL_CONFIDENCE: f64 = 0.9;

const TYPES: [(&str, ValueType); 4] = [
    ("number", ValueType::Number),
    ("text", ValueType::Text),
    ("bool", ValueType::Bool),
    ("time", ValueType::Time),
];
const SOURCES: [(&str, Source); 4] = [
    ("provided", Source::Provided),
    ("observed", Source::Observed),
    ("derived", Source::Derived),
    ("third_party", Source::ThirdParty),
];
const SENSITIVITIES: [(&str, Sensitivity); 3] = [
    ("ordinary", Sensitivity::Ordinary),
    ("financial_distress", Sensitivity::FinancialDistress),
    ("special", Sensitivity::Special),
];
const WAYS: [(&str, Obtain); 3] =
    [("ask", Obtain::Ask), ("observe", Obtain::Observe), ("import", Obtain::Import)];
const SUBJECTS: [(&str, Subject); 2] = [("customer", Subject::Customer), ("household", Subject::Household)];

/// What the inventory's files declare, with the place of each declaration.
#[derive(Default)]
pub(super) struct Declarations<'a> {
    attributes: BTreeMap<&'a str, Item<'a>>,
    contexts: BTreeMap<&'a str, Item<'a>>,
    events: BTreeMap<&'a str, Item<'a>>,
    identifiers: BTreeMap<&'a str, Item<'a>>,
    purchases: Option<Item<'a>>,
}

/// Gathers the declarations of all files; a second declaration of a name is a problem naming the first.
pub(super) fn gather(files: Vec<Table<'_>>) -> Declarations<'_> {
    let mut declarations = Declarations::default();
    for file in files {
        gather_one(&mut declarations.attributes, "attribute", file.section("attributes"));
        gather_one(&mut declarations.contexts, "context value", file.section("context"));
        gather_one(&mut declarations.events, "event", file.section("events"));
        gather_one(&mut declarations.identifiers, "kind of identifier", file.section("identifiers"));
        gather_purchases(&mut declarations.purchases, file.get("purchases"));
        file.close();
    }
    declarations
}

fn gather_purchases<'a>(into: &mut Option<Item<'a>>, found: Option<Item<'a>>) {
    match (&into, found) {
        (Some(first), Some(second)) => {
            let hint = format!("they are already declared at {}", first.position());
            second.key.problem_with_hint("purchases are declared twice", hint);
        }
        (None, Some(first)) => *into = Some(first),
        (_, None) => {}
    }
}

fn gather_one<'a>(into: &mut BTreeMap<&'a str, Item<'a>>, kind: &str, table: Table<'a>) {
    for item in table.entries() {
        if let Some(first) = into.get(item.name) {
            let hint = format!("it is already declared at {}", first.position());
            item.key.problem_with_hint(format!("the {kind} `{}` is declared twice", item.name), hint);
        } else {
            into.insert(item.name, item);
        }
    }
}

/// Reads the kinds of identifiers, by name.
pub(super) fn identifiers(declarations: &Declarations<'_>) -> BTreeMap<String, IdentifierKind> {
    identifiers::read(declarations.identifiers.values().copied())
}

/// Reads the attributes, sorted by name. The flag is false when a type or purpose could not be understood.
pub(super) fn attributes(declarations: &Declarations<'_>, vocabulary: &Vocabulary) -> (Vec<Attribute>, bool) {
    let mut understood = true;
    let attributes =
        declarations.attributes.values().map(|item| attribute(*item, vocabulary, &mut understood)).collect();
    (attributes, understood)
}

fn attribute(item: Item<'_>, vocabulary: &Vocabulary, understood: &mut bool) -> Attribute {
    report_unfit_name("an attribute", item.name, item.key);
    let table = item.table();
    let value_type = table.needs("type").and_then(|word| word.word(&TYPES));
    let purposes = purposes(&table, vocabulary);
    *understood &= value_type.is_some() && !purposes.is_empty();
    let value_type = value_type.unwrap_or(ValueType::Text);
    let sensitivity = table.word("sensitivity", &SENSITIVITIES).unwrap_or(Sensitivity::Ordinary);
    let attribute = Attribute {
        name: AttributeName::from(item.name),
        subject: table.word("subject", &SUBJECTS).unwrap_or(Subject::Customer),
        label: table.texts("name", &vocabulary.languages),
        value_type,
        values: values(&table, value_type),
        treat_as_unknown: table
            .list("treat_as_unknown")
            .into_iter()
            .filter_map(|value| value.any_value(&vocabulary.time_zone))
            .collect(),
        source: table.word("source", &SOURCES).unwrap_or(Source::Observed),
        confidence: table.optional("confidence").map_or(USUAL_CONFIDENCE, |Share(share)| share) as f32,
        half_life: table.optional("half_life"),
        retention: retention(&table, &purposes, vocabulary),
        retention_reason: table.optional::<&str>("retention_reason").map(str::to_owned),
        sensitivity,
        category: category(&table, sensitivity),
        plausible: (table.optional("min"), table.optional("max")),
        implausible_before: table
            .get("implausible_before")
            .and_then(|first| first.moment(&vocabulary.time_zone)),
        cost: table.optional("cost").map_or(0.0, |NotNegative(euro)| euro),
        obtain: table.word("obtain", &WAYS),
        shown: table.optional("shown").unwrap_or(false),
        proxy_for: proxy_for(&table),
        owner: owner(&table).unwrap_or_default().to_owned(),
        learn: learn(&table, sensitivity, is_audited(&purposes, vocabulary)),
        purposes,
    };
    report_unfit_plausibility(&table, &attribute);
    report_forbidden_use(item, &attribute, vocabulary);
    report_audited(item, &table, &attribute, vocabulary);
    if sensitivity == Sensitivity::Special {
        report_special_without_consent(item, &attribute.purposes, vocabulary);
    }
    table.close();
    attribute
}

fn owner<'a>(table: &Table<'a>) -> Option<&'a str> {
    let item = table.needs("owner")?;
    if item.is_list() {
        item.place.problem_with_hint("an attribute has one owner", "name the one who answers for it");
        return None;
    }
    item.read()
}

fn purposes(table: &Table<'_>, vocabulary: &Vocabulary) -> Vec<PurposeIndex> {
    let Some(item) = table.needs("purposes") else {
        return Vec::new();
    };
    let items = item.list();
    if item.is_empty_list() {
        item.place.problem("an attribute without a purpose may not be kept");
    }
    let mut purposes: Vec<PurposeIndex> =
        items.into_iter().filter_map(|purpose| vocabulary.purpose(purpose)).collect();
    purposes.sort_unstable();
    purposes.dedup();
    purposes
}

fn values(table: &Table<'_>, value_type: ValueType) -> Vec<String> {
    let Some(item) = table.get("values") else {
        return Vec::new();
    };
    if value_type != ValueType::Text {
        item.key.problem("`values` is for texts only");
    }
    item.list().into_iter().filter_map(|value| value.read::<&str>()).map(str::to_owned).collect()
}

/// The DPV id. What the vocabulary calls special is special here too.
fn category(table: &Table<'_>, sensitivity: Sensitivity) -> Option<String> {
    let item = table.get("category")?;
    let id: &str = item.read()?;
    if !category::is_known(id) {
        let known: Vec<String> = category::ids().collect();
        let hint = did_you_mean(id, known.iter().map(String::as_str));
        let hint = hint.unwrap_or_else(|| "write an id such as `dpv-pd:Income`".to_owned());
        item.place.problem_with_hint(format!("no category of personal data is called `{id}`"), hint);
    } else if category::is_special(id) && sensitivity != Sensitivity::Special {
        item.place.problem_with_hint(
            format!("`{id}` is a special category"),
            "write `sensitivity = \"special\"`, or do not keep it",
        );
    }
    Some(id.to_owned())
}

/// What is a proxy for a special category gives it away: no rule or model may read it.
fn proxy_for(table: &Table<'_>) -> Option<String> {
    let item = table.get("proxy_for")?;
    let id: &str = item.read()?;
    if !category::is_special(id) {
        item.place.problem_with_hint(
            format!("`{id}` is not a special category"),
            "write an id such as `dpv-pd:MedicalHealth`",
        );
    }
    Some(id.to_owned())
}

fn report_unfit_plausibility(table: &Table<'_>, attribute: &Attribute) {
    for key in ["min", "max"] {
        if let Some(item) = table.get(key).filter(|_| attribute.value_type != ValueType::Number) {
            item.key.problem(format!("`{key}` is for numbers only"));
        }
    }
    if let (Some(least), Some(most)) = attribute.plausible
        && least > most
        && let Some(item) = table.get("min")
    {
        item.place.problem("no number is plausible: `min` lies above `max`");
    }
    if let Some(item) = table.get("implausible_before").filter(|_| attribute.value_type != ValueType::Time) {
        item.key.problem("`implausible_before` is for moments only");
    }
}

/// As declared; else a year, or as long as the longest of its purposes when that is shorter.
fn retention(table: &Table<'_>, purposes: &[PurposeIndex], vocabulary: &Vocabulary) -> Duration {
    let reason: Option<&str> = table.optional("retention_reason");
    let longest = purposes
        .iter()
        .map(|purpose| vocabulary.purposes[usize::from(*purpose)].retention)
        .reduce(|one, other| Some(one?.max(other?)))
        .flatten();
    let Some(item) = table.get("retention") else {
        return longest.map_or(USUAL_RETENTION, |longest| longest.min(USUAL_RETENTION));
    };
    let declared: Option<Duration> = item.read();
    if let (Some(declared), Some(longest)) = (declared, longest)
        && declared > longest
    {
        item.place.problem_with_hint(
            "kept for longer than any purpose it serves",
            format!("the longest of them lasts {} days", longest.as_hours() / 24),
        );
    }
    let retention = item.read().unwrap_or(USUAL_RETENTION);
    if retention > USUAL_RETENTION && reason.is_none() {
        item.place.problem_with_hint(
            "kept for more than a year without a reason",
            "write why in `retention_reason`, or keep it for at most `365d`",
        );
    }
    retention
}

fn learn(table: &Table<'_>, sensitivity: Sensitivity, audited: bool) -> bool {
    let item = table.get("learn");
    let is_proxy = table.get("proxy_for").is_some();
    let ordinary = sensitivity == Sensitivity::Ordinary && !is_proxy && !audited;
    let learn = item.and_then(Item::read).unwrap_or(ordinary);
    match item {
        Some(item) if learn && is_proxy => {
            item.place.problem("models never learn from what stands for a special category");
            false
        }
        Some(item) if learn && sensitivity == Sensitivity::Special => {
            item.place.problem("models never learn from a special category");
            false
        }
        Some(item) if learn && audited => {
            item.place.problem("models never learn from what is kept for audits only");
            false
        }
        _ => learn,
    }
}

/// Some categories may never serve some purposes, whoever declares it.
fn report_forbidden_use(item: Item<'_>, attribute: &Attribute, vocabulary: &Vocabulary) {
    let Some(category) = &attribute.category else {
        return;
    };
    for purpose in &attribute.purposes {
        let purpose = &vocabulary.purposes[usize::from(*purpose)];
        if purpose.forbidden_categories.contains(category) {
            item.key.problem_with_hint(
                format!("`{}` is `{category}`, which may never serve `{}`", item.name, purpose.id),
                "take the purpose off the attribute",
            );
        }
    }
}

fn is_audited(purposes: &[PurposeIndex], vocabulary: &Vocabulary) -> bool {
    purposes.iter().any(|purpose| vocabulary.purposes[usize::from(*purpose)].audit_only)
}

/// What is kept for audits serves nothing else: whatever else read it would decide by it.
fn report_audited(item: Item<'_>, table: &Table<'_>, attribute: &Attribute, vocabulary: &Vocabulary) {
    let audit_only = |purpose: &&PurposeIndex| vocabulary.purposes[usize::from(**purpose)].audit_only;
    let audits = attribute.purposes.iter().filter(audit_only).count();
    if audits > 0 && audits < attribute.purposes.len() {
        let place = table.get("purposes").map_or(item.key, |purposes| purposes.place);
        place.problem_with_hint(
            format!("`{}` is kept for audits only, and for something else", item.name),
            "leave one of them out: what decisions read cannot show that they do not read it",
        );
    }
}

fn report_special_without_consent(item: Item<'_>, purposes: &[PurposeIndex], vocabulary: &Vocabulary) {
    for purpose in purposes {
        let purpose = &vocabulary.purposes[usize::from(*purpose)];
        if purpose.basis != Basis::Consent {
            item.key.problem_with_hint(
                format!("the special category `{}` may not be used for `{}`", item.name, purpose.id),
                "a special category needs a purpose whose basis is `consent`",
            );
        } else if purpose.impact_assessment.is_none() {
            item.key.problem_with_hint(
                format!(
                    "the special category `{}` is used for `{}` without an impact assessment",
                    item.name, purpose.id
                ),
                "write `impact_assessment = { reference = \"…\", date = 2026-01-15 }` at the purpose",
            );
        }
    }
}

/// Reads the declared request values, sorted by name. The flag is false when a type could not be understood.
pub(super) fn contexts(declarations: &Declarations<'_>) -> (Vec<Context>, bool) {
    let mut understood = true;
    let contexts = declarations
        .contexts
        .values()
        .map(|item| {
            report_unfit_name("a context value", item.name, item.key);
            let table = item.table();
            let value_type = table.needs("type").and_then(|word| word.word(&TYPES));
            understood &= value_type.is_some();
            let value_type = value_type.unwrap_or(ValueType::Text);
            let context = Context {
                name: ContextName::from(item.name),
                value_type,
                values: values(&table, value_type),
                learn: table.optional("learn").unwrap_or(true),
            };
            table.close();
            context
        })
        .collect();
    (contexts, understood)
}

/// Reads what a purchase leaves behind; the events are known.
pub(super) fn purchases(declarations: &Declarations<'_>, vocabulary: &Vocabulary) -> Option<Purchases> {
    declarations.purchases.and_then(|item| purchases::read(item, vocabulary))
}

/// Reads the events, sorted by name.
pub(super) fn events(declarations: &Declarations<'_>, vocabulary: &Vocabulary) -> Vec<Event> {
    declarations.events.values().map(|item| event(*item, vocabulary)).collect()
}

fn event(item: Item<'_>, vocabulary: &Vocabulary) -> Event {
    if item.name.trim().is_empty() || item.name.len() > 128 || item.name.contains(char::is_control) {
        item.key.problem("an event's name has 1 to 128 visible characters");
    }
    let table = item.table();
    let properties: BTreeMap<String, ValueType> = table
        .section("properties")
        .entries()
        .into_iter()
        .filter_map(|property| Some((property.name.to_owned(), property.word(&TYPES)?)))
        .collect();
    let sets = table
        .section("sets")
        .entries()
        .into_iter()
        .filter_map(|setting| {
            let name = vocabulary.attribute_names.check(setting.name, setting.key)?;
            let index = vocabulary.attributes.iter().position(|attribute| attribute.name.as_str() == name)?;
            let set = self::setting(setting, &vocabulary.attributes[index], &properties, vocabulary)?;
            Some((u16::try_from(index).ok()?, set))
        })
        .collect();
    let event = Event {
        name: EventName::from(item.name),
        properties,
        sets,
        outcome: table.optional::<&str>("outcome").map(OutcomeName::from),
    };
    table.close();
    event
}

fn setting(
    item: Item<'_>,
    attribute: &Attribute,
    properties: &BTreeMap<String, ValueType>,
    vocabulary: &Vocabulary,
) -> Option<Setting> {
    let placeholder = item.text().and_then(|text| text.strip_prefix('{')?.strip_suffix('}'));
    let expect = |given: ValueType, what: &str| {
        if given != attribute.value_type && vocabulary.rules_can_be_typed {
            let needed = attribute.value_type;
            item.place
                .problem(format!("`{}` is of type {needed}, {what} is of type {given}", attribute.name));
        }
    };
    match placeholder {
        Some("none") => Some(Setting::Clear),
        Some("at") => {
            expect(ValueType::Time, "the moment of the event");
            Some(Setting::Moment)
        }
        Some(property) => match properties.get(property) {
            Some(given) => {
                expect(*given, &format!("`{property}`"));
                Some(Setting::Property(property.to_owned()))
            }
            None => {
                let known = properties.keys().map(String::as_str).chain(["at", "none"]);
                item.place
                    .add(format!("the event has no property `{property}`"), did_you_mean(property, known));
                None
            }
        },
        None => item
            .value_of(attribute.value_type, &attribute.values, &vocabulary.time_zone)
            .map(Setting::Literal),
    }
}
