//! The notice and the register tell what the strategy declares, all of it and nothing else.

use decision::{
    explain::Tongue,
    strategy::{Files, Strategy, load},
};
use insight::{notice::notice, register::register};
use std::{collections::BTreeSet, fs, path::Path};

const WORLDS: [&str; 6] = ["energy", "travel", "retailer", "bank-calls", "mail-test", "shop"];

/// The files of an example world.
pub fn world_files(name: &str) -> Files {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../worlds").join(name).join("strategy");
    let mut files = Files::default();
    read(&folder, "", &mut files);
    files
}

fn world(name: &str) -> Strategy {
    load(&world_files(name)).unwrap_or_else(|problems| panic!("{name}: {problems:?}")).strategy
}

fn read(folder: &Path, prefix: &str, files: &mut Files) {
    for entry in fs::read_dir(folder).expect("a world").flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        match entry.path().is_dir() {
            true => read(&entry.path(), &format!("{name}/"), files),
            false if name.ends_with(".toml") => {
                files.0.insert(name, fs::read_to_string(entry.path()).expect("a text"));
            }
            false => {}
        }
    }
}

fn set<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    names.into_iter().collect()
}

#[test]
fn the_notice_tells_every_declared_fact_and_purpose_and_promises_nothing_else() {
    for world in WORLDS.map(world) {
        for tongue in [Tongue::Dutch, Tongue::English] {
            let told = notice(&world, tongue);
            let facts = told.facts.iter().map(|fact| fact.attribute.as_str());
            assert_eq!(set(facts), set(world.attributes.iter().map(|declared| declared.name.as_str())));
            assert_eq!(told.facts.len(), world.attributes.len());
            let purposes = told.purposes.iter().map(|purpose| purpose.purpose.as_str());
            assert_eq!(set(purposes), set(world.purposes.iter().map(|declared| declared.id.as_str())));
            for fact in &told.facts {
                let declared =
                    &world.attributes[usize::from(world.attribute_index(&fact.attribute).unwrap())];
                let uses =
                    declared.purposes.iter().map(|index| world.purposes[usize::from(*index)].id.as_str());
                assert_eq!(set(fact.purposes.iter().map(String::as_str)), set(uses), "{}", fact.attribute);
                assert_eq!(fact.retention_days, declared.retention.as_hours() / 24);
            }
            for purpose in &told.purposes {
                let declared =
                    world.purposes.iter().find(|found| found.id.as_str() == purpose.purpose).unwrap();
                assert_eq!((&purpose.text, purpose.basis), (&declared.text.to_string(), declared.basis));
            }
        }
    }
}

#[test]
fn the_page_says_each_thing_once_and_needs_nothing_from_elsewhere() {
    let world = world("energy");
    for tongue in [Tongue::Dutch, Tongue::English] {
        let told = notice(&world, tongue);
        let page = told.html(Some("/elsewhere"));
        for fact in &told.facts {
            assert_eq!(page.matches(&format!("<dt>{}", fact.label)).count(), 1, "{}", fact.label);
        }
        for purpose in &told.purposes {
            assert_eq!(page.matches(&format!("<section id=\"{}\">", purpose.purpose)).count(), 1);
            assert!(page.contains(&purpose.text), "{}", purpose.purpose);
        }
        assert_eq!(page.matches("<dt>").count(), told.facts.len() + told.records.len() + told.rights.len());
        assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("http"));
        assert!(page.contains("privacy@morgenlicht.example"));
    }
}

#[test]
fn withdrawing_is_a_right_only_where_consent_is_asked() {
    for name in WORLDS {
        let world = world(name);
        let asks = world.purposes.iter().any(|found| found.basis == decision::strategy::Basis::Consent);
        let offers = notice(&world, Tongue::English).rights.iter().any(|right| right.right == "Withdraw");
        assert_eq!(asks, offers, "{name}");
    }
}

#[test]
fn the_register_holds_every_purpose_with_its_data_and_who_answers_for_them() {
    for world in WORLDS.map(world) {
        let register = register(&world, Tongue::English);
        assert_eq!(register.activities.len(), world.purposes.len());
        let kept: BTreeSet<(&str, &str)> = register
            .activities
            .iter()
            .flat_map(|one| one.data.iter().map(|datum| (one.purpose.as_str(), datum.attribute.as_str())))
            .collect();
        let declared = world.attributes.iter().flat_map(|attribute| {
            let purpose = |index: &u16| world.purposes[usize::from(*index)].id.as_str();
            attribute.purposes.iter().map(move |index| (purpose(index), attribute.name.as_str()))
        });
        assert_eq!(kept, declared.collect());
        let markdown = register.to_string();
        for activity in &register.activities {
            assert!(markdown.contains(&format!("(`{}`)", activity.purpose)));
            assert!(activity.data.is_empty() || !activity.owners.is_empty(), "{}", activity.purpose);
        }
    }
}
