//! All wording of the notice, Dutch and English side by side. Nothing here decides what is told.

use super::{Record, Right};
use decision::{
    Duration,
    explain::Tongue,
    profile::Source,
    strategy::{Basis, Purpose, Strategy},
};

pub(super) fn ground(tongue: Tongue, basis: Basis) -> &'static str {
    match basis {
        Basis::Consent => tongue.say("uw toestemming", "your consent"),
        Basis::Contract => tongue.say("nodig voor onze afspraak met u", "needed for our agreement with you"),
        Basis::LegalObligation => tongue.say("de wet verplicht het", "the law requires it"),
        Basis::VitalInterests => tongue.say("om levens te beschermen", "to protect lives"),
        Basis::PublicTask => tongue.say("een taak in het algemeen belang", "a task in the public interest"),
        Basis::LegitimateInterests => tongue.say(
            "ons gerechtvaardigd belang, afgewogen tegen het uwe",
            "our legitimate interests, balanced against yours",
        ),
    }
}

pub(super) fn choice(tongue: Tongue, purpose: &Purpose) -> String {
    match purpose.basis {
        Basis::Consent => {
            let holds = tongue.duration(purpose.consent_holds);
            match tongue {
                Tongue::Dutch => {
                    format!("Alleen als u ja zegt. Uw ja geldt {holds}; u kunt het op elk moment intrekken.")
                }
                Tongue::English => format!(
                    "Only if you say yes. Your yes holds for {holds}; you can withdraw it at any moment."
                ),
            }
        }
        Basis::LegitimateInterests | Basis::PublicTask => tongue
            .say("U kunt bezwaar maken; dan stoppen wij ermee.", "You can object; then we stop.")
            .to_owned(),
        Basis::Contract => tongue
            .say(
                "Zonder deze gegevens kunnen wij onze afspraak niet nakomen.",
                "Without these data we cannot keep our agreement.",
            )
            .to_owned(),
        Basis::LegalObligation | Basis::VitalInterests => {
            tongue.say("Hier kunt u niet voor kiezen.", "This is not for you to choose.").to_owned()
        }
    }
}

pub(super) fn from(tongue: Tongue, source: Source) -> &'static str {
    match source {
        Source::Provided => tongue.say("u vertelt het ons zelf", "you tell us yourself"),
        Source::Observed => tongue.say(
            "wij zien het als u klant bij ons bent of onze kanalen gebruikt",
            "we see it when you deal with us",
        ),
        Source::Derived => {
            tongue.say("wij leiden het af uit andere gegevens", "we work it out from other data")
        }
        Source::ThirdParty => tongue.say("wij krijgen het van anderen", "we get it from others"),
    }
}

pub(super) fn records(tongue: Tongue) -> Vec<Record> {
    let history = tongue.duration(Duration::from_millis(engine::HISTORY_MS));
    let rejects = tongue.duration(Duration::from_millis(engine::REJECT_KEPT_MS));
    let until_erased = tongue.say(
        "tot u vraagt om gewist te worden: zolang moeten wij het kunnen aantonen",
        "until you ask to be erased: so long we have to be able to show it",
    );
    let what = |dutch, english| tongue.say(dutch, english);
    vec![
        Record {
            what: what(
                "wanneer wij u iets vertelden, over welk kanaal, en wat daarop volgde",
                "when we told you something, over which channel, and what came of it",
            ),
            kept_for: history.clone(),
        },
        Record {
            what: what(
                "welke keuze wij voor u maakten, met welke gegevens en waarom",
                "which choice we made for you, from which data and why",
            ),
            kept_for: history,
        },
        Record {
            what: what(
                "wat u ons toestaat en verbiedt, wanneer en hoe u dat zei",
                "what you allow and forbid us, when and how you said so",
            ),
            kept_for: until_erased.to_owned(),
        },
        Record {
            what: what(
                "wat bij ons binnenkwam en wij niet begrepen, om het te herstellen",
                "what came in and was not understood, to put it right",
            ),
            kept_for: rejects,
        },
    ]
}

pub(super) fn deciding(strategy: &Strategy, tongue: Tongue) -> Vec<String> {
    let mut told = vec![
        tongue
            .say(
                "Een programma kiest wat wij u vertellen, aanbieden of vragen, of dat wij stil blijven. Het leest alleen wat u voor dat doel toestaat en weegt uw belang naast het onze.",
                "A program chooses what we tell, offer or ask you, or whether we stay silent. It reads only what you allow for that purpose and weighs your interest beside ours.",
            )
            .to_owned(),
    ];
    if strategy.purposes.iter().any(|purpose| purpose.profiling) {
        told.push(
            tongue
                .say(
                    "Voor sommige doelen schatten wij stelselmatig in wat bij u past; bij die doelen staat het erbij.",
                    "For some purposes we systematically estimate what fits you; it is said with those purposes.",
                )
                .to_owned(),
        );
    }
    let legal = strategy.actions.iter().any(|action| action.legal_effect);
    told.push(
        match legal {
            true => tongue.say(
                "Wat rechtsgevolgen voor u heeft of u even ernstig raakt, beslist nooit het programma maar een mens.",
                "What has legal effect on you, or concerns you as gravely, is never decided by the program but by a human.",
            ),
            false => tongue.say(
                "Het programma neemt geen besluiten met rechtsgevolgen voor u.",
                "The program takes no decisions with legal effect on you.",
            ),
        }
        .to_owned(),
    );
    told
}

pub(super) fn rights(strategy: &Strategy, tongue: Tongue) -> Vec<Right> {
    let right = |right, how| Right { right, how };
    let say = |dutch, english| tongue.say(dutch, english);
    let rests_on = |basis| strategy.purposes.iter().any(|purpose| purpose.basis == basis);
    let mut rights = vec![
        right(
            say("Inzien", "See"),
            say(
                "wat wij van u weten, waarvandaan, hoe zeker, tot wanneer en waarvoor, en welke keuzes daaruit kwamen: op uw eigen pagina, of vraag het ons",
                "what we know of you, from where, how sure, until when and for what, and which choices came of it: on your own page, or ask us",
            ),
        ),
        right(
            say("Verbeteren", "Correct"),
            say(
                "wat niet klopt: wat u zelf zegt gaat voor op wat wij dachten, vanaf de eerstvolgende keuze",
                "what is wrong: what you say beats what we thought, from the very next choice",
            ),
        ),
        right(
            say("Meenemen", "Take along"),
            say(
                "wat u ons gaf en wat wij zagen, in een bestand dat een ander kan lezen",
                "what you gave us and what we saw, in a file that others can read",
            ),
        ),
        right(
            say("Bezwaar maken", "Object"),
            say(
                "tegen een doel, een onderwerp of het gebruik van één gegeven; het geldt vanaf de eerstvolgende keuze, op elk kanaal",
                "to a purpose, a topic or the use of one fact; it holds from the very next choice, on every channel",
            ),
        ),
        right(
            say("Stilzetten", "Restrict"),
            say(
                "dan bewaren wij uw gegevens en doen er niets mee, behalve wat de wet verlangt",
                "then we keep your data and do nothing with them, except what the law asks",
            ),
        ),
        right(
            say("Laten wissen", "Be erased"),
            say(
                "dan verdwijnt alles wat naar u wijst, ook uit wat wij ervan leerden, en u krijgt daarvan een verklaring",
                "then all that points to you goes, also from what we learned of it, and you get a statement of it",
            ),
        ),
        right(
            say("Aanvechten", "Contest"),
            say(
                "een keuze over u: een mens kijkt ernaar en u hoort wat eruit kwam",
                "a choice about you: a human looks at it and you hear what came of it",
            ),
        ),
        right(
            say("Een klacht indienen", "Complain"),
            say(
                "bij de toezichthouder; in Nederland is dat de Autoriteit Persoonsgegevens",
                "to the supervisory authority of your country",
            ),
        ),
    ];
    if rests_on(Basis::Consent) {
        let withdraw = right(
            say("Intrekken", "Withdraw"),
            say(
                "wat u toestond, op elk moment; het geldt vanaf de eerstvolgende keuze, op elk kanaal",
                "what you allowed, at any moment; it holds from the very next choice, on every channel",
            ),
        );
        rights.insert(0, withdraw);
    }
    rights
}
