//! What does a name in a rule stand for, and may it be read here?

use super::{
    Reference, View,
    check::{Checker, Domain, Typed, quoted},
    expression::Expression,
};
use crate::{
    strategy::{Attribute, Basis, Purpose, PurposeIndex, Sensitivity, Subject, did_you_mean},
    value::ValueType,
};
use std::ops::Range;

const ROOTS: [&str; 3] = ["customer", "household", "context"];

impl Checker<'_> {
    /// The value behind a name.
    pub fn name(&mut self, name: &str, span: &Range<usize>) -> Option<Typed> {
        if name == "now" {
            return Some(Typed { value_type: ValueType::Time, expression: Expression::Now });
        }
        let reference = self.reference(name, span)?;
        Some(Typed {
            value_type: self.domains[&reference].value_type,
            expression: Expression::Read(reference),
        })
    }

    /// The permitted attribute or the context value behind a name; its domain is noted.
    pub fn reference(&mut self, name: &str, span: &Range<usize>) -> Option<Reference> {
        match name.split_once('.') {
            Some(("customer", attribute)) => self.attribute(name, Subject::Customer, attribute, span),
            Some(("household", attribute)) => self.attribute(name, Subject::Household, attribute, span),
            Some(("context", context)) => self.context(context, span),
            _ => {
                let root = name.split('.').next().unwrap_or(name);
                let hint = did_you_mean(root, ROOTS)
                    .unwrap_or_else(|| "names begin with `customer.`, `household.` or `context.`".to_owned());
                self.report(span, format!("`{name}` is not a name that rules know"), Some(hint));
                None
            }
        }
    }

    fn attribute(
        &mut self,
        name: &str,
        subject: Subject,
        written: &str,
        span: &Range<usize>,
    ) -> Option<Reference> {
        let environment = self.environment;
        let found = environment
            .attributes
            .iter()
            .enumerate()
            .find(|(_, attribute)| attribute.name.as_str() == written);
        let Some((index, attribute)) = found else {
            let known = environment.attributes.iter().filter(|attribute| attribute.subject == subject);
            let full: Vec<String> = known.map(full_name).collect();
            let hint = did_you_mean(name, full.iter().map(String::as_str));
            self.report(span, format!("there is no attribute `{name}`"), hint);
            return None;
        };
        if attribute.subject != subject {
            let message = format!("`{written}` is not an attribute of the {}", root(subject));
            self.report(span, message, Some(format!("write `{}`", full_name(attribute))));
            return None;
        }
        if let Some((message, hint)) = refusal(environment.purposes, environment.view, attribute) {
            self.report(span, message, Some(hint));
            return None;
        }
        let reference = Reference::Attribute(u16::try_from(index).ok()?);
        self.note(reference, attribute.value_type, &attribute.values);
        Some(reference)
    }

    fn context(&mut self, written: &str, span: &Range<usize>) -> Option<Reference> {
        let contexts = self.environment.contexts;
        let Some(index) = contexts.iter().position(|context| context.name.as_str() == written) else {
            let hint = did_you_mean(written, contexts.iter().map(|context| context.name.as_str()));
            self.report(span, format!("there is no context value `context.{written}`"), hint);
            return None;
        };
        let reference = Reference::Context(u16::try_from(index).ok()?);
        self.note(reference, contexts[index].value_type, &contexts[index].values);
        Some(reference)
    }

    fn note(&mut self, reference: Reference, value_type: ValueType, values: &[String]) {
        self.domains.entry(reference).or_insert_with(|| Domain {
            value_type,
            values: values.iter().map(|value| value.as_str().into()).collect(),
        });
    }
}

fn root(subject: Subject) -> &'static str {
    match subject {
        Subject::Customer => "customer",
        Subject::Household => "household",
    }
}

fn full_name(attribute: &Attribute) -> String {
    format!("{}.{}", root(attribute.subject), attribute.name)
}

/// Why the view does not show the attribute, and what could be done; `None` when it does.
fn refusal(purposes: &[Purpose], view: View, attribute: &Attribute) -> Option<(String, String)> {
    let name = full_name(attribute);
    let purpose = |index: &PurposeIndex| purposes.get(usize::from(*index));
    let own: Vec<&Purpose> = attribute.purposes.iter().filter_map(purpose).collect();
    let serving = |wanted: &dyn Fn(&Purpose) -> bool| own.iter().any(|purpose| wanted(purpose));
    let serves = match own.as_slice() {
        [] => "it serves no purpose at all".to_owned(),
        own => format!("it may be used for {}", quoted(own.iter().map(|purpose| purpose.id.as_str()))),
    };
    let special = attribute.sensitivity == Sensitivity::Special;
    match view {
        View::Purpose(needed) if !attribute.purposes.contains(&needed) => {
            let needed = purpose(&needed).map_or("", |purpose| purpose.id.as_str());
            Some((format!("`{name}` may not be used for `{needed}`"), serves))
        }
        View::Purpose(needed)
            if special && purpose(&needed).is_none_or(|needed| needed.basis != Basis::Consent) =>
        {
            let needed = purpose(&needed).map_or("", |purpose| purpose.id.as_str());
            let message =
                format!("`{name}` is of a special category and `{needed}` does not rest on consent");
            Some((message, "only explicit consent allows its use".to_owned()))
        }
        View::Protection if !serving(&|purpose| purpose.protective) => {
            Some((format!("`{name}` serves no protective purpose, so a principle may not read it"), serves))
        }
        View::Protection
            if special && !serving(&|purpose| purpose.protective && purpose.basis == Basis::Consent) =>
        {
            let message = format!(
                "`{name}` is of a special category and none of its protective purposes rests on consent"
            );
            Some((message, "only explicit consent allows its use".to_owned()))
        }
        _ => None,
    }
}
