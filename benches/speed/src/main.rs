//! How fast is the product, beside what does the same work or less, in one run?
//!
//! `attent-speed all ATTENT FOLDER PAGE` measures everything and writes the page; `rules`, `decide`, `http` and
//! `durable` measure one part and print it.

mod bare;
mod data;
mod decide;
mod export;
mod http;
mod load;
mod measure;
mod organisation;
mod page;
mod rules;

use std::path::Path;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let number = |word: &str| word.parse::<usize>().expect("a number");
    match words.as_slice() {
        ["bare"] => bare::serve(),
        ["export", actions, customers, file] => {
            export::run(number(actions), number(customers), Path::new(file))
                .expect("a file that can be written");
        }
        ["rules", actions] => {
            let figure = rules::run(number(actions));
            println!(
                "ours {:.2} us, zen {:.0} us, cel {:.0} us",
                figure.ours_us, figure.zen_us, figure.cel_us
            );
        }
        ["decide", actions] => {
            let figure = decide::run(number(actions));
            println!(
                "decide {:.1} us, record {:.1} us, {} bytes",
                figure.decide_us, figure.encode_us, figure.record_bytes
            );
        }
        ["http", actions, attent, folder] => {
            for figure in http::run(Path::new(attent), Path::new(folder), number(actions)) {
                println!("{}: {:?} us", figure.name, figure.cpu_us);
            }
        }
        ["durable", attent, folder] => {
            let durable = http::durable(Path::new(attent), Path::new(folder));
            for seen in [&durable.pressed, &durable.overloaded, &durable.paced] {
                println!(
                    "{:.0}/s, p50 {:.1} ms, p99 {:.1} ms, {} defaults",
                    seen.answers() as f64 / seen.seconds,
                    seen.percentile_ms(0.5),
                    seen.percentile_ms(0.99),
                    seen.defaults
                );
            }
            println!("{:.0} events/s", durable.events_per_s);
        }
        ["all", attent, folder, file] => {
            let mut page = page::write(&all(Path::new(attent), Path::new(folder)));
            page += &page::findings(Path::new(file));
            std::fs::write(file, &page).expect("the page can be written");
            print!("{page}");
        }
        _ => {
            eprintln!(
                "attent-speed all ATTENT FOLDER PAGE | rules N | decide N | http N ATTENT FOLDER | durable ATTENT FOLDER"
            );
            std::process::exit(2);
        }
    }
}

fn all(attent: &Path, folder: &Path) -> page::Measured {
    let told = |what: &str| eprintln!("measuring {what}");
    told("rules");
    let rules = [1_000, 10_000].map(rules::run).into();
    told("decisions without transport");
    let decide = [10, 100, 1_000, 10_000].map(decide::run).into();
    let over_http = |actions: usize| {
        told(&format!("HTTP with {actions} actions"));
        (actions, http::run(attent, &folder.join(actions.to_string()), actions))
    };
    let http = [100, 1_000].map(over_http).into();
    told("durable decisions and events");
    let durable = http::durable(attent, &folder.join("million"));
    page::Measured { rules, decide, http, durable }
}
