//! What is true in the energy world: what happens on its own, and what saying something changes.
//!
//! The engine never sees this; it sees events. Every number here is an invention, with the structure a
//! supplier would recognise: help with arrears works early, half of those who renew would have renewed
//! anyway, a heat pump interests owners who burn much gas, and too many messages annoy.

use super::household::{Day, Household};
use super::topic::Topic;

/// The truth about saying one thing to one customer on one day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Truth {
    /// P(goal within its window), when it is said.
    pub goal_if_acted: f64,
    /// P(goal within its window), when nothing is said.
    pub goal_if_not: f64,
    /// P(complaint within 14 days), when it is said.
    pub complaint_if_acted: f64,
    /// P(complaint within 14 days), when nothing is said.
    pub complaint_if_not: f64,
    /// P(the customer asks us to stop), when it is said; without a message it does not happen.
    pub opt_out_if_acted: f64,
    /// P(the customer says it is not relevant), where that can be said.
    pub rejected_if_acted: f64,
    /// Mean days until the goal that the message brings about.
    pub mean_delay_days: f64,
}

/// Euro in both ledgers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Worth {
    /// For the customer.
    pub customer: f64,
    /// For the organisation.
    pub organisation: f64,
}

/// What a complaint costs.
pub const COMPLAINT: Worth = Worth { customer: -15.0, organisation: -40.0 };
/// What losing the customer's ear costs.
pub const OPT_OUT: Worth = Worth { customer: -1.0, organisation: -20.0 };
/// How fast irrelevant messages make people stop reading.
const NOISE: f64 = 0.35;
/// Window of complaints, in days.
const COMPLAINT_DAYS: f64 = 14.0;

/// The truth about `topic` said to `household` on `channel` on `day`.
pub fn truth(household: &Household, topic: Topic, channel: &str, day: Day) -> Truth {
    let brought = brought_about(household, topic, channel, day);
    let alone = over_days(daily_chance(household, topic, day), f64::from(topic.within_days()));
    let complaint_if_not = over_days(daily_complaint(household), COMPLAINT_DAYS);
    let complaint = complaint_brought_about(household, topic, day);
    Truth {
        goal_if_acted: 1.0 - (1.0 - alone) * (1.0 - brought),
        goal_if_not: alone,
        complaint_if_acted: 1.0 - (1.0 - complaint_if_not) * (1.0 - complaint),
        complaint_if_not,
        opt_out_if_acted: opt_out_brought_about(household, topic, day),
        rejected_if_acted: rejected(household, topic, day),
        mean_delay_days: topic.mean_delay_days(),
    }
}

fn over_days(daily: f64, days: f64) -> f64 {
    1.0 - libm::pow(1.0 - daily, days)
}

/// Whether the customer can still reach the goal: the need exists and is not met.
pub fn open(household: &Household, topic: Topic, day: Day) -> bool {
    use Topic::*;
    let (house, contract, now) = (&household.house, &household.contract, &household.now);
    let months = household.arrears_months(day);
    let needed = match topic {
        FirstReminder => months > 0.0 && !now.payment_plan,
        PaymentPlan => months > 0.0 && !now.payment_plan && !now.debt_help,
        DebtHelp => months >= 3.0 && !now.debt_help,
        ExplainBill => contract.bill_increase_percent >= 10.0,
        AdjustInstalment => house.above_normal_percent >= 8.0 || contract.bill_increase_percent >= 20.0,
        EnergyFund => now.worried || months >= 2.0,
        OneContact => now.bereaved.is_some_and(|since| day - since < 180),
        ArrangeMove => now.moving.is_some_and(|date| date - day < 60),
        SendReading => now.reading_due,
        ReplaceMeter => now.recalled,
        RefundOwed => now.refund_owed > 0.0,
        Apologise => now.apology_owed,
        Progress => now.complaint_since.is_some(),
        PriorityContact => now.medical_equipment,
        HeatPumpTalk => house.owned && house.heating == "gas",
        BoilerCheck | BoilerCare => house.heating == "gas",
        InsulationScan => house.owned && house.dwelling != "apartment",
        SolarUse => house.solar,
        SavingPlan => house.above_normal_percent >= 0.0,
        RenewFixed | KeepFlexible => contract.kind == "fixed" && (-30..60).contains(&(contract.ends - day)),
        DynamicTariff => house.smart_meter && contract.kind == "variable",
        SolarPanels => house.owned && !house.solar && house.dwelling != "apartment",
        AskHeating => !house.heating_told,
        AskOwnership => !house.ownership_told,
        AskManaging => !now.worried,
        WelcomeBack => day - contract.last_visit > 90,
        InstallApp => !contract.app_user,
    };
    needed && household.reached.get(&topic).is_none_or(|at| day - at >= met_for_days(topic))
}

fn met_for_days(topic: Topic) -> Day {
    match topic {
        Topic::Progress => 7,
        Topic::FirstReminder => 30,
        Topic::SavingPlan | Topic::SolarUse | Topic::ExplainBill => 45,
        Topic::Apologise | Topic::SendReading => 60,
        Topic::WelcomeBack | Topic::AdjustInstalment | Topic::AskManaging => 90,
        _ => 365,
    }
}

/// Probability that the goal is reached today without any message, 0 when the need is not open.
pub fn daily_chance(household: &Household, topic: Topic, day: Day) -> f64 {
    use Topic::*;
    if !open(household, topic, day) {
        return 0.0;
    }
    let (traits, contract) = (&household.traits, &household.contract);
    match topic {
        FirstReminder if traits.forgetful => 0.04,
        FirstReminder => 0.004 + 0.01 * traits.means,
        PaymentPlan => 0.002,
        DebtHelp | EnergyFund | PriorityContact => 0.0006,
        ExplainBill => 0.003,
        AdjustInstalment => 0.0012,
        OneContact => 0.008,
        ArrangeMove => 0.015,
        SendReading => 0.012,
        ReplaceMeter => 0.006,
        RefundOwed => 0.0004,
        Apologise => 0.004,
        Progress => 0.02,
        HeatPumpTalk | BoilerCheck | InsulationScan => 0.0003,
        SolarUse | SavingPlan => 0.0006,
        RenewFixed if traits.loyal => 0.022,
        RenewFixed => 0.003,
        KeepFlexible => 0.002,
        DynamicTariff | SolarPanels | BoilerCare => 0.0003,
        AskHeating | AskOwnership | AskManaging => 0.0002,
        WelcomeBack => 0.002,
        InstallApp if contract.since > -120 => 0.003,
        InstallApp => 0.0005,
    }
}

/// Probability that saying it brings the goal about, on top of what would happen anyway.
pub fn brought_about(household: &Household, topic: Topic, channel: &str, day: Day) -> f64 {
    if !open(household, topic, day) {
        return 0.0;
    }
    let heard = || household.heard_within(day, 60);
    let repeated = heard().filter(|heard| heard.topic == topic).count();
    let noise = heard().filter(|heard| !heard.relevant).count();
    let lately = household.heard_within(day, 14).count();
    let freshness = libm::pow(0.75, repeated as f64) * (1.0 - 0.05 * lately as f64).max(0.4);
    let trust = 1.0 / (1.0 + NOISE * noise as f64);
    let landing = fit(household, topic, day) * attention(household, topic, channel);
    (landing * freshness * trust).min(0.9)
}

/// How well a first message about `topic` lands with this customer, a probability.
fn fit(household: &Household, topic: Topic, day: Day) -> f64 {
    use Topic::*;
    let (traits, house, contract, now) =
        (&household.traits, &household.house, &household.contract, &household.now);
    let months = household.arrears_months(day);
    match topic {
        FirstReminder if traits.forgetful => 0.35,
        FirstReminder => 0.03,
        PaymentPlan if months < 2.0 => 0.28,
        PaymentPlan if months < 3.0 => 0.16,
        PaymentPlan => 0.04,
        DebtHelp => 0.10 * (1.3 - traits.means),
        ExplainBill if contract.bill_increase_percent >= 22.0 => 0.35,
        ExplainBill => 0.03,
        AdjustInstalment if house.above_normal_percent >= 20.0 => 0.25,
        AdjustInstalment => 0.01,
        EnergyFund if traits.means < 0.4 => 0.16,
        EnergyFund => 0.01,
        OneContact => 0.35,
        ArrangeMove | SendReading => 0.3,
        ReplaceMeter => 0.35,
        RefundOwed => 0.25 + (now.refund_owed / 1000.0).min(0.2),
        Apologise | Progress => 0.4,
        PriorityContact => 0.4,
        HeatPumpTalk if house.gas_m3 >= 1500.0 => 0.08 + 0.08 * traits.green,
        HeatPumpTalk => 0.003,
        BoilerCheck if house.boiler_year < 2013 => 0.18,
        BoilerCheck => 0.006,
        InsulationScan if house.dwelling == "detached" => 0.16,
        InsulationScan => 0.006,
        SolarUse if contract.app_user => 0.22,
        SolarUse => 0.02,
        SavingPlan if house.above_normal_percent >= 18.0 => 0.24,
        SavingPlan => 0.008,
        RenewFixed if traits.loyal => 0.04,
        RenewFixed => 0.10,
        KeepFlexible if contract.since > -700 => 0.14,
        KeepFlexible => 0.008,
        DynamicTariff if house.electricity_kwh >= 3500.0 => 0.07 + 0.07 * traits.digital,
        DynamicTariff => 0.002,
        SolarPanels if house.electricity_kwh >= 3200.0 && house.dwelling == "detached" => 0.12,
        SolarPanels => 0.003,
        BoilerCare if house.owned && house.boiler_year < 2013 => 0.12,
        BoilerCare => 0.004,
        AskHeating | AskOwnership => 0.2,
        AskManaging if traits.means < 0.4 => 0.22,
        AskManaging => 0.04,
        WelcomeBack => 0.3,
        InstallApp => 0.01 + 0.09 * traits.digital,
    }
}

/// How much of a message reaches this customer on this channel, a factor around 1.
fn attention(household: &Household, topic: Topic, channel: &str) -> f64 {
    let heavy = matches!(topic.issue(), "care" | "service");
    match channel {
        "email" => household.traits.reads_mail * 0.8,
        "web" => 0.9,
        "app" => 1.0 + 0.3 * household.traits.digital,
        "letter" if heavy => 1.4 - 0.4 * household.traits.digital,
        "letter" => 0.8,
        "call_centre" | "shop" if heavy => 1.7,
        "call_centre" | "shop" => 1.1,
        _ => 0.0,
    }
}

/// Probability of a complaint today without any message.
pub fn daily_complaint(household: &Household) -> f64 {
    let quiet = household.now.complaint_since.is_none();
    let shock = if household.contract.bill_increase_percent >= 22.0 { 2.0 } else { 1.0 };
    if quiet { 0.00025 * shock } else { 0.0 }
}

/// Probability that saying it brings about a complaint.
pub fn complaint_brought_about(household: &Household, topic: Topic, day: Day) -> f64 {
    if household.now.complaint_since.is_some() {
        return 0.0;
    }
    let tactless = match topic.issue() {
        "sales" if household.in_hard_times(day) => 0.03,
        "sales" if household.now.refund_owed > 0.0 || household.now.apology_owed => 0.012,
        _ => 0.0,
    };
    0.0004 + tactless + 0.0006 * crowding(household, day)
}

/// Probability that saying it makes the customer ask us to stop.
pub fn opt_out_brought_about(household: &Household, topic: Topic, day: Day) -> f64 {
    let wanted = matches!(topic.issue(), "care" | "service");
    if wanted || household.now.stopped {
        return 0.0;
    }
    0.0006 + 0.0012 * crowding(household, day) + if misses(household, topic, day) { 0.003 } else { 0.0 }
}

/// Probability that the customer says that it is not relevant.
pub fn rejected(household: &Household, topic: Topic, day: Day) -> f64 {
    if misses(household, topic, day) { 0.07 } else { 0.015 }
}

fn misses(household: &Household, topic: Topic, day: Day) -> bool {
    !relevant(household, topic, day)
}

/// Whether the message has something to say to this customer.
pub fn relevant(household: &Household, topic: Topic, day: Day) -> bool {
    open(household, topic, day) && fit(household, topic, day) >= 0.025
}

/// Messages beyond the fourth in two weeks.
fn crowding(household: &Household, day: Day) -> f64 {
    household.heard_within(day, 14).count().saturating_sub(4) as f64
}

/// What reaching the goal is worth to this customer and to the organisation, in euro.
pub fn worth(household: &Household, topic: Topic) -> Worth {
    use Topic::*;
    let (house, contract) = (&household.house, &household.contract);
    let (customer, organisation) = match topic {
        FirstReminder => (12.0, 10.0),
        PaymentPlan => (60.0, 40.0),
        DebtHelp => (90.0, 40.0),
        ExplainBill => (10.0, 8.0),
        AdjustInstalment => (35.0, 12.0),
        EnergyFund => (70.0, 15.0),
        OneContact => (45.0, 10.0),
        ArrangeMove => (30.0, 45.0),
        SendReading => (6.0, 8.0),
        ReplaceMeter => (60.0, 30.0),
        RefundOwed => (household.now.refund_owed, 5.0),
        Apologise => (20.0, 45.0),
        Progress => (6.0, 9.0),
        PriorityContact => (90.0, 10.0),
        HeatPumpTalk => (20.0 + 0.04 * house.gas_m3, 30.0),
        BoilerCheck => (25.0, 8.0),
        InsulationScan => (10.0 + 0.03 * house.gas_m3, 12.0),
        SolarUse => (30.0, 6.0),
        SavingPlan => (0.2 * contract.monthly_amount, 4.0),
        RenewFixed => (25.0, 10.0 + 0.25 * contract.monthly_amount),
        KeepFlexible => (22.0, 14.0),
        DynamicTariff => (45.0, 22.0),
        SolarPanels => (35.0, 55.0),
        BoilerCare => (15.0, 40.0),
        AskHeating => (4.0, 3.0),
        AskOwnership => (3.0, 3.0),
        AskManaging => (6.0, 2.0),
        WelcomeBack => (2.0, 2.0),
        InstallApp => (4.0, 6.0),
    };
    Worth { customer, organisation }
}
