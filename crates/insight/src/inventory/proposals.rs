//! How would an undeclared name be declared? A piece of TOML to fill in: it checks only once somebody has said for
//! what purpose it is kept and who answers for it.

use super::Undeclared;
use decision::strategy::Strategy;
use serde::Serialize;

/// One name, and what would declare it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Proposal {
    /// The name.
    pub name: String,
    /// How often it was dropped.
    pub times: u64,
    /// What could be written in a file of `inventory/`.
    pub toml: String,
}

/// A proposal for each undeclared name that could be one. What is declared and was dropped all the same did not fit
/// its type, and is left out.
pub fn proposals(strategy: &Strategy, undeclared: &[Undeclared]) -> Vec<Proposal> {
    let propose = |found: &Undeclared| {
        let toml = match found.name.split_once('.') {
            Some((event, property)) => property_toml(strategy, event, property)?,
            None => attribute_toml(strategy, &found.name)?,
        };
        Some(Proposal { name: found.name.clone(), times: found.times, toml })
    };
    undeclared.iter().filter_map(propose).collect()
}

fn is_plain(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !name.is_empty() && name.bytes().all(fits)
}

fn attribute_toml(strategy: &Strategy, name: &str) -> Option<String> {
    if !is_plain(name) || strategy.attribute_index(name).is_some() {
        return None;
    }
    let languages = &strategy.organisation.languages;
    let names: Vec<String> = languages.iter().map(|language| format!("{language} = \"{name}\"")).collect();
    let purposes: Vec<&str> = strategy.purposes.iter().map(|purpose| purpose.id.as_str()).collect();
    Some(format!(
        "[attributes.{name}]\nname = {{ {} }}\ntype = \"text\"  # or \"number\", \"bool\", \"time\"\npurposes = []  # of: {}\n\
         source = \"observed\"  # or \"provided\", \"derived\", \"third_party\"\nowner = \"\"\n",
        names.join(", "),
        purposes.join(", ")
    ))
}

fn property_toml(strategy: &Strategy, event: &str, property: &str) -> Option<String> {
    let declared = strategy.event(event)?;
    if declared.properties.contains_key(property) || property.contains(['"', '\\']) {
        return None;
    }
    let event = if is_plain(event) { event.to_owned() } else { format!("{event:?}") };
    let property = if is_plain(property) { property.to_owned() } else { format!("{property:?}") };
    Some(format!(
        "# in [events.{event}], beside what is there\nproperties = {{ {property} = \"text\" }}  # or \"number\", \"bool\", \"time\"\n"
    ))
}
