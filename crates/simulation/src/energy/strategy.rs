//! The energy world's strategy, as it stands in `worlds/energy/strategy`, built into the binary.
//!
//! A demo needs no folder then; a test keeps this list and the folder the same.

use decision::strategy::Files;

macro_rules! files {
    ($($path:literal,)*) => {
        const FILES: &[(&str, &str)] =
            &[$(($path, include_str!(concat!("../../../../worlds/energy/strategy/", $path))),)*];
    };
}

files! {
    "actions/advice/heating/boiler_check.toml",
    "actions/advice/heating/heat_pump_talk.toml",
    "actions/advice/home/insulation_scan.toml",
    "actions/advice/home/solar_use.toml",
    "actions/advice/saving/saving_plan.toml",
    "actions/care/arrears/debt_help.toml",
    "actions/care/arrears/first_reminder.toml",
    "actions/care/arrears/payment_plan.toml",
    "actions/care/bill/adjust_instalment.toml",
    "actions/care/bill/energy_fund.toml",
    "actions/care/bill/explain_bill.toml",
    "actions/care/loss/one_contact.toml",
    "actions/questions/care/how_are_you_managing.toml",
    "actions/questions/home/heating_type.toml",
    "actions/questions/home/home_ownership.toml",
    "actions/relation/welcome/install_app.toml",
    "actions/relation/welcome/welcome_back.toml",
    "actions/sales/contract/keep_flexible.toml",
    "actions/sales/contract/renew_fixed.toml",
    "actions/sales/home/boiler_care.toml",
    "actions/sales/home/solar_panels.toml",
    "actions/sales/tariff/dynamic_tariff.toml",
    "actions/service/complaint/apologise.toml",
    "actions/service/complaint/progress.toml",
    "actions/service/meter/replace_meter.toml",
    "actions/service/meter/send_reading.toml",
    "actions/service/moving/arrange_move.toml",
    "actions/service/outage/priority_contact.toml",
    "actions/service/refund/refund_owed.toml",
    "channels.toml",
    "contact-policy.toml",
    "experiments/quieter_sales.toml",
    "inventory/care.toml",
    "inventory/contract.toml",
    "inventory/customer.toml",
    "inventory/events.toml",
    "inventory/home.toml",
    "organisation.toml",
    "permissions.toml",
    "placements.toml",
    "principles/care-first.toml",
    "principles/questions.toml",
    "principles/tone.toml",
    "purposes.toml",
    "tests/arbitration.toml",
    "tests/consent.toml",
    "tests/contact-policy.toml",
    "tests/principles.toml",
    "tests/rules.toml",
}

/// The strategy's files.
pub fn strategy() -> Files {
    Files(FILES.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
}
