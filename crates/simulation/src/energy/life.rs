//! What happens to a customer besides our doing: arrears, bills, moves, deaths, complaints.
//!
//! Draws are keyed by customer and day, never by what was said before, so that life goes on alike
//! under every policy.

use super::{
    happening::Happening,
    household::{Day, Household},
    truth,
};
use crate::{chance::Chance, clock::Clock};
use decision::value::Value;

/// Length of a month in arrears, in days.
const MONTH: Day = 30;

/// One day in one customer's life.
pub struct Life<'a> {
    /// The customer's own chance.
    pub chance: Chance,
    /// The calendar.
    pub clock: &'a Clock,
    /// The customer's number.
    pub number: usize,
    /// The day.
    pub day: Day,
}

impl Life<'_> {
    /// Lives the day: changes the circumstances and tells what the supplier notices, in order.
    pub fn live(&self, household: &mut Household) -> Vec<Happening> {
        let mut noticed = Vec::new();
        self.arrears(household, &mut noticed);
        self.bill(household, &mut noticed);
        self.meter(household, &mut noticed);
        self.moving(household, &mut noticed);
        self.bereavement(household, &mut noticed);
        self.complaint(household, &mut noticed);
        noticed
    }

    fn today(&self, about: &str) -> Chance {
        self.chance.about(about).at(self.day.cast_unsigned())
    }

    fn tell<const N: usize>(
        &self,
        minute: u32,
        name: &'static str,
        properties: [(&'static str, Value); N],
    ) -> Happening {
        Happening::event_with(self.number, self.clock.at(self.day, minute), name, properties)
    }

    /// Fatima's year has fixed days; everybody else's is chance.
    fn begins(&self, about: &str, daily: f64) -> bool {
        match (self.number, about) {
            (0, "arrears") => self.day == 38,
            (0, "complaint") => self.day == 66,
            (0, _) => false,
            _ => self.today(about).happens(daily),
        }
    }

    fn arrears(&self, household: &mut Household, noticed: &mut Vec<Happening>) {
        let hardship = 0.0004 + 0.0025 * (1.0 - household.traits.means) * (1.0 - household.traits.means);
        let slip = if household.traits.forgetful { 0.0012 } else { 0.0 };
        match household.now.arrears_since {
            None if self.begins("arrears", hardship + slip) => household.now.arrears_since = Some(self.day),
            Some(since)
                if self.day > since && (self.day - since) % MONTH == 0 && !household.now.payment_plan => {}
            _ => return,
        }
        noticed.push(self.overdue(household));
    }

    /// What is overdue now, as the billing system reports it.
    pub fn overdue(&self, household: &Household) -> Happening {
        let months = household.arrears_months(self.day);
        let amount = (months * household.contract.monthly_amount).round();
        self.tell(
            180,
            "arrears_started",
            [("amount", Value::Number(amount)), ("months", Value::Number(months))],
        )
    }

    fn bill(&self, household: &mut Household, noticed: &mut Vec<Happening>) {
        let yearly = self.chance.about("bill day").below(365);
        let yearly = if self.number == 0 { 22 } else { Day::from(yearly) };
        if self.day.rem_euclid(365) == yearly {
            let increase = self.chance.about("bill increase").between(-12.0, 36.0).round();
            let increase = if self.number == 0 { 27.0 } else { increase };
            household.contract.bill_increase_percent = increase;
            noticed.push(self.tell(200, "bill_sent", [("increase_percent", Value::Number(increase))]));
        }
        let reading_asked = self.day.rem_euclid(365) == (yearly - 20).rem_euclid(365);
        if reading_asked && !household.house.smart_meter {
            household.now.reading_due = true;
            noticed.push(self.tell(210, "meter_reading_asked", []));
        }
    }

    fn meter(&self, household: &mut Household, noticed: &mut Vec<Happening>) {
        if self.begins("refund", 0.0003) && household.now.refund_owed == 0.0 {
            let amount = self.chance.about("refund amount").between(20.0, 90.0).round();
            household.now.refund_owed = amount;
            noticed.push(self.tell(220, "refund_found", [("amount", Value::Number(amount))]));
        }
    }

    fn moving(&self, household: &mut Household, noticed: &mut Vec<Happening>) {
        match household.now.moving {
            None if self.begins("moving", 0.0004) => {
                let date = self.day + 25 + Day::from(self.today("moving date").below(35));
                household.now.moving = Some(date);
                noticed.push(self.tell(
                    600,
                    "move_announced",
                    [("date", Value::Time(self.clock.at(date, 0)))],
                ));
            }
            Some(date) if date <= self.day => {
                household.now.moving = None;
                noticed.push(self.tell(1200, "moved", []));
            }
            _ => {}
        }
    }

    fn bereavement(&self, household: &mut Household, noticed: &mut Vec<Happening>) {
        if household.now.bereaved.is_none() && self.begins("bereavement", 0.0001) {
            household.now.bereaved = Some(self.day);
            noticed.push(self.tell(660, "bereavement_reported", []));
        }
    }

    fn complaint(&self, household: &mut Household, noticed: &mut Vec<Happening>) {
        match household.now.complaint_since {
            None if self.begins("complaint", truth::daily_complaint(household)) => {
                noticed.push(self.complain(household));
            }
            Some(since)
                if self.day - since >= 4
                    && self.day - since
                        >= Day::from(self.chance.about("solved").at(since.cast_unsigned()).below(18)) =>
            {
                household.now.complaint_since = None;
                noticed.push(self.tell(900, "complaint_resolved", []));
            }
            _ => {}
        }
    }

    /// The customer complains, at nine in the morning.
    pub fn complain(&self, household: &mut Household) -> Happening {
        household.now.complaint_since = Some(self.day);
        household.now.apology_owed = true;
        let topics = ["bill", "meter", "contract", "service"];
        let topic = topics[self.today("complaint topic").below(4) as usize];
        let topic = if self.number == 0 { "bill" } else { topic };
        self.tell(540, "complaint_opened", [("topic", Value::Text(topic.into()))])
    }
}
