//! Worlds that nobody thought of: inventories, rules that are permitted in their place, and customers.

use crate::{
    saying::{Amount, Calculation, Condition, Sign},
    world::{Contact, Customer, Declared, Inventory, Outcome},
};
use decision::{
    Timestamp,
    rules::Layer,
    strategy::{ActionIndex, PurposeIndex},
    value::{Value, ValueType},
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use std::{collections::BTreeMap, sync::Arc};

/// How many purposes a generated inventory has.
pub const PURPOSES: u16 = 3;
/// How many actions a generated catalogue has.
pub const ACTIONS: u16 = 6;
const NOW_S: i64 = 1_773_050_400;
const DAY_S: i64 = 86_400;
const ACTION_PATHS: [&str; 4] =
    ["sales/contract/renew", "sales/contract_extra/more", "sales/heat/pump", "care/arrears/plan"];
const SCOPES: [&str; 7] =
    ["", "sales", "sales/contract", "sales/contract/renew", "care", "channel:email", "channel:web"];
const TEXTS: [&str; 3] = ["gas", "heat pump", "ëën"];

/// An allow rule and what it says.
#[derive(Debug, Clone)]
pub struct Allowing {
    /// Of which action.
    pub action: ActionIndex,
    /// In which layer.
    pub layer: Layer,
    /// For which purpose.
    pub purpose: PurposeIndex,
    /// What has to hold.
    pub condition: Condition,
}

/// An organisation with rules, and some customers.
#[derive(Debug)]
pub struct World {
    /// What is declared.
    pub inventory: Inventory,
    /// Allow rules over all actions.
    pub allowing: Vec<Allowing>,
    /// A condition for a purpose in which everything may be said.
    pub restricting: Vec<(PurposeIndex, Condition)>,
    /// An amount for a purpose.
    pub valuing: Vec<(PurposeIndex, Amount)>,
    /// Who comes along.
    pub customers: Vec<Customer>,
}

/// A whole world.
pub fn world() -> impl Strategy<Value = World> {
    (vec(attribute(), 4..8), any::<bool>()).prop_flat_map(|(attributes, closed)| {
        let attributes = numbered("fact", attributes);
        let contexts = numbered("seen", contexts(closed));
        let names = |purpose| Names::new(&attributes, &contexts, purpose);
        let readers: Vec<Names> = (0..PURPOSES).map(names).collect();
        let allowing = vec(allowing(&readers), 1..12);
        let restricting = vec(for_a_purpose(&readers, |names| condition(names, true)), 1..4);
        let valuing = vec(for_a_purpose(&readers, |names| amount(names, true)), 1..3);
        let customers = vec(customer(&attributes, &contexts), 4);
        (Just((attributes, contexts)), allowing, restricting, valuing, customers).prop_map(
            |((attributes, contexts), allowing, restricting, valuing, customers)| World {
                inventory: Inventory::new(PURPOSES, &attributes, &contexts),
                allowing,
                restricting,
                valuing,
                customers,
            },
        )
    })
}

fn attribute() -> impl Strategy<Value = Declared> {
    use ValueType::*;
    let types = select(vec![Bool, Number, Number, Text, Time]);
    let purposes =
        proptest::sample::subsequence((0..PURPOSES).collect::<Vec<_>>(), 1..=usize::from(PURPOSES));
    (types, purposes, any::<bool>(), any::<bool>()).prop_map(|(value_type, purposes, household, closed)| {
        Declared {
            name: String::new(),
            value_type,
            values: closed_list(value_type == Text && closed),
            household,
            purposes,
        }
    })
}

fn closed_list(closed: bool) -> Vec<String> {
    let texts = TEXTS.iter().map(|text| text.to_string());
    texts.filter(|_| closed).collect()
}

fn contexts(closed: bool) -> Vec<Declared> {
    use ValueType::*;
    let declared = |value_type| Declared {
        name: String::new(),
        value_type,
        values: closed_list(value_type == Text && closed),
        household: false,
        purposes: Vec::new(),
    };
    [Bool, Number, Text].map(declared).to_vec()
}

fn numbered(word: &str, declared: Vec<Declared>) -> Vec<Declared> {
    let named = declared
        .into_iter()
        .enumerate()
        .map(|(index, declared)| Declared { name: format!("{word}_{index}"), ..declared });
    named.collect()
}

/// The names a rule for one purpose may use, by type.
#[derive(Debug, Clone, Default)]
struct Names(Arc<BTreeMap<ValueType, Vec<String>>>);

impl Names {
    fn new(attributes: &[Declared], contexts: &[Declared], purpose: PurposeIndex) -> Self {
        let mut names: BTreeMap<ValueType, Vec<String>> = BTreeMap::new();
        for attribute in attributes.iter().filter(|attribute| attribute.purposes.contains(&purpose)) {
            names.entry(attribute.value_type).or_default().push(attribute.full_name());
        }
        for context in contexts {
            names.entry(context.value_type).or_default().push(format!("context.{}", context.name));
        }
        Self(Arc::new(names))
    }

    fn of(&self, value_type: ValueType) -> Option<BoxedStrategy<String>> {
        self.0.get(&value_type).map(|names| select(names.clone()).boxed())
    }

    fn any(&self) -> BoxedStrategy<String> {
        select(self.0.values().flatten().cloned().collect::<Vec<_>>()).boxed()
    }
}

fn for_a_purpose<T: std::fmt::Debug + Clone + 'static>(
    readers: &[Names],
    saying: fn(&Names) -> BoxedStrategy<T>,
) -> BoxedStrategy<(PurposeIndex, T)> {
    let per_purpose = readers.iter().zip(0..).map(|(names, purpose)| (Just(purpose), saying(names)).boxed());
    proptest::strategy::Union::new(per_purpose).boxed()
}

fn allowing(readers: &[Names]) -> impl Strategy<Value = Allowing> + use<> {
    let layers = select(vec![Layer::Eligibility, Layer::Applicability, Layer::Suitability]);
    (0..ACTIONS, layers, for_a_purpose(readers, permitted))
        .prop_map(|(action, layer, (purpose, condition))| Allowing { action, layer, purpose, condition })
}

/// A condition that may let an action pass: `known`, `confidence` and fallbacks only where they stop.
fn permitted(names: &Names) -> BoxedStrategy<Condition> {
    let stops = prop_oneof![
        names.any().prop_map(Condition::Known),
        (names.any(), select(vec![Sign::More, Sign::AtLeast]), share()).prop_map(|(name, sign, least)| {
            Condition::Compare(Amount::Confidence(name), sign, Amount::Literal(least))
        }),
        amount(names, false).prop_map(|inner| {
            Condition::Compare(Amount::Or(Box::new(inner), 0.0), Sign::More, Amount::Literal(1.0))
        }),
    ];
    (condition(names, false), option::of((stops, any::<bool>())))
        .prop_map(|(condition, stops)| match stops {
            None => condition,
            Some((stops, true)) => Condition::And(Box::new(condition), Box::new(stops)),
            Some((stops, false)) => Condition::Or(Box::new(stops), Box::new(condition)),
        })
        .boxed()
}

fn signs() -> impl Strategy<Value = Sign> {
    use Sign::*;
    select(vec![Equal, NotEqual, Less, AtMost, More, AtLeast])
}

fn numbers() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => (-8_i32..9).prop_map(f64::from),
        3 => (-80_i32..80).prop_map(|quarters| f64::from(quarters) / 4.0),
        1 => select(vec![1e300, -1e300, 1e-300, 0.1, -0.0]),
    ]
}

fn share() -> impl Strategy<Value = f64> {
    (0_u8..=4).prop_map(|quarters| f64::from(quarters) / 4.0)
}

fn texts() -> impl Strategy<Value = String> {
    select(TEXTS.to_vec()).prop_map(str::to_owned)
}

fn moments() -> impl Strategy<Value = Value> {
    (-40_i64..40, select(vec![0, 1, -1, DAY_S / 2]))
        .prop_map(|(days, shift)| moment(NOW_S + days * DAY_S + shift))
}

fn moment(seconds: i64) -> Value {
    Value::Time(Timestamp::from_second(seconds).expect("generated moments can be represented"))
}

/// Any condition over these names; `free` also where not knowing could help.
fn condition(names: &Names, free: bool) -> BoxedStrategy<Condition> {
    let small = amount_leaf(names, free);
    let compared = (small.clone(), signs(), small.clone())
        .prop_map(|(left, sign, right)| Condition::Compare(left, sign, right));
    let computed = (amount_tree(small.clone()), signs(), small.clone())
        .prop_map(|(left, sign, right)| Condition::Compare(left, sign, right));
    let member = (small, vec(numbers(), 0..4)).prop_map(|(amount, list)| Condition::AmountIn(amount, list));
    let mut leaves = vec![
        any::<bool>().prop_map(Condition::Literal).boxed(),
        compared.boxed(),
        computed.boxed(),
        member.boxed(),
    ];
    if let Some(flags) = names.of(ValueType::Bool) {
        leaves.push(flags.clone().prop_map(Condition::Flag).boxed());
        if free {
            leaves.push(
                (flags, any::<bool>())
                    .prop_map(|(name, otherwise)| Condition::FlagOr(name, otherwise))
                    .boxed(),
            );
        }
    }
    if let Some(named) = names.of(ValueType::Text) {
        leaves.push(
            (named.clone(), any::<bool>(), texts())
                .prop_map(|(name, same, text)| Condition::Text(name, same, text))
                .boxed(),
        );
        leaves
            .push((named, vec(texts(), 0..3)).prop_map(|(name, list)| Condition::TextIn(name, list)).boxed());
    }
    if let Some(named) = names.of(ValueType::Time) {
        leaves.push(
            (named.clone(), signs(), moments())
                .prop_map(|(name, sign, moment)| Condition::Moment(name, sign, moment))
                .boxed(),
        );
        leaves.push((named, signs()).prop_map(|(name, sign)| Condition::Past(name, sign)).boxed());
    }
    if free {
        leaves.push(names.any().prop_map(Condition::Known).boxed());
    }
    proptest::strategy::Union::new(leaves)
        .prop_recursive(3, 10, 3, |inner| {
            prop_oneof![
                inner.clone().prop_map(|inner| Condition::Not(Box::new(inner))),
                (inner.clone(), inner.clone())
                    .prop_map(|(left, right)| Condition::And(Box::new(left), Box::new(right))),
                (inner.clone(), inner.clone())
                    .prop_map(|(left, right)| Condition::Or(Box::new(left), Box::new(right))),
                (inner.clone(), inner.clone(), inner).prop_map(|(condition, yes, no)| {
                    Condition::If(Box::new(condition), Box::new(yes), Box::new(no))
                }),
            ]
        })
        .boxed()
}

/// Any amount over these names.
fn amount(names: &Names, free: bool) -> BoxedStrategy<Amount> {
    let tree = amount_tree(amount_leaf(names, free));
    if !free {
        return tree;
    }
    let chosen = (condition(names, true), tree.clone(), tree.clone())
        .prop_map(|(condition, yes, no)| Amount::If(Box::new(condition), Box::new(yes), Box::new(no)));
    prop_oneof![3 => tree, 1 => chosen].boxed()
}

fn amount_tree(leaf: BoxedStrategy<Amount>) -> BoxedStrategy<Amount> {
    use Calculation::*;
    leaf.prop_recursive(3, 8, 2, |inner| {
        let how = select(vec![Plus, Minus, Times, Over, Smaller, Larger]);
        prop_oneof![
            4 => (inner.clone(), how, inner.clone())
                .prop_map(|(left, how, right)| Amount::Compute(Box::new(left), how, Box::new(right))),
            1 => inner.clone().prop_map(|inner| Amount::Negative(Box::new(inner))),
            1 => inner.prop_map(|inner| Amount::Absolute(Box::new(inner))),
        ]
    })
    .boxed()
}

fn amount_leaf(names: &Names, free: bool) -> BoxedStrategy<Amount> {
    let scopes = || select(SCOPES.to_vec()).prop_map(str::to_owned);
    let paths = select(SCOPES[..5].to_vec()).prop_map(str::to_owned);
    let outcomes = select(vec!["rejected", "goal"]).prop_map(str::to_owned);
    let mut leaves = vec![
        numbers().prop_map(Amount::Literal).boxed(),
        (scopes(), 1_u32..40).prop_map(|(scope, days)| Amount::Contacts(scope, days)).boxed(),
        (outcomes, paths).prop_map(|(outcome, scope)| Amount::DaysSinceOutcome(outcome, scope)).boxed(),
        Just(Amount::Hour).boxed(),
        Just(Amount::Weekday).boxed(),
    ];
    if let Some(named) = names.of(ValueType::Number) {
        leaves.extend([
            named.clone().prop_map(Amount::Name).boxed(),
            named.clone().prop_map(Amount::Name).boxed(),
        ]);
        if free {
            leaves.push(
                (named, numbers())
                    .prop_map(|(name, otherwise)| Amount::Or(Box::new(Amount::Name(name)), otherwise))
                    .boxed(),
            );
        }
    }
    if let Some(named) = names.of(ValueType::Time) {
        leaves.push(named.clone().prop_map(Amount::DaysSince).boxed());
        leaves.push(named.prop_map(Amount::DaysUntil).boxed());
    }
    if free {
        leaves.push(names.any().prop_map(Amount::Confidence).boxed());
    }
    proptest::strategy::Union::new(leaves).boxed()
}

fn values(value_type: ValueType) -> BoxedStrategy<Value> {
    match value_type {
        ValueType::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        ValueType::Number => numbers().prop_map(Value::Number).boxed(),
        ValueType::Text => texts().prop_map(|text| Value::Text(text.into())).boxed(),
        ValueType::Time => moments().boxed(),
    }
}

/// A customer about whom anything may be unknown.
pub fn customer(attributes: &[Declared], contexts: &[Declared]) -> impl Strategy<Value = Customer> + use<> {
    let known: Vec<_> = attributes
        .iter()
        .map(|declared| {
            let value = option::weighted(
                0.7,
                (values(declared.value_type), (0_u8..=8).prop_map(|eighths| f32::from(eighths) / 8.0)),
            );
            (Just(declared.full_name()), value)
        })
        .collect();
    let seen: Vec<_> = contexts
        .iter()
        .map(|declared| {
            (Just(format!("context.{}", declared.name)), option::weighted(0.7, values(declared.value_type)))
        })
        .collect();
    let ago =
        || (0_i64..40, select(vec![0, 0, 1, DAY_S / 3])).prop_map(|(days, more)| NOW_S - days * DAY_S - more);
    let paths = || select(ACTION_PATHS.to_vec()).prop_map(str::to_owned);
    let contact = (paths(), select(vec!["email", "web"]), ago())
        .prop_map(|(action, channel, at_s)| Contact { action, channel: channel.to_owned(), at_s });
    let outcome = (select(vec!["rejected", "goal"]), paths(), ago())
        .prop_map(|(outcome, action, at_s)| Outcome { outcome: outcome.to_owned(), action, at_s });
    let withheld = proptest::sample::subsequence((0..PURPOSES).collect::<Vec<_>>(), 0..2);
    let hours = (0_i64..48).prop_map(|hours| NOW_S + hours * 3_600);
    (known, seen, withheld, vec(contact, 0..5), vec(outcome, 0..3), hours).prop_map(
        |(known, seen, withheld, contacts, outcomes, now_s)| Customer {
            attributes: known.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            contexts: seen.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            withheld: withheld.into_iter().collect(),
            contacts,
            outcomes,
            now_s,
        },
    )
}
