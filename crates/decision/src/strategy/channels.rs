//! Where can something be said: channels, their placements, and what must hold before a channel may be used?

use super::{
    document::{Item, Table},
    model::{Channel, ContactReport, Permission, Placement},
    names::Names,
    quantity::{AnyText, Count, NotNegative, Order},
    vocabulary::{Vocabulary, report_unfit_name},
};
use crate::{
    Duration, Timestamp,
    id::{ChannelId, Language, PlacementId},
    request::Direction,
};
use jiff::civil::Time;

pub(super) const DIRECTIONS: [(&str, Direction); 2] =
    [("inbound", Direction::Inbound), ("outbound", Direction::Outbound)];
const REPORTS: [(&str, ContactReport); 3] = [
    ("decided", ContactReport::Decided),
    ("delivered", ContactReport::Delivered),
    ("displayed", ContactReport::Displayed),
];
/// Most slots of a placement.
const SLOTS_MAX: u32 = 16;

/// Reads `channels.toml`; sorted by id.
pub(super) fn read_channels(file: Table<'_>, languages: &[Language]) -> Vec<Channel> {
    let mut channels: Vec<Channel> =
        file.declared("channels").into_iter().map(|item| channel(item, languages)).collect();
    file.close();
    channels.sort_by(|one, other| one.id.cmp(&other.id));
    channels
}

fn channel(item: Item<'_>, languages: &[Language]) -> Channel {
    report_unfit_name("a channel", item.name, item.key);
    let table = item.table();
    let directions: Vec<Direction> = table
        .needs("directions")
        .map(|directions| {
            directions.list().into_iter().filter_map(|direction| direction.word(&DIRECTIONS)).collect()
        })
        .unwrap_or_default();
    let channel = Channel {
        id: ChannelId::from(item.name),
        name: table.texts("name", languages),
        contact_cost: table.optional("contact_cost").map_or(0.0, |NotNegative(cost)| cost),
        counts_on: table.word("counts_on", &REPORTS).unwrap_or(ContactReport::Displayed),
        reservation: table.optional("reservation").unwrap_or_else(|| usual_reservation(&directions)),
        quiet_hours: table.get("quiet_hours").and_then(quiet_hours),
        directions,
    };
    table.close();
    channel
}

/// Half an hour where the customer is present, three days where a message travels.
fn usual_reservation(directions: &[Direction]) -> Duration {
    if directions.contains(&Direction::Outbound) { Duration::from_hours(72) } else { Duration::from_mins(30) }
}

fn quiet_hours(item: Item<'_>) -> Option<(Time, Time)> {
    let table = item.table();
    let hours = (table.required("from"), table.required("until"));
    table.close();
    match hours {
        (Some(from), Some(until)) if from == until => {
            item.place.problem("`quiet_hours` begin and end at the same time");
            None
        }
        (Some(from), Some(until)) => Some((from, until)),
        _ => None,
    }
}

/// Reads `placements.toml`; in filling order, then by id.
pub(super) fn read_placements(file: Table<'_>, languages: &[Language], channels: &Names) -> Vec<Placement> {
    let mut placements: Vec<(i64, Placement)> =
        file.declared("placements").into_iter().map(|item| placement(item, languages, channels)).collect();
    file.close();
    placements.sort_by(|(order, one), (other_order, other)| {
        order.cmp(other_order).then_with(|| one.id.cmp(&other.id))
    });
    placements.into_iter().map(|(_, placement)| placement).collect()
}

fn placement(item: Item<'_>, languages: &[Language], channels: &Names) -> (i64, Placement) {
    report_unfit_name("a placement", item.name, item.key);
    let table = item.table();
    let order = table.optional("order").map_or(0, |Order(order)| order);
    let placement = Placement {
        id: PlacementId::from(item.name),
        channel: table
            .needs("channel")
            .and_then(|channel| channels.resolve(channel))
            .unwrap_or_default()
            .into(),
        name: table.texts("name", languages),
        slots: table.get("slots").and_then(slots).unwrap_or(1),
        directed_at_minors: table.optional("directed_at_minors").unwrap_or(false),
        neutral_default: table
            .optional("neutral_default")
            .map_or_else(String::new, |AnyText(text)| text.to_owned()),
    };
    table.close();
    (order, placement)
}

fn slots(item: Item<'_>) -> Option<u16> {
    let Count(slots) = item.read()?;
    if slots > SLOTS_MAX {
        item.place.problem(format!("a placement has at most {SLOTS_MAX} slots"));
    }
    u16::try_from(slots).ok()
}

/// Reads `permissions.toml`, in its order.
pub(super) fn read_permissions(file: Table<'_>, vocabulary: &Vocabulary) -> Vec<Permission> {
    let permissions = file.list("permissions").into_iter().map(|item| permission(item, vocabulary)).collect();
    file.close();
    permissions
}

fn permission(item: Item<'_>, vocabulary: &Vocabulary) -> Permission {
    let table = item.table();
    let permission = Permission {
        channel: table
            .needs("channel")
            .and_then(|channel| vocabulary.channel_names.resolve(channel))
            .unwrap_or_default()
            .into(),
        direction: table
            .needs("direction")
            .and_then(|direction| direction.word(&DIRECTIONS))
            .unwrap_or(Direction::Outbound),
        applies_to: vocabulary.scopes(table.list("applies_to")),
        from: table
            .needs("from")
            .and_then(|from| from.moment(&vocabulary.time_zone))
            .unwrap_or(Timestamp::UNIX_EPOCH),
        needs: table.needs("needs").and_then(|purpose| vocabulary.purpose(purpose)).unwrap_or_default(),
        reason: table.required::<&str>("reason").unwrap_or_default().to_owned(),
    };
    table.close();
    permission
}
