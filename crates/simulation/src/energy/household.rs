//! Who lives in the energy world: facts the supplier sees, and traits nobody sees.
//!
//! Traits decide how a customer reacts; they show only through facts and behaviour. What happens to
//! a customer during the simulation is in [`super::life`].

use super::topic::Topic;
use crate::chance::Chance;
use std::collections::BTreeMap;

/// Days from the start of the world; negative before it.
pub type Day = i64;

/// What no system records, each between 0 and 1 unless said otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Traits {
    /// How easily the bill is paid.
    pub means: f64,
    /// Liking for screens and gadgets.
    pub digital: f64,
    /// Wish to use less energy.
    pub green: f64,
    /// Pays late because the bill slipped the mind, not for lack of money.
    pub forgetful: bool,
    /// Would stay whatever we say.
    pub loyal: bool,
    /// Attention for e-mail, a factor around 1.
    pub reads_mail: f64,
}

/// A house and its meters.
#[derive(Debug, Clone, PartialEq)]
pub struct House {
    /// Owned rather than rented.
    pub owned: bool,
    /// The customer told us so.
    pub ownership_told: bool,
    /// `apartment`, `terraced` or `detached`.
    pub dwelling: &'static str,
    /// `gas`, `heat_pump`, `district` or `electric`.
    pub heating: &'static str,
    /// The customer told us so.
    pub heating_told: bool,
    /// The year of the boiler.
    pub boiler_year: u32,
    /// The year a data supplier thinks it is from.
    pub boiler_year_estimate: u32,
    /// Solar panels on the roof.
    pub solar: bool,
    /// A smart meter.
    pub smart_meter: bool,
    /// Cubic metres of gas per year.
    pub gas_m3: f64,
    /// Kilowatt-hours per year.
    pub electricity_kwh: f64,
    /// Per cent above similar homes.
    pub above_normal_percent: f64,
}

/// The relation with the supplier.
#[derive(Debug, Clone, PartialEq)]
pub struct Contract {
    /// `fixed`, `variable` or `dynamic`.
    pub kind: &'static str,
    /// The day a fixed contract ends.
    pub ends: Day,
    /// Euro per month.
    pub monthly_amount: f64,
    /// The first day.
    pub since: Day,
    /// Per cent the last bill went up.
    pub bill_increase_percent: f64,
    /// Uses the app.
    pub app_user: bool,
    /// The last visit to website or app.
    pub last_visit: Day,
    /// Agreed to personal offers.
    pub offers_agreed: bool,
    /// Agreed to be called with offers.
    pub calls_agreed: bool,
    /// Objected to advice.
    pub advice_refused: bool,
}

/// What is going on now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Circumstances {
    /// The day arrears began.
    pub arrears_since: Option<Day>,
    /// A payment plan runs.
    pub payment_plan: bool,
    /// The municipality helps.
    pub debt_help: bool,
    /// The complaint that is open began on this day.
    pub complaint_since: Option<Day>,
    /// An apology is owed.
    pub apology_owed: bool,
    /// Euro owed to the customer.
    pub refund_owed: f64,
    /// The day of a move.
    pub moving: Option<Day>,
    /// A death was reported on this day.
    pub bereaved: Option<Day>,
    /// A reading is due.
    pub reading_due: bool,
    /// The meter is recalled.
    pub recalled: bool,
    /// Medical equipment, told with consent.
    pub medical_equipment: bool,
    /// Asked us to stop.
    pub stopped: bool,
    /// Said to worry about the bill.
    pub worried: bool,
}

/// One message that reached a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// When.
    pub day: Day,
    /// What about.
    pub topic: Topic,
    /// It had something to say to this customer.
    pub relevant: bool,
}

/// One customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Household {
    /// The name people use.
    pub name: &'static str,
    /// Hidden.
    pub traits: Traits,
    /// The house.
    pub house: House,
    /// The relation.
    pub contract: Contract,
    /// What is going on.
    pub now: Circumstances,
    /// When each goal was last reached.
    pub reached: BTreeMap<Topic, Day>,
    /// What was said, in order.
    pub heard: Vec<Heard>,
}

const NAMES: [&str; 24] = [
    "Anna", "Bram", "Chantal", "Daan", "Emre", "Floor", "Gijs", "Hanna", "Imane", "Joost", "Karin", "Lars",
    "Mila", "Noor", "Omar", "Petra", "Quinten", "Rosa", "Sem", "Tess", "Umar", "Vera", "Willem", "Yara",
];

impl Household {
    /// Customer `number` of a world; number 0 is Fatima de Vries in every world.
    pub fn new(world: Chance, number: usize) -> Self {
        let chance = world.about("household").at(number as u64);
        if number == 0 {
            return Self::fatima(chance);
        }
        let traits = traits(chance.about("traits"));
        let house = house(chance.about("house"), &traits);
        let contract = contract(chance.about("contract"), &traits, &house);
        let now = circumstances(chance.about("now"), &traits, &house);
        let name = NAMES[chance.about("name").below(NAMES.len() as u32) as usize];
        Self { name, traits, house, contract, now, reached: BTreeMap::new(), heard: Vec::new() }
    }

    /// A teacher with a terraced house and old windows, whose bill goes up this year.
    fn fatima(chance: Chance) -> Self {
        let traits =
            Traits { means: 0.35, digital: 0.6, green: 0.8, forgetful: false, loyal: false, reads_mail: 1.2 };
        let house = House {
            owned: true,
            ownership_told: true,
            dwelling: "terraced",
            heating: "gas",
            heating_told: false,
            boiler_year: 2009,
            boiler_year_estimate: 2011,
            solar: false,
            smart_meter: true,
            gas_m3: 1840.0,
            electricity_kwh: 2650.0,
            above_normal_percent: 18.0,
        };
        let contract = Contract {
            kind: "fixed",
            ends: 95,
            monthly_amount: 212.0,
            since: -1500,
            bill_increase_percent: 6.0,
            app_user: true,
            last_visit: -20,
            offers_agreed: true,
            calls_agreed: false,
            advice_refused: false,
        };
        let now = circumstances(chance, &Traits { means: 1.0, ..traits.clone() }, &house);
        let now = Circumstances {
            arrears_since: None,
            refund_owed: 0.0,
            recalled: false,
            medical_equipment: false,
            ..now
        };
        Self { name: "Fatima", traits, house, contract, now, reached: BTreeMap::new(), heard: Vec::new() }
    }

    /// Months in arrears on `day`, 0 when nothing is overdue.
    pub fn arrears_months(&self, day: Day) -> f64 {
        self.now.arrears_since.map_or(0.0, |since| 1.0 + (day - since).div_euclid(30) as f64)
    }

    /// What was heard in the last `days` days, latest first.
    pub fn heard_within(&self, day: Day, days: Day) -> impl Iterator<Item = &Heard> {
        self.heard.iter().rev().take_while(move |heard| heard.day > day - days)
    }

    /// Having a hard time, in a way an offer would make worse.
    pub fn in_hard_times(&self, day: Day) -> bool {
        let mourning = self.now.bereaved.is_some_and(|since| day - since < 180);
        self.now.arrears_since.is_some()
            || self.now.complaint_since.is_some()
            || self.now.debt_help
            || mourning
    }
}

fn traits(chance: Chance) -> Traits {
    Traits {
        means: chance.about("means").uniform(),
        digital: chance.about("digital").uniform(),
        green: chance.about("green").uniform(),
        forgetful: chance.about("forgetful").happens(0.4),
        loyal: chance.about("loyal").happens(0.5),
        reads_mail: chance.about("mail").between(0.4, 1.6),
    }
}

fn house(chance: Chance, traits: &Traits) -> House {
    let owned = chance.about("owned").happens(0.35 + 0.5 * traits.means);
    let apartment = if owned { 0.2 } else { 0.6 };
    let dwelling = match chance.about("dwelling").uniform() {
        u if u < apartment => "apartment",
        u if u < apartment + 0.65 * (1.0 - apartment) => "terraced",
        _ => "detached",
    };
    let heating = match chance.about("heating").uniform() {
        u if u < 0.76 => "gas",
        u if u < 0.86 => "district",
        u if u < 0.95 => "heat_pump",
        _ => "electric",
    };
    let size = match dwelling {
        "apartment" => 0.6,
        "terraced" => 1.0,
        _ => 1.7,
    };
    let gas = 1250.0 * size * chance.about("gas").between(0.6, 1.4);
    let boiler_year = 2005 + chance.about("boiler").below(19);
    let heated_by_power = matches!(heating, "heat_pump" | "electric");
    House {
        owned,
        ownership_told: chance.about("ownership_told").happens(0.7),
        dwelling,
        heating,
        heating_told: chance.about("heating_told").happens(0.6),
        boiler_year,
        boiler_year_estimate: boiler_year + chance.about("boiler_estimate").below(7) - 3,
        solar: owned && dwelling != "apartment" && chance.about("solar").happens(0.25 + 0.25 * traits.green),
        smart_meter: chance.about("smart").happens(0.85),
        gas_m3: if heating == "gas" { gas.round() } else { 0.0 },
        electricity_kwh: (2500.0 * size * chance.about("power").between(0.6, 1.5)
            + if heated_by_power { 2500.0 } else { 0.0 })
        .round(),
        above_normal_percent: chance.about("above").between(-25.0, 35.0).round(),
    }
}

fn contract(chance: Chance, traits: &Traits, house: &House) -> Contract {
    let kind = match chance.about("kind").uniform() {
        u if u < 0.6 => "fixed",
        u if u < 0.93 => "variable",
        _ => "dynamic",
    };
    let years = if traits.loyal { (2.0, 15.0) } else { (0.1, 6.0) };
    let bill = 30.0 + house.gas_m3 * 0.11 + house.electricity_kwh * 0.022;
    let app_user = chance.about("app").happens(0.1 + 0.7 * traits.digital);
    let quiet = chance.about("away").happens(if app_user { 0.05 } else { 0.3 });
    Contract {
        kind,
        ends: chance.about("ends").between(-20.0, 345.0) as Day,
        monthly_amount: bill.round(),
        since: -(365.0 * chance.about("since").between(years.0, years.1)) as Day,
        bill_increase_percent: chance.about("bill").between(-10.0, 30.0).round(),
        app_user,
        last_visit: -(chance.about("visit").between(1.0, if quiet { 340.0 } else { 40.0 }) as Day),
        offers_agreed: chance.about("offers").happens(0.6),
        calls_agreed: chance.about("calls").happens(0.1),
        advice_refused: chance.about("advice").happens(0.03),
    }
}

fn circumstances(chance: Chance, traits: &Traits, house: &House) -> Circumstances {
    let behind = chance.about("arrears").happens(0.10 * (1.0 - traits.means));
    let refunded = chance.about("refund").happens(0.04);
    Circumstances {
        arrears_since: behind.then(|| -(chance.about("since").below(100) as Day)),
        refund_owed: if refunded { chance.about("amount").between(20.0, 90.0).round() } else { 0.0 },
        reading_due: !house.smart_meter && chance.about("reading").happens(0.1),
        recalled: chance.about("recall").happens(0.012),
        medical_equipment: chance.about("medical").happens(0.01),
        ..Circumstances::default()
    }
}
