//! What does a purchase leave behind? When, on how many days and for how much a customer bought, and what last.
//!
//! These are declared attributes like all others: the mask, retention and erasure treat them as such. No list of
//! purchases is kept, and none is expected here: what is worked out from them waits for [`Engine::write_worked_out`].

use crate::{Engine, EventReport, customer::Loaded, ingest::set};
use decision::{
    Timestamp,
    profile::{AttributeValue, Attributes},
    strategy::{AttributeIndex, Items, Purchases, Strategy},
    value::Value,
};

impl Engine {
    /// Keeps the attributes of purchases up to date when the event is one. Without an amount above 0 it is none.
    pub(crate) fn purchased(
        &self,
        strategy: &Strategy,
        report: &EventReport,
        loaded: &mut Loaded,
        at: Timestamp,
    ) {
        let Some(purchases) = strategy.purchases.as_ref().filter(|kept| kept.event.as_str() == report.event)
        else {
            return;
        };
        let Some(Value::Number(amount)) = report.properties.get(&purchases.amount).filter(is_paid) else {
            self.count_dropped(&format!("{}.{}", report.event, purchases.amount));
            return;
        };
        let mut kept = Kept { strategy, attributes: &mut loaded.customer.profile.attributes, at };
        kept.count(purchases, *amount);
        let bought = purchases.items.as_ref().and_then(|items| {
            let text = report.properties.get(&items.property)?;
            matches!(text, Value::Text(_)).then(|| (items, text.to_string()))
        });
        if let Some((items, item)) = bought {
            kept.choose(items, &item);
        }
    }
}

fn is_paid(value: &&Value) -> bool {
    matches!(value, Value::Number(amount) if amount.is_finite() && *amount > 0.0)
}

/// The attributes of one customer while a purchase is counted.
struct Kept<'a> {
    strategy: &'a Strategy,
    attributes: &'a mut Attributes,
    at: Timestamp,
}

impl Kept<'_> {
    /// Counts the purchase. Where one of the four attributes is missing or expired, counting begins anew. A day is
    /// told from the first and the last one only: of days that arrive out of order each event counts as one.
    fn count(&mut self, purchases: &Purchases, amount: f64) {
        let known = purchases.kept().map(|index| self.value(index));
        let [first, last, days, total] = match known {
            [
                Some(Value::Time(first)),
                Some(Value::Time(last)),
                Some(Value::Number(days)),
                Some(Value::Number(total)),
            ] => {
                let is_new_day = ![first, last].iter().any(|known| self.same_day(*known));
                let days = days + f64::from(u8::from(is_new_day));
                let (first, last) = (first.min(self.at), last.max(self.at));
                [Value::Time(first), Value::Time(last), Value::Number(days), Value::Number(total + amount)]
            }
            _ => [Value::Time(self.at), Value::Time(self.at), Value::Number(1.0), Value::Number(amount)],
        };
        let newest = match &last {
            Value::Time(last) => *last,
            _ => self.at,
        };
        for (index, value) in purchases.kept().into_iter().zip([first, last, days, total]) {
            self.set(index, value, newest);
        }
    }

    /// Adds to what was bought, and takes back a suggestion of just that.
    fn choose(&mut self, items: &Items, item: &str) {
        let item = Items::name(item);
        if item.is_empty() {
            return;
        }
        let kept = self.value(items.chosen).map_or_else(String::new, |kept| kept.to_string());
        self.set(items.chosen, Value::Text(Items::with(&kept, &item).into()), self.at);
        let suggested = items.similar.and_then(|similar| self.value(similar));
        if suggested.is_some_and(|suggested| suggested.to_string() == item) {
            for index in [items.similar, items.because].into_iter().flatten() {
                self.attributes.remove(self.strategy.attributes[usize::from(index)].name.as_str());
            }
        }
    }

    fn value(&self, index: AttributeIndex) -> Option<Value> {
        let attribute = &self.strategy.attributes[usize::from(index)];
        let fits = |value: &&AttributeValue| {
            value.expires_at > self.at && value.value.value_type() == attribute.value_type
        };
        self.attributes.get(&attribute.name).filter(fits).map(|value| value.value.clone())
    }

    fn set(&mut self, index: AttributeIndex, value: Value, at: Timestamp) {
        let attribute = &self.strategy.attributes[usize::from(index)];
        set(self.attributes, attribute, value, attribute.source, at);
    }

    fn same_day(&self, other: Timestamp) -> bool {
        let zone = &self.strategy.organisation.time_zone;
        let date = |at: Timestamp| at.to_zoned(zone.clone()).date();
        date(self.at) == date(other)
    }
}
