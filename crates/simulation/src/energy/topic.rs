//! What can be talked about in the energy world, and which event shows that it helped.
//!
//! The names are those of the strategy in `worlds/energy`; a test holds the two together.

macro_rules! topics {
    ($($(#[$doc:meta])* $topic:ident = $action:literal, $event:literal, $within:literal, $delay:literal;)*) => {
        /// A subject of conversation: one action of the strategy.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Topic { $($(#[$doc])* $topic,)* }

        impl Topic {
            /// All topics, by issue.
            pub const ALL: &'static [Self] = &[$(Self::$topic,)*];

            /// The action's path.
            pub fn action(self) -> &'static str {
                match self { $(Self::$topic => $action,)* }
            }
            /// The event that shows the goal.
            pub fn event(self) -> &'static str {
                match self { $(Self::$topic => $event,)* }
            }
            /// Days after the contact within which the goal counts.
            pub fn within_days(self) -> u32 {
                match self { $(Self::$topic => $within,)* }
            }
            /// Mean number of days between the contact and the goal it brings about.
            pub fn mean_delay_days(self) -> f64 {
                match self { $(Self::$topic => $delay,)* }
            }
        }
    };
}

topics! {
    /// One month forgotten.
    FirstReminder = "care/arrears/first_reminder", "arrears_cleared", 14, 2.0;
    /// Paying in steps.
    PaymentPlan = "care/arrears/payment_plan", "payment_plan_agreed", 21, 4.0;
    /// Municipal debt help.
    DebtHelp = "care/arrears/debt_help", "debt_help_accepted", 28, 9.0;
    /// Understanding a high bill.
    ExplainBill = "care/bill/explain_bill", "bill_explained", 14, 1.0;
    /// An instalment that fits.
    AdjustInstalment = "care/bill/adjust_instalment", "instalment_changed", 21, 4.0;
    /// Help from the fund.
    EnergyFund = "care/bill/energy_fund", "energy_fund_requested", 28, 8.0;
    /// One person after a death.
    OneContact = "care/loss/one_contact", "loss_arranged", 28, 8.0;
    /// A move.
    ArrangeMove = "service/moving/arrange_move", "move_arranged", 28, 5.0;
    /// A reading.
    SendReading = "service/meter/send_reading", "meter_reading_sent", 14, 2.0;
    /// A recalled meter.
    ReplaceMeter = "service/meter/replace_meter", "meter_replaced", 28, 9.0;
    /// Money owed.
    RefundOwed = "service/refund/refund_owed", "refund_claimed", 28, 5.0;
    /// An apology.
    Apologise = "service/complaint/apologise", "apology_accepted", 14, 3.0;
    /// How a complaint stands.
    Progress = "service/complaint/progress", "complaint_progress_read", 7, 1.0;
    /// A number for power cuts.
    PriorityContact = "service/outage/priority_contact", "outage_number_given", 28, 6.0;
    /// A heat pump.
    HeatPumpTalk = "advice/heating/heat_pump_talk", "heat_pump_talk_booked", 28, 8.0;
    /// The boiler's settings.
    BoilerCheck = "advice/heating/boiler_check", "boiler_check_booked", 28, 6.0;
    /// Insulation.
    InsulationScan = "advice/home/insulation_scan", "home_scan_booked", 28, 7.0;
    /// Own sun.
    SolarUse = "advice/home/solar_use", "solar_use_started", 21, 3.0;
    /// Saving.
    SavingPlan = "advice/saving/saving_plan", "saving_plan_started", 21, 3.0;
    /// Renewal at a fixed price.
    RenewFixed = "sales/contract/renew_fixed", "contract_renewed", 28, 6.0;
    /// Staying flexible.
    KeepFlexible = "sales/contract/keep_flexible", "contract_kept_flexible", 28, 5.0;
    /// A price per hour.
    DynamicTariff = "sales/tariff/dynamic_tariff", "dynamic_tariff_joined", 28, 8.0;
    /// Solar panels.
    SolarPanels = "sales/home/solar_panels", "solar_quote_requested", 28, 9.0;
    /// Boiler maintenance.
    BoilerCare = "sales/home/boiler_care", "boiler_care_joined", 28, 7.0;
    /// A question about heating.
    AskHeating = "questions/home/heating_type", "heating_told", 14, 1.0;
    /// A question about the home.
    AskOwnership = "questions/home/home_ownership", "ownership_told", 14, 1.0;
    /// A question about the bill.
    AskManaging = "questions/care/how_are_you_managing", "budget_told", 14, 1.0;
    /// Recognition.
    WelcomeBack = "relation/welcome/welcome_back", "account_used", 7, 1.0;
    /// The app.
    InstallApp = "relation/welcome/install_app", "app_installed", 14, 2.0;
}

impl Topic {
    /// The topic of an action; `None` for a path this world does not know.
    pub fn of_action(action: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|topic| topic.action() == action)
    }

    /// The action's issue.
    pub fn issue(self) -> &'static str {
        self.action().split('/').next().unwrap_or_default()
    }
}
