//! When can something be said to a customer? Visits, calls, and the days our own messages may leave.

use super::{
    happening::{Happening, Moment, What},
    household::{Day, Household},
};
use crate::{chance::Chance, clock::Clock};
use decision::{request::Direction, value::Value};
use std::collections::BTreeMap;

/// Days between two e-mail moments of a customer.
const EMAIL_EVERY: Day = 14;
/// Days between two letter moments.
const LETTER_EVERY: Day = 90;
/// Days between two calls that the care team may make.
const CALL_EVERY: Day = 30;

/// Fatima's visits: channel and days.
const FATIMA: [(&str, &[Day]); 4] = [
    ("web", &[5, 24, 66, 80, 100]),
    ("app", &[12, 40, 50, 90, 110]),
    ("call_centre", &[67]),
    ("shop", &[66]),
];

/// The moments of one customer on one day, in order.
pub fn moments(
    household: &Household,
    chance: Chance,
    clock: &Clock,
    number: usize,
    day: Day,
) -> Vec<Happening> {
    let mut moments = Vec::new();
    let mut add = |minute: u32, moment: Moment| {
        moments.push(Happening { customer: number, at: clock.at(day, minute), what: What::Moment(moment) });
    };
    let today = |about: &str| chance.about(about).at(day.cast_unsigned());
    for (channel, minutes) in [("shop", 545), ("web", 1170), ("app", 1230), ("call_centre", 640)] {
        if comes(household, channel, today(channel), number, day) {
            add(minutes + today("minute").below(30), inbound(household, channel, today("page"), day));
        }
    }
    if (day + offset(chance, "email", EMAIL_EVERY, number)).rem_euclid(EMAIL_EVERY) == 0 {
        add(720, outbound("email", "email_hero"));
    }
    if (day + offset(chance, "letter", LETTER_EVERY, number)).rem_euclid(LETTER_EVERY) == 0 {
        add(840, outbound("letter", "letter_page"));
    }
    let concerned = household.now.arrears_since.is_some() || household.now.apology_owed;
    if concerned && (day + offset(chance, "call", CALL_EVERY, number)).rem_euclid(CALL_EVERY) == 0 {
        add(870, outbound("call_centre", "outbound_call"));
    }
    moments.sort_by_key(|happening| happening.at);
    moments
}

fn offset(chance: Chance, about: &str, every: Day, number: usize) -> Day {
    if number == 0 { 4 } else { Day::from(chance.about(about).below(u32::try_from(every).unwrap_or(1))) }
}

fn comes(household: &Household, channel: &str, today: Chance, number: usize, day: Day) -> bool {
    if number == 0 {
        return FATIMA.iter().any(|(on, days)| *on == channel && days.contains(&day));
    }
    let (traits, contract, now) = (&household.traits, &household.contract, &household.now);
    let troubled = now.complaint_since.is_some() || now.arrears_since.is_some() || now.moving.is_some();
    let away = day - contract.last_visit > 90;
    let daily = match channel {
        "web" if away => 0.006,
        "web" => 0.02 + 0.05 * traits.digital,
        "app" if contract.app_user => 0.06 + 0.12 * traits.digital,
        "call_centre" if troubled => 0.015,
        "call_centre" => 0.003,
        "shop" => 0.0006,
        _ => 0.0,
    };
    today.happens(daily)
}

fn inbound(household: &Household, channel: &'static str, chance: Chance, day: Day) -> Moment {
    let text = |word: &str| Value::Text(word.into());
    let page = page(household, chance, day);
    let (placements, context): (Vec<_>, BTreeMap<_, _>) = match channel {
        "web" if page == "bill" => (vec![("web_home", 1), ("web_account", 1)], [("page", text(page))].into()),
        "web" => (vec![("web_home", 1)], [("page", text(page))].into()),
        "app" => (vec![("app_home", 1)], [("page", text(page))].into()),
        "shop" => (vec![("desk_prompt", 1)], [("others_can_hear", Value::Bool(true))].into()),
        _ => {
            let heard = ("others_can_hear", Value::Bool(false));
            (vec![("agent_suggestion", 1)], [("call_reason", text(reason(household, page))), heard].into())
        }
    };
    Moment { channel, direction: Direction::Inbound, placements, context }
}

fn outbound(channel: &'static str, placement: &'static str) -> Moment {
    Moment {
        channel,
        direction: Direction::Outbound,
        placements: vec![(placement, 1)],
        context: BTreeMap::new(),
    }
}

fn page(household: &Household, chance: Chance, day: Day) -> &'static str {
    let ends_soon = household.contract.kind == "fixed" && (0..45).contains(&(household.contract.ends - day));
    match chance.uniform() {
        u if u < 0.25 && household.contract.bill_increase_percent >= 15.0 => "bill",
        u if u < 0.12 => "bill",
        u if u < 0.45 && ends_soon => "contract",
        u if u < 0.55 && household.now.moving.is_some() => "moving",
        u if u < 0.30 + 0.2 * household.traits.green => "saving",
        u if u < 0.60 && household.now.complaint_since.is_some() => "contact",
        _ => "home",
    }
}

fn reason(household: &Household, page: &str) -> &'static str {
    match page {
        _ if household.now.complaint_since.is_some() => "complaint",
        _ if household.now.moving.is_some() => "moving",
        "bill" | "saving" => "bill",
        "contract" => "contract",
        _ => "other",
    }
}
