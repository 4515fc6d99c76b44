//! Which strategy do the actions and context values met so far make? A real one, compiled as any other:
//! every action is eligible where it is offered, worth what is offered with it, and every context value is
//! learned from.
//!
//! Deliberately absent: customers, limits, costs. What a driver does not say does not weigh.

use super::message::{Decide, Options};
use decision::{
    request::{Direction, PlacementRequest, Request},
    strategy::{Files, Strategy, load},
    value::{Value, ValueType},
};
use serde_json::Value as Json;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

const CHANNEL: &str = "lab";
const PLACEMENT: &str = "place";

/// The actions and context values met so far.
#[derive(Clone, Default)]
pub struct Catalogue {
    actions: Vec<Met>,
    action_numbers: BTreeMap<String, usize>,
    groups: BTreeMap<String, usize>,
    contexts: BTreeMap<String, (usize, ValueType)>,
}

/// An action met before.
#[derive(Clone)]
struct Met {
    name: String,
    group: usize,
    goal: Option<String>,
}

impl Catalogue {
    /// Takes in what a question names.
    pub fn meet(&mut self, asked: &Decide) {
        for offered in &asked.actions {
            let groups = self.groups.len();
            let group = *self.groups.entry(offered.group.clone()).or_insert(groups);
            if !self.action_numbers.contains_key(&offered.id) {
                self.action_numbers.insert(offered.id.clone(), self.actions.len());
                self.actions.push(Met { name: offered.id.clone(), group, goal: offered.goal.clone() });
            }
        }
        for (name, value) in &asked.context {
            if let Some(value_type) = value_type(value)
                && !self.contexts.contains_key(name)
            {
                self.contexts.insert(name.clone(), (self.contexts.len(), value_type));
            }
        }
    }

    /// Whether a question names something new.
    ///
    /// # Errors
    /// No action, one offered twice, in another group or with another goal than before or at no finite
    /// value, a context value of another type than before.
    pub fn is_new(&self, asked: &Decide) -> Result<bool, String> {
        let mut new = false;
        if asked.actions.is_empty() {
            return Err("offer at least one action".to_owned());
        }
        let mut offers = BTreeMap::new();
        for offered in &asked.actions {
            let id = &offered.id;
            if offers.insert(id, ()).is_some() {
                return Err(format!("action `{id}` is offered twice"));
            }
            if !offered.value.is_finite() {
                return Err(format!("the value of action `{id}` is no number"));
            }
            let Some(met) = self.action_numbers.get(id).map(|number| &self.actions[*number]) else {
                new = true;
                continue;
            };
            if self.groups.get(&offered.group) != Some(&met.group) {
                return Err(format!("action `{id}` was in another group than `{}` before", offered.group));
            }
            if offered.goal != met.goal {
                return Err(format!("action `{id}` had another goal before"));
            }
        }
        for (name, value) in &asked.context {
            let known = self.contexts.get(name).map(|(_, value_type)| *value_type);
            let given = value_type(value);
            if given.is_none() && !value.is_null() {
                return Err(format!("context `{name}` is neither number, text, true, false nor null"));
            }
            if let (Some(known), Some(given)) = (known, given)
                && known != given
            {
                return Err(format!("context `{name}` was a {} before", known.as_str()));
            }
            new |= known.is_none() && given.is_some();
        }
        Ok(new)
    }

    /// The strategy of everything met so far.
    ///
    /// # Errors
    /// Why the options make no strategy.
    pub fn strategy(&self, options: &Options) -> Result<Strategy, String> {
        let loaded = load(&self.files(options));
        loaded.map(|loaded| loaded.strategy).map_err(|problems| {
            let messages: Vec<String> =
                problems.iter().take(3).map(|problem| problem.message.clone()).collect();
            messages.join("; ")
        })
    }

    /// The question, in the strategy's names.
    pub fn request(&self, asked: &Decide) -> Request {
        let facts = asked.context.iter().filter_map(|(name, given)| {
            let value = value(given)?;
            Some((fact(self.contexts.get(name)?.0).as_str().into(), value))
        });
        let values = asked.actions.iter().map(|offered| {
            let name = worth(self.action_numbers[&offered.id]);
            (name.as_str().into(), Value::Number(offered.value))
        });
        Request {
            channel: CHANNEL.into(),
            direction: Direction::Inbound,
            placements: vec![PlacementRequest { placement: PLACEMENT.into(), slots: 1 }],
            context: facts.chain(values).collect(),
            language: None,
            global_privacy_control: false,
            dry_run: false,
        }
    }

    /// The driver's name of an action of the strategy.
    pub fn name(&self, path: &str) -> Option<&str> {
        let number: usize = path.rsplit_once("/a")?.1.parse().ok()?;
        self.actions.get(number).map(|met| met.name.as_str())
    }

    fn files(&self, options: &Options) -> Files {
        let mut files = BTreeMap::new();
        let mut add = |name: &str, text: String| files.insert(name.to_owned(), text);
        let mut organisation = "name = \"lab\"\ntime_zone = \"UTC\"\nlanguages = [\"en\"]\n".to_owned();
        let mut inventory = String::new();
        for goal in self.goals(options) {
            let _ = writeln!(inventory, "[events.{goal}]");
        }
        for (kind, side) in &options.outcomes {
            let _ = write!(
                organisation,
                "[outcomes.{kind}]\nevent = \"{kind}\"\nwithin = \"{}s\"\nprior = {:?}\n\
                 value = {{ customer = 0.0, organisation = {:?} }}\n",
                seconds(side.window, options),
                side.prior,
                side.value,
            );
            let _ = writeln!(inventory, "[events.{kind}]\noutcome = \"{kind}\"");
        }
        for (number, value_type) in self.contexts.values() {
            let _ = writeln!(inventory, "[context.{}]\ntype = \"{}\"", fact(*number), value_type.as_str());
        }
        for number in 0..self.actions.len().max(1) {
            let _ = writeln!(inventory, "[context.{}]\ntype = \"number\"\nlearn = false", worth(number));
        }
        add("organisation.toml", organisation);
        add("inventory/lab.toml", inventory);
        add("purposes.toml", "purposes.lab = { name.en = \"lab\", basis = \"contract\" }".to_owned());
        add(
            "channels.toml",
            format!("channels.{CHANNEL} = {{ name.en = \"lab\", directions = [\"inbound\"] }}"),
        );
        add(
            "placements.toml",
            format!("placements.{PLACEMENT} = {{ channel = \"{CHANNEL}\", name.en = \"place\" }}"),
        );
        for (number, met) in self.actions.iter().enumerate() {
            let goal = met.goal.as_ref().unwrap_or(&options.goal);
            add(&format!("actions/lab/g{}/a{number}.toml", met.group), action(number, goal, options));
        }
        // A strategy has an action; before any was met, it is one that is never offered.
        if self.actions.is_empty() {
            add("actions/lab/g0/a0.toml", action(0, &options.goal, options));
        }
        Files(files)
    }

    /// The kinds of outcome that reach goals.
    pub fn goals<'a>(&'a self, options: &'a Options) -> BTreeSet<&'a str> {
        let own = self.actions.iter().filter_map(|met| met.goal.as_deref());
        own.chain([options.goal.as_str()]).collect()
    }
}

fn action(number: usize, goal: &str, options: &Options) -> String {
    let worth = worth(number);
    format!(
        "name.en = \"a{number}\"\nintent.en = \"a{number}\"\nowner = \"lab\"\nmandate = \"lab\"\n\
         purpose = \"lab\"\ngoal = {{ event = \"{}\", within = \"{}s\" }}\n\
         eligibility = 'known(context.{worth})'\n\
         value = {{ customer = 0.0, organisation = 'context.{worth}' }}\n\
         [[treatments]]\nid = \"only\"\nplacement = \"{PLACEMENT}\"\ntitle.en = \"a\"\nbody.en = \"a\"\n",
        goal,
        seconds(options.window, options),
    )
}

/// A window in whole seconds, at least 1.
fn seconds(window: f64, options: &Options) -> u64 {
    (window * options.unit.ms() / 1e3).ceil().max(1.0) as u64
}

fn fact(number: usize) -> String {
    format!("fact_{number}")
}

fn worth(number: usize) -> String {
    format!("worth_{number}")
}

fn value_type(given: &Json) -> Option<ValueType> {
    value(given).map(|value| value.value_type())
}

fn value(given: &Json) -> Option<Value> {
    match given {
        Json::Number(number) => number.as_f64().and_then(Value::number),
        Json::String(text) => Some(Value::Text(text.as_str().into())),
        Json::Bool(flag) => Some(Value::Bool(*flag)),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}
