//! All wording of the readings, Dutch and English side by side. Nothing here decides what is told.

use super::{Aim, Change, Name, Obstacle, Reason, moment_in};
use crate::{
    candidate::{PassedOver, Step},
    consent::Withheld,
    id::Language,
    inputs::Factor,
    record::SilenceReason,
    rules::Layer,
    strategy::{Basis, Texts},
    value::Value,
};
use jiff::tz::TimeZone;

/// The languages that readings are worded in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tongue {
    /// Dutch.
    Dutch,
    /// English.
    English,
}

impl Tongue {
    /// Dutch for `nl` and its regions, else English.
    pub fn of(language: &Language) -> Self {
        match language.as_str().split(['-', '_']).next() {
            Some("nl") => Self::Dutch,
            _ => Self::English,
        }
    }
    /// The Dutch or the English wording.
    pub fn say<'t>(self, dutch: &'t str, english: &'t str) -> &'t str {
        match self {
            Self::Dutch => dutch,
            Self::English => english,
        }
    }
    /// A text of the organisation in this tongue, else in whichever it has.
    pub fn pick(self, texts: &Texts) -> Option<&str> {
        let own = texts.get(self.say("nl", "en")).or_else(|| texts.values().next());
        own.map(|text| text.trim().trim_end_matches('.'))
    }
    /// A name, else the id.
    pub(super) fn name(self, name: &Name) -> &str {
        self.pick(&name.name).unwrap_or(&name.id)
    }
    /// `a, b and c`.
    pub fn list<'n>(self, names: impl IntoIterator<Item = &'n str>) -> String {
        let mut names: Vec<&str> = names.into_iter().collect();
        let Some(last) = names.pop() else {
            return String::new();
        };
        if names.is_empty() {
            return last.to_owned();
        }
        format!("{} {} {last}", names.join(", "), self.say("en", "and"))
    }
    /// Names as a list.
    pub(super) fn names(self, names: &[Name]) -> String {
        self.list(names.iter().map(|name| self.name(name)))
    }
    /// A number with the decimal sign of the language.
    pub fn number(self, number: f64, decimals: usize) -> String {
        let text = format!("{number:.decimals$}");
        match self {
            Self::Dutch => text.replace('.', ","),
            Self::English => text,
        }
    }
    /// An amount in euro, to the cent, finer below a cent.
    pub fn euro(self, amount: f64) -> String {
        let decimals = if amount != 0.0 && amount.abs() < 0.1 { 4 } else { 2 };
        format!("€ {}", self.number(amount, decimals))
    }
    /// A length of time in its largest whole unit.
    pub fn duration(self, length: crate::Duration) -> String {
        duration(self, length.as_secs())
    }
    /// A value as people write it.
    pub fn value(self, value: &Value, zone: &TimeZone) -> String {
        match value {
            Value::Bool(flag) => {
                self.say(["nee", "ja"][usize::from(*flag)], ["no", "yes"][usize::from(*flag)]).into()
            }
            Value::Number(number) => {
                self.number(*number, 6).trim_end_matches('0').trim_end_matches([',', '.']).into()
            }
            Value::Text(text) => format!("‘{text}’"),
            Value::Time(at) => moment_in(zone, *at),
        }
    }
}

pub(super) fn step(tongue: Tongue, step: Step) -> &'static str {
    match step {
        Step::Consent => tongue.say("toestemming", "consent"),
        Step::Catalogue => tongue.say("aanbod", "catalogue"),
        Step::Eligibility => tongue.say("mag het", "may we"),
        Step::Applicability => tongue.say("past het nu", "does it make sense now"),
        Step::Suitability => tongue.say("is het goed voor de klant", "is it good for the customer"),
        Step::Principle => tongue.say("principes", "principles"),
        Step::ContactPolicy => tongue.say("contactbeleid", "contact policy"),
        Step::Arbitration => tongue.say("afweging", "weighing"),
        Step::Integrity => tongue.say("integriteit", "integrity"),
    }
}

pub(super) fn layer(tongue: Tongue, layer: Layer) -> &'static str {
    match layer {
        Layer::Eligibility => step(tongue, Step::Eligibility),
        Layer::Applicability => step(tongue, Step::Applicability),
        Layer::Suitability => step(tongue, Step::Suitability),
    }
}

pub(super) fn withheld(tongue: Tongue, why: Withheld) -> &'static str {
    match why {
        Withheld::NoConsent => tongue.say("er is geen toestemming gegeven", "no consent was given"),
        Withheld::Refused => tongue.say("de toestemming is geweigerd", "consent was refused"),
        Withheld::Withdrawn => tongue.say("de toestemming is ingetrokken", "consent was withdrawn"),
        Withheld::ConsentExpired => tongue.say("de toestemming is verlopen", "consent has expired"),
        Withheld::Objected => tongue.say("er is bezwaar gemaakt", "there is an objection"),
        Withheld::RetentionOver => tongue.say("de bewaartermijn is voorbij", "the retention is over"),
        Withheld::Unreliable => tongue.say("het is niet zeker genoeg", "it is not certain enough"),
        Withheld::SpecialCategory => tongue.say(
            "het is een bijzonder gegeven zonder uitdrukkelijke toestemming",
            "it is special data without explicit consent",
        ),
        Withheld::Restricted => {
            tongue.say("het gebruik van gegevens is beperkt", "the use of data is restricted")
        }
        Withheld::TopicObjected => {
            tongue.say("er is bezwaar tegen dit onderwerp", "there is an objection to this topic")
        }
        Withheld::AttributeObjected => {
            tongue.say("er is bezwaar tegen dit gegeven", "there is an objection to the use of this")
        }
        Withheld::Minor => {
            tongue.say("van minderjarigen maken wij geen profiel", "no profile is made of people under age")
        }
    }
}

/// Why a candidate was dropped, for an employee.
pub(super) fn reason(tongue: Tongue, reason: &Reason) -> String {
    let t = tongue;
    match reason {
        Reason::NoBasis { purpose, because } => {
            format!("{} ({})", withheld(t, *because), t.name(purpose))
        }
        Reason::NotPublishedNow { from, until } => {
            let open = t.say("onbepaald", "open");
            let (from, until) = (from.as_deref().unwrap_or(open), until.as_deref().unwrap_or(open));
            match t {
                Tongue::Dutch => format!("nu niet gepubliceerd (van {from} tot {until})"),
                Tongue::English => format!("not published now (from {from} until {until})"),
            }
        }
        Reason::VolumeUsedUp => t.say("het totale aantal is op", "the total volume is used up").into(),
        Reason::TextUnknown { missing } => {
            format!(
                "{}: {}",
                t.say("de tekst noemt iets onbekends", "the text names something unknown"),
                t.names(missing)
            )
        }
        Reason::Rule { layer: kind, condition, missing, unknown } => {
            let holds = match (unknown, missing.is_empty()) {
                (false, _) => t.say("geldt niet", "does not hold").to_owned(),
                (true, true) => t.say("is niet bekend", "is not known").to_owned(),
                (true, false) => {
                    format!("{} ({})", t.say("is niet bekend", "is not known"), t.names(missing))
                }
            };
            format!("{}: `{condition}` {holds}", layer(t, *kind))
        }
        Reason::Principle { id, owner, reason, unknown, missing, .. } => {
            let why = t.pick(reason).unwrap_or_default();
            let unknown = match (unknown, missing.is_empty()) {
                (false, _) => String::new(),
                (true, true) => {
                    t.say(", want iets is niet bekend", ", because something is not known").into()
                }
                (true, false) => {
                    format!(
                        "{} {}",
                        t.say(", want niet bekend is", ", because this is not known:"),
                        t.names(missing)
                    )
                }
            };
            match t {
                Tongue::Dutch => format!("principe `{id}` van {owner}: {why}{unknown}"),
                Tongue::English => format!("principle `{id}` of {owner}: {why}{unknown}"),
            }
        }
        Reason::Permission { purpose, because, source } => match t {
            Tongue::Dutch => {
                format!("dit kanaal vraagt om ‘{}’: {} ({source})", t.name(purpose), withheld(t, *because))
            }
            Tongue::English => {
                format!("this channel needs ‘{}’: {} ({source})", t.name(purpose), withheld(t, *because))
            }
        },
        Reason::QuietHours { until } => {
            format!("{} {until}", t.say("rusttijd tot", "quiet hours until"))
        }
        Reason::GoalReached { at, until } => match t {
            Tongue::Dutch => format!("het doel is bereikt op {at}; met rust tot {until}"),
            Tongue::English => format!("the goal was reached at {at}; left alone until {until}"),
        },
        Reason::AnswerKnown => t.say("het antwoord is bekend", "the answer is known").to_owned(),
        Reason::AskedBefore { until } => {
            format!(
                "{} {until}",
                t.say("al eens gevraagd; niet opnieuw voor", "asked before; not again until")
            )
        }
        Reason::Paused { pause, until } => {
            let pause = pause.as_deref().unwrap_or(t.say("afgewezen", "rejected"));
            match t {
                Tongue::Dutch => format!("pauze `{pause}`; weer vrij op {until}"),
                Tongue::English => format!("pause `{pause}`; free again at {until}"),
            }
        }
        Reason::ComplaintOpen { since } => {
            format!("{} {since}", t.say("er loopt een klacht sinds", "a complaint is open since"))
        }
        Reason::Limit { id, counted, at_most, within_s, until } => {
            limit(t, id, *counted, *at_most, *within_s, until.as_deref())
        }
        Reason::ValueUnknown { missing } => {
            format!(
                "{} {}",
                t.say("de waarde is niet te bepalen zonder", "its value cannot be known without"),
                t.names(missing)
            )
        }
        Reason::BelowFloor { expected, floor } => {
            let (expected, floor) = (t.euro(f64::from(*expected)), t.euro(f64::from(*floor)));
            match t {
                Tongue::Dutch => {
                    format!("te weinig voor de klant: {expected} verwacht, minstens {floor} nodig")
                }
                Tongue::English => {
                    format!("too little for the customer: {expected} expected, at least {floor} needed")
                }
            }
        }
        Reason::LeftOut { experiment } => match t {
            Tongue::Dutch => {
                format!("hoort niet bij de arm van deze klant in de proef ‘{}’", t.name(experiment))
            }
            Tongue::English => {
                format!("not in this customer's arm of the experiment ‘{}’", t.name(experiment))
            }
        },
        Reason::ControlGroup => t
            .say(
                "de klant is in de controlegroep die niets hoort",
                "the customer is in the control group that hears nothing",
            )
            .into(),
    }
}

/// What rules lack of a customer with more contacts or outcomes than they look through.
pub(super) fn long_history() -> Name {
    let name = [
        ("en", "the history, which is too long to be looked through"),
        ("nl", "de geschiedenis, die te lang is om door te kijken"),
    ];
    Name::new("history", name.map(|(language, text)| (language.into(), text.into())).into())
}

fn limit(t: Tongue, id: &str, counted: u32, at_most: u32, within_s: i64, until: Option<&str>) -> String {
    let window = duration(t, within_s);
    let free = match (t, until) {
        (Tongue::Dutch, Some(until)) => format!("; weer vrij op {until}"),
        (Tongue::English, Some(until)) => format!("; free again at {until}"),
        (_, None) => String::new(),
    };
    match t {
        Tongue::Dutch => format!("limiet `{id}`: {counted} van {at_most} in {window}{free}"),
        Tongue::English => format!("limit `{id}`: {counted} of {at_most} in {window}{free}"),
    }
}

fn duration(t: Tongue, seconds: i64) -> String {
    let units = [
        (86_400, ["dag", "dagen"], ["day", "days"]),
        (3_600, ["uur", "uur"], ["hour", "hours"]),
        (60, ["minuut", "minuten"], ["minute", "minutes"]),
        (1, ["seconde", "seconden"], ["second", "seconds"]),
    ];
    let whole = units.into_iter().find(|(unit, ..)| seconds % unit == 0 && seconds >= *unit);
    let (unit, dutch, english) = whole.unwrap_or(units[3]);
    let count = seconds / unit;
    let plural = usize::from(count != 1);
    format!("{count} {}", t.say(dutch[plural], english[plural]))
}

pub(super) fn passed_over(t: Tongue, why: PassedOver) -> &'static str {
    match why {
        PassedOver::Outranked => t.say("iets anders ging voor", "something else came first"),
        PassedOver::SilenceWorthMore => t.say("stil zijn was meer waard", "saying nothing was worth more"),
        PassedOver::ActionTaken => {
            t.say("hetzelfde staat al op een andere plek", "the same is said at another place")
        }
        PassedOver::GroupTaken => {
            t.say("er is al iets uit deze groep gekozen", "something of its group was chosen already")
        }
        PassedOver::CapacityTaken => t.say(
            "een eerdere plek nam de laatste ruimte in een limiet",
            "an earlier slot took the last room in a limit",
        ),
        PassedOver::ConversationOpen => t.say(
            "er loopt al een gesprek over iets anders uit deze groep",
            "a conversation on something else of its group is open",
        ),
        PassedOver::SlotsFilled => t.say(
            "alle plekken gingen naar een service- of verplicht bericht",
            "every slot went to a service or mandatory message",
        ),
    }
}

/// Why nothing is said, for an employee.
pub(super) fn silence(t: Tongue, why: SilenceReason) -> String {
    match why {
        SilenceReason::NoCandidates => {
            t.say("er bestaat niets voor deze plek", "nothing exists for this place").into()
        }
        SilenceReason::AllDropped(last) => match t {
            Tongue::Dutch => format!("alles viel af, het laatste bij ‘{}’", step(t, last)),
            Tongue::English => format!("everything was dropped, the last at ‘{}’", step(t, last)),
        },
        SilenceReason::WorthMore => t
            .say("niets was de aandacht van de klant waard", "nothing was worth the customer's attention")
            .into(),
        SilenceReason::SlotsTaken => {
            t.say("wat over was staat al op een andere plek", "what was left is said in other slots").into()
        }
        SilenceReason::Chance => t
            .say(
                "het lot koos stilte, om te leren wat stilte doet",
                "chance chose silence, to learn what silence brings",
            )
            .into(),
    }
}

fn factor(t: Tongue, factor: Factor) -> &'static str {
    match factor {
        Factor::Propensity => t.say("de kans", "the propensity"),
        Factor::Value => t.say("de waarde", "the value"),
        Factor::ContextWeight => t.say("het gewicht van het moment", "the weight of the moment"),
        Factor::Lever => t.say("de hefboom", "the lever"),
        Factor::Cost => t.say("kosten en moeheid", "cost and fatigue"),
    }
}

/// A change, for an employee.
pub(super) fn change(t: Tongue, change: &Change, zone: &TimeZone) -> String {
    match change {
        Change::Factor(adjustment) => {
            let what = factor(t, adjustment.factor);
            match adjustment.factor {
                Factor::Value | Factor::Cost => {
                    let sign = if adjustment.by < 0.0 { "−" } else { "+" };
                    format!("{what} {sign} {}", t.euro(adjustment.by.abs()))
                }
                _ => format!("{what} × {}", t.number(adjustment.by, 3)),
            }
        }
        Change::Facts { facts } => {
            let one = |name: &str, from: Option<&Value>, to: &Value| {
                let unknown = || t.say("onbekend", "unknown").to_owned();
                let (from_text, to_text) =
                    (from.map_or_else(unknown, |from| t.value(from, zone)), t.value(to, zone));
                let instead = t.say("in plaats van", "instead of");
                match (from, to) {
                    (Some(Value::Number(from)), Value::Number(to)) if from_text == to_text => {
                        let more = t.say("iets meer dan", "a little more than");
                        let less = t.say("iets minder dan", "a little less than");
                        format!("{name}: {} {from_text}", if to > from { more } else { less })
                    }
                    _ => format!("{name}: {to_text} {instead} {from_text}"),
                }
            };
            let all: Vec<String> =
                facts.iter().map(|fact| one(t.name(&fact.name), fact.from.as_ref(), &fact.to)).collect();
            t.list(all.iter().map(String::as_str))
        }
        Change::Known { names, .. } => {
            format!("{} {}", t.say("als bekend was:", "if this were known:"), t.names(names))
        }
        Change::Consent { purpose, .. } => {
            format!("{} ‘{}’", t.say("toestemming voor", "consent for"), t.name(purpose))
        }
        Change::ComplaintResolved => {
            t.say("als de klacht is opgelost", "once the complaint is resolved").into()
        }
        Change::Wait { until, .. } => format!("{} {until}", t.say("wachten tot", "wait until")),
    }
}

pub(super) fn aim(t: Tongue, aim: Aim) -> &'static str {
    match aim {
        Aim::Preferred { .. } => t.say("zou het beste zijn met", "would be the best with"),
        Aim::NotPreferred { .. } => t.say("zou niet het beste zijn met", "would not be the best with"),
        Aim::Past { .. } => t.say("zou hier niet afvallen met", "would not be dropped here with"),
    }
}

pub(super) fn obstacle(t: Tongue, obstacle: Obstacle) -> &'static str {
    match obstacle {
        Obstacle::OtherChoices(why) => passed_over(t, why),
        Obstacle::NotDrawn => t.say("deze plek wordt niet afgewogen", "this place is not weighed"),
        Obstacle::ExactTie => t.say(
            "precies evenveel waard als het beste; de volgorde besliste",
            "worth exactly as much as the best; the order decided",
        ),
        Obstacle::OutOfReach => {
            t.say("geen redelijke verandering is genoeg", "no reasonable change is enough")
        }
        Obstacle::NotRecognised => t.say("wij wisten niet wie het was", "we did not know who it was"),
        Obstacle::NotByFacts => t.say(
            "het ligt niet aan een gegeven dat anders kan zijn",
            "it does not rest on a fact that could be different",
        ),
        Obstacle::NoLongerPublished => t.say("het is niet meer gepubliceerd", "it is no longer published"),
        Obstacle::Volume => t.say("iemand moet meer toestaan", "somebody would have to allow more"),
        Obstacle::OwnChoice => t.say("de klant vroeg er zelf om", "the customer asked for it themself"),
        Obstacle::ControlGroup => {
            t.say("de controlegroep is er om te meten", "the control group is there to measure")
        }
        Obstacle::Experiment => t.say("de proef is er om te meten", "the experiment is there to measure"),
        Obstacle::NeverAllowed => t.say("dit mag hier nooit", "this is never allowed here"),
        Obstacle::TooMany => t.say(
            "niet uitgezocht: te veel kandidaten, andere kwamen dichterbij",
            "not looked for: too many candidates, others came nearer",
        ),
    }
}

/// What is expected of data use, for the customer: what they can do about this purpose.
pub(super) fn right(t: Tongue, basis: Basis, purpose: &str) -> String {
    match (t, basis) {
        (Tongue::Dutch, Basis::Consent) => {
            format!(
                "U gaf ons toestemming voor ‘{purpose}’. Die kunt u op elk moment intrekken; wij houden ons er meteen aan."
            )
        }
        (Tongue::English, Basis::Consent) => {
            format!(
                "You gave us your consent for ‘{purpose}’. You can withdraw it at any moment; we act on it at once."
            )
        }
        (Tongue::Dutch, Basis::LegitimateInterests | Basis::PublicTask) => {
            format!("U kunt bezwaar maken tegen ‘{purpose}’. Dan stoppen wij ermee.")
        }
        (Tongue::English, Basis::LegitimateInterests | Basis::PublicTask) => {
            format!("You can object to ‘{purpose}’. Then we stop.")
        }
        (Tongue::Dutch, Basis::Contract) => {
            format!("Dit hoort bij onze afspraak met u: ‘{purpose}’.")
        }
        (Tongue::English, Basis::Contract) => {
            format!("This is part of our agreement with you: ‘{purpose}’.")
        }
        (Tongue::Dutch, Basis::LegalObligation | Basis::VitalInterests) => {
            format!("Dit hoort bij wat de wet van ons vraagt: ‘{purpose}’.")
        }
        (Tongue::English, Basis::LegalObligation | Basis::VitalInterests) => {
            format!("This belongs to what the law asks of us: ‘{purpose}’.")
        }
    }
}
