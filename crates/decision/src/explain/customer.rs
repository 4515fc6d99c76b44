//! The customer's reading: why did I see this, or nothing, what of mine was used, what can I do?
//!
//! It names only facts the customer gave or can see for themself, never another candidate, never what
//! anything is worth, never a score. Of somebody who was not recognised it claims nothing.

use super::{
    CandidateExplanation, Chosen, Explanation, Outcome, Reason, SlotExplanation, is_own_choice,
    texts::{self, Tongue},
};
use crate::{consent::Withheld, id::Language, inputs::Assignment, profile::Source, record::SilenceReason};
use serde::Serialize;

/// Most reasons told for saying nothing.
const REASONS_MAX: usize = 2;

/// What a customer is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerReading {
    /// What happened.
    pub headline: String,
    /// Why, sentence by sentence.
    pub why: Vec<String>,
    /// Which of their data was used, sentence by sentence.
    pub data_used: Vec<String>,
    /// What they can do now.
    pub can_do: Vec<String>,
}

impl CustomerReading {
    /// As running text.
    pub fn text(&self) -> String {
        let mut paragraphs = vec![self.headline.clone()];
        let rest = [&self.why, &self.data_used, &self.can_do];
        paragraphs.extend(rest.iter().filter(|part| !part.is_empty()).map(|part| part.join(" ")));
        paragraphs.join("\n\n")
    }
}

impl Explanation {
    /// In plain words for the customer; Dutch for `nl`, else English.
    pub fn customer(&self, language: &Language) -> CustomerReading {
        let t = Tongue::of(language);
        let chosen = self.slots.iter().filter_map(|slot| Some((slot, slot.chosen.as_ref()?)));
        let (awaiting, said): (Vec<(&SlotExplanation, &Chosen)>, Vec<_>) =
            chosen.partition(|(slot, _)| slot.awaits_human);
        if awaiting.is_empty() {
            return if said.is_empty() { self.silent(t) } else { self.said(t, &said) };
        }
        let mut reading = if said.is_empty() { self.prepared(t, &awaiting) } else { self.said(t, &said) };
        reading.why.push(decided_by_a_human(t, &awaiting));
        if self.customer.is_some() {
            reading.can_do.push(contest(t));
        }
        reading
    }

    /// Nothing was said yet, because a human decides first.
    fn prepared(&self, t: Tongue, awaiting: &[(&SlotExplanation, &Chosen)]) -> CustomerReading {
        let headline = match t {
            Tongue::Dutch => format!("{} heeft nog niets besloten.", self.organisation),
            Tongue::English => format!("{} has decided nothing yet.", self.organisation),
        };
        let is_known = self.customer.is_some();
        let can_do = if is_known { Vec::new() } else { vec![nothing_of_yours(t)] };
        CustomerReading { headline, why: Vec::new(), data_used: self.data_used(t, awaiting), can_do }
    }

    fn said(&self, t: Tongue, said: &[(&SlotExplanation, &Chosen)]) -> CustomerReading {
        let titles: Vec<String> =
            said.iter().map(|(_, chosen)| format!("‘{}’", t.name(&chosen.action))).collect();
        let titles = t.list(titles.iter().map(String::as_str));
        let channel = t.name(&self.channel);
        let headline = match t {
            Tongue::Dutch => format!("{} koos voor u: {titles} ({channel}).", self.organisation),
            Tongue::English => format!("{} chose this for you: {titles} ({channel}).", self.organisation),
        };
        CustomerReading {
            headline,
            why: said.iter().flat_map(|(slot, chosen)| self.why_said(t, slot, chosen)).collect(),
            data_used: self.data_used(t, said),
            can_do: if self.customer.is_some() { can_do(t, said) } else { vec![nothing_of_yours(t)] },
        }
    }

    fn why_said(&self, t: Tongue, slot: &SlotExplanation, chosen: &Chosen) -> Vec<String> {
        let mut why = Vec::new();
        if let Some(intent) = t.pick(&chosen.intent) {
            why.push(match t {
                Tongue::Dutch => format!("Wat u eraan hebt: {}.", lower_first(intent)),
                Tongue::English => format!("What is in it for you: {}.", lower_first(intent)),
            });
        }
        if slot.again {
            why.push(
                t.say(
                    "U had dit kort hiervoor al van ons gekregen; het telt als één bericht.",
                    "You had this from us a moment before; it counts as one message.",
                )
                .into(),
            );
        } else if slot.fixed {
            why.push(
                t.say(
                    "Dit is een bericht dat wij u niet mogen onthouden.",
                    "This is a message we should not keep from you.",
                )
                .into(),
            );
        } else if self.customer.is_none() {
            why.push(
                t.say(
                    "Van alles wat wij hier kunnen zeggen zonder te weten wie u bent, kozen wij dit.",
                    "Of everything we can say here without knowing who you are, we chose this.",
                )
                .into(),
            );
        } else if slot.by_chance || self.assignment == Assignment::RandomRelevant {
            why.push(t.say("Uit wat bij u paste hebben wij deze keer een beetje geloot, om te leren waar mensen iets aan hebben.", "From what suited you we drew lots a little this time, to learn what helps people.").into());
        } else {
            why.push(
                t.say(
                    "Van alles wat nu mocht en bij u paste, leek dit ons het nuttigst.",
                    "Of everything that was allowed and suited you now, this seemed the most useful.",
                )
                .into(),
            );
        }
        why
    }

    fn data_used(&self, t: Tongue, said: &[(&SlotExplanation, &Chosen)]) -> Vec<String> {
        if self.customer.is_none() {
            let unknown = t.say(
                "Wij wisten niet wie u was en hebben geen gegevens over u gebruikt.",
                "We did not know who you were and used no data about you.",
            );
            return vec![unknown.into()];
        }
        let named = |source: Source| {
            let facts = said.iter().flat_map(|(_, chosen)| &chosen.facts);
            let mut names: Vec<&str> = facts
                .filter(|fact| fact.theirs && fact.source == source)
                .map(|fact| t.name(&fact.attribute))
                .collect();
            names.sort_unstable();
            names.dedup();
            (!names.is_empty()).then(|| t.list(names))
        };
        let told = named(Source::Provided).map_or_else(
            || {
                t.say(
                    "Van wat u ons zelf vertelde is hiervoor niets gebruikt.",
                    "Nothing of what you told us yourself was used for this.",
                )
                .into()
            },
            |names| {
                format!(
                    "{} {names}.",
                    t.say(
                        "Wat u ons zelf vertelde en wij hiervoor gebruikten:",
                        "What you told us yourself and we used for this:"
                    )
                )
            },
        );
        let seen = named(Source::Observed).map(|names| {
            format!(
                "{} {names}.",
                t.say(
                    "Wat wij weten doordat u klant bij ons bent:",
                    "What we know because you are our customer:"
                )
            )
        });
        let mine = t.say(
            "Alles wat wij van u weten kunt u bij ons inzien.",
            "You can see everything we know about you.",
        );
        [Some(told), seen, Some(mine.into())].into_iter().flatten().collect()
    }

    fn silent(&self, t: Tongue) -> CustomerReading {
        let headline = match t {
            Tongue::Dutch => format!("{} liet u deze keer met rust.", self.organisation),
            Tongue::English => format!("{} left you in peace this time.", self.organisation),
        };
        let mut why = self.why_silent(t);
        why.truncate(REASONS_MAX);
        if self.customer.is_none() {
            return CustomerReading {
                headline,
                why,
                data_used: self.data_used(t, &[]),
                can_do: vec![nothing_of_yours(t)],
            };
        }
        let can_do = t.say(
            "Wilt u hierover iets vragen of veranderen? Laat het ons weten; een medewerker kijkt graag met u mee.",
            "Would you like to ask or change something about this? Let us know; somebody will gladly look at it with you.",
        );
        CustomerReading { headline, why, data_used: Vec::new(), can_do: vec![can_do.into()] }
    }

    /// Reasons that may be told, the most frequent first, none that is rare beside it; always at least one.
    fn why_silent(&self, t: Tongue) -> Vec<String> {
        let control = self.candidates.iter().any(|candidate| {
            matches!(&candidate.outcome, Outcome::Dropped { reason: Reason::ControlGroup, .. })
        });
        let chance = self.slots.iter().any(|slot| slot.silence == Some(SilenceReason::Chance));
        if control || chance {
            return vec![t.say(
                "Soms zeggen wij bewust niets, om eerlijk te meten of onze berichten mensen wel helpen.",
                "Sometimes we say nothing on purpose, to measure honestly whether our messages really help people.",
            ).into()];
        }
        let mut told: Vec<(String, usize)> = Vec::new();
        let candidates = self.candidates.iter();
        for sentence in candidates.filter_map(|candidate| tellable(t, candidate, self.customer.is_some())) {
            match told.iter_mut().find(|(other, _)| *other == sentence) {
                Some((_, count)) => *count += 1,
                None => told.push((sentence, 1)),
            }
        }
        told.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let most = told.first().map_or(0, |(_, count)| *count);
        told.retain(|(_, count)| 2 * count >= most);
        if told.is_empty() && self.customer.is_none() {
            return vec![
                t.say(
                    "Wij hadden niets te zeggen dat wij zonder te weten wie u bent mogen of willen zeggen.",
                    "We had nothing to say that we may or want to say without knowing who you are.",
                )
                .into(),
            ];
        }
        if told.is_empty() {
            return vec![
                t.say(
                    "Wij hadden niets te zeggen waar u nu echt iets aan had.",
                    "We had nothing to say that would really be of use to you now.",
                )
                .into(),
            ];
        }
        told.into_iter().map(|(sentence, _)| sentence).collect()
    }
}

/// Why one candidate was not said, when that may be told without naming it; nobody who was not recognised
/// made a choice that we know of.
fn tellable(t: Tongue, candidate: &CandidateExplanation, recognised: bool) -> Option<String> {
    let Outcome::Dropped { reason, .. } = &candidate.outcome else {
        return None;
    };
    let sentence = match reason {
        Reason::NoBasis { because: Withheld::Restricted, .. } if recognised => t
            .say("U hebt het gebruik van uw gegevens beperkt.", "You restricted the use of your data.")
            .into(),
        Reason::NoBasis { because: Withheld::TopicObjected, .. } if recognised => t
            .say(
                "Over sommige onderwerpen wilt u niets van ons horen.",
                "There are topics about which you do not want to hear from us.",
            )
            .into(),
        Reason::NoBasis { purpose, because } | Reason::Permission { purpose, because, .. }
            if recognised && is_own_choice(*because) =>
        {
            let purpose = t.name(purpose);
            match t {
                Tongue::Dutch => format!(
                    "Wij doen niets met ‘{purpose}’, omdat u dat niet (meer) goed vindt of er nog geen ja op gaf."
                ),
                Tongue::English => format!(
                    "We do nothing with ‘{purpose}’, because you did not say yes to it, or no longer do."
                ),
            }
        }
        Reason::Principle { reason, tellable: true, .. } => format!("{}.", t.pick(reason)?),
        Reason::QuietHours { .. } => {
            t.say("Op dit uur laten wij u met rust.", "At this hour we leave you in peace.").into()
        }
        Reason::GoalReached { .. } => {
            t.say("Wat u nodig had is al geregeld.", "What you needed is arranged already.").into()
        }
        Reason::AnswerKnown | Reason::AskedBefore { .. } => t
            .say(
                "Wat wij u al vroegen, vragen wij niet nog eens.",
                "What we asked you before, we do not ask again.",
            )
            .into(),
        Reason::Paused { .. } => t
            .say(
                "U liet ons weten dat iets niet van pas kwam; daarom wachten wij een tijd.",
                "You let us know that something was not welcome; so we wait for a while.",
            )
            .into(),
        Reason::ComplaintOpen { .. } => t
            .say(
                "U hebt een klacht bij ons lopen. Die lossen wij eerst op.",
                "You have a complaint with us. We solve that first.",
            )
            .into(),
        Reason::Limit { .. } => t
            .say("U hebt kort geleden al genoeg van ons gehoord.", "You have heard enough from us lately.")
            .into(),
        _ => return None,
    };
    Some(sentence)
}

fn decided_by_a_human(t: Tongue, awaiting: &[(&SlotExplanation, &Chosen)]) -> String {
    let titles: Vec<String> =
        awaiting.iter().map(|(_, chosen)| format!("‘{}’", t.name(&chosen.action))).collect();
    let titles = t.list(titles.iter().map(String::as_str));
    match t {
        Tongue::Dutch => {
            format!(
                "{titles} kan grote gevolgen voor u hebben. Daarom beslist een medewerker, niet de computer."
            )
        }
        Tongue::English => {
            format!(
                "{titles} may have serious consequences for you. So one of our people decides, not the computer."
            )
        }
    }
}

fn contest(t: Tongue) -> String {
    t.say(
        "Bent u het er niet mee eens? Vecht het aan en zeg waarom; een medewerker kijkt er dan opnieuw naar.",
        "Do you not agree? Contest it and say why; one of our people will then look at it again.",
    )
    .into()
}

/// What somebody can do of whom nothing is known.
fn nothing_of_yours(t: Tongue) -> String {
    t.say(
        "Wij weten niet wie u bent; er is hier niets van u om te verbeteren of in te trekken. Hebt u een vraag, dan helpt een medewerker u graag.",
        "We do not know who you are; there is nothing of yours here to correct or to withdraw. If you have a question, one of our people will gladly help.",
    )
    .into()
}

fn can_do(t: Tongue, said: &[(&SlotExplanation, &Chosen)]) -> Vec<String> {
    let mut can_do = vec![
        t.say(
            "Komt het niet van pas? Zeg het ons, dan laten wij u hiermee met rust.",
            "Not welcome? Tell us, and we leave you in peace with this.",
        )
        .to_owned(),
    ];
    for (_, chosen) in said {
        let right = texts::right(t, chosen.basis, t.name(&chosen.purpose));
        if !can_do.contains(&right) {
            can_do.push(right);
        }
    }
    let wrong = t.say(
        "Klopt er iets niet? U kunt het verbeteren of een medewerker vragen.",
        "Is something wrong? You can correct it, or ask one of our people.",
    );
    can_do.push(wrong.to_owned());
    can_do
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    let abbreviation = text.chars().nth(1).is_some_and(char::is_uppercase);
    match letters.next() {
        Some(first) if !abbreviation => first.to_lowercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}
