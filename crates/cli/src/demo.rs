//! `attent demo`: what does it do? Months of the simulated energy world through the real engine, then a
//! server on what has been lived and learned.

use crate::{
    opening::{self, NotOpened, Opened},
    serve::{self, Listening, LogShape, Plan},
};
use decision::{Duration, Timestamp, explain::explain, id::Language};
use engine::Engine;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use insight::experiment::report::look;
use server::{App, BROWSER_LESSONS_PER_MINUTE};
use simulation::demo::{self, Chapter, Demo, Progress, SETTLING_DAYS, Settings};
use std::{
    collections::BTreeMap,
    error::Error,
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
};

/// Written beside a demo's store, so that only a demo is ever wiped.
const MARK: &str = "this-is-a-demo.txt";
const MARK_TEXT: &str =
    "Made by `attent demo`, and made anew by the next one. Everything in here is simulated.\n";
/// The customer whose story is told.
const FATIMA: usize = 0;
const DECIDE_WITHIN: std::time::Duration = std::time::Duration::from_millis(100);
const LEARN_EVERY: std::time::Duration = std::time::Duration::from_secs(60);

/// Live through months of a simulated energy supplier, then serve the result
///
/// Everybody and everything in this world is made up, and its truth is known: that is how the report can
/// say what the decisions were worth. The store is made anew every time; the server keeps running until
/// ctrl-c.
///
/// Exit code 0: shown, and served until asked to stop. 2: something was in the way.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Folder of the world's strategy
    #[arg(long, value_name = "DIR", default_value = "worlds/energy/strategy")]
    strategy: PathBuf,
    /// Folder of the demo; its store is made anew
    #[arg(long, value_name = "DIR", default_value = "demo-data")]
    data: PathBuf,
    /// Seed of the world and of all draws
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Customers in the world
    #[arg(long, value_name = "N", default_value_t = 1200, value_parser = clap::value_parser!(u64).range(2..=1_000_000))]
    customers: u64,
    /// Days with decisions
    #[arg(long, value_name = "N", default_value_t = 120, value_parser = clap::value_parser!(i64).range(1..=300))]
    days: i64,
    /// Last day of the world; today when not given
    #[arg(long, value_name = "DATE")]
    until: Option<jiff::civil::Date>,
    /// Language of the story, nl or en
    #[arg(long, value_name = "LANGUAGE", default_value = "en")]
    language: String,
    /// Address and port to listen on
    #[arg(long, value_name = "ADDRESS", env = "ATTENT_LISTEN", default_value = "127.0.0.1:7878")]
    listen: SocketAddr,
    /// Show the report and stop
    #[arg(long)]
    no_serve: bool,
    /// Print the report and story as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    match show(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(),
    }
}

fn show(arguments: &Arguments) -> Result<(), NotOpened> {
    let files = opening::checked(&arguments.strategy)?;
    let listening = match arguments.no_serve {
        true => None,
        false => Some(serve::listen(arguments.listen).map_err(NotOpened::Trouble)?),
    };
    let folder = fresh(&arguments.data).map_err(NotOpened::Trouble)?;
    let store = opening::on_disk(&folder)?;
    let settings = settings(arguments).map_err(NotOpened::Trouble)?;
    let bars = Bars::new(arguments.json);
    let lived = demo::run(&settings, &files, store.clone(), &|progress| bars.show(progress));
    bars.clear();
    let Demo { report, engine } = lived.map_err(|error| NotOpened::Trouble(error.to_string()))?;
    let language = Language::from(arguments.language.as_str());
    let story =
        demo::story(&engine, FATIMA, &language).map_err(|error| NotOpened::Trouble(error.to_string()))?;
    let experiments =
        look(&engine, None, ended(&settings)).map_err(|error| NotOpened::Trouble(error.to_string()))?;
    if arguments.json {
        println!("{:#}", serde_json::json!({ "report": report, "experiments": experiments, "story": story }));
    } else {
        println!("{report}");
        println!("What the shipped run knows from its own control groups and experiments:\n");
        experiments.iter().for_each(|experiment| println!("{experiment}"));
        tell(&story);
        println!(
            "{}",
            why(&engine, &story, &language).map_err(|error| NotOpened::Trouble(error.to_string()))?
        );
    }
    let opened = Opened { engine: Arc::new(engine), store };
    match listening {
        Some(listening) => serve_on(listening, opened, arguments, &story).map_err(NotOpened::Trouble),
        None => opened.engine.close().map_err(|error| NotOpened::Trouble(error.to_string())),
    }
}

/// The folder of the store, empty. Only what an earlier demo made is ever removed.
fn fresh(data: &Path) -> Result<PathBuf, String> {
    let trouble = |error: io::Error| format!("cannot prepare `{}`: {error}", data.display());
    let mark = data.join(MARK);
    let store = data.join("store");
    let strange = data.exists() && !mark.is_file() && fs::read_dir(data).map_err(trouble)?.next().is_some();
    if strange {
        return Err(format!(
            "`{}` holds something that is not a demo; name an empty folder with --data",
            data.display()
        ));
    }
    if store.exists() {
        fs::remove_dir_all(&store).map_err(trouble)?;
    }
    fs::create_dir_all(data).map_err(trouble)?;
    fs::write(mark, MARK_TEXT).map_err(trouble)?;
    Ok(store)
}

/// The world ends today, so that the server continues where the months stopped.
fn settings(arguments: &Arguments) -> Result<Settings, String> {
    let zone = jiff::tz::TimeZone::get("Europe/Amsterdam").map_err(|error| error.to_string())?;
    let until = arguments.until.unwrap_or_else(|| jiff::Timestamp::now().to_zoned(zone.clone()).date());
    let midnight = until.to_zoned(zone).map_err(|error| error.to_string())?.timestamp();
    let lived = Duration::from_hours(24 * (arguments.days + SETTLING_DAYS));
    let start = midnight.checked_sub(lived).map_err(|error| error.to_string())?;
    let customers = usize::try_from(arguments.customers).map_err(|error| error.to_string())?;
    Ok(Settings {
        seed: arguments.seed,
        customers,
        days: arguments.days,
        start: Timestamp::from_second(start.as_second()).map_err(|error| error.to_string())?,
        shuffled_customers: (customers / 4).max(2),
    })
}

/// When the last outcome of the world has come in.
fn ended(settings: &Settings) -> Timestamp {
    let lived = Duration::from_hours(24 * (settings.days + SETTLING_DAYS));
    settings.start.saturating_add(lived).unwrap_or(Timestamp::MAX)
}

/// One progress bar per run.
struct Bars {
    all: MultiProgress,
    known: Mutex<BTreeMap<(demo::Policy, bool), ProgressBar>>,
}

impl Bars {
    fn new(hidden: bool) -> Self {
        let all = MultiProgress::new();
        if hidden {
            all.set_draw_target(indicatif::ProgressDrawTarget::hidden());
        }
        Self { all, known: Mutex::default() }
    }

    fn show(&self, progress: Progress) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = known.entry((progress.policy, progress.shuffled)).or_insert_with(|| {
            let style = ProgressStyle::with_template("  {prefix:28} {bar:40} day {pos} of {len}");
            let name = progress.policy.name();
            let prefix =
                if progress.shuffled { format!("{name}, outcomes shuffled") } else { name.to_owned() };
            let bar = self.all.add(ProgressBar::new(progress.days.unsigned_abs()));
            bar.set_style(style.expect("the template is written here"));
            bar.set_prefix(prefix);
            bar
        });
        bar.set_position(progress.day.unsigned_abs());
    }

    fn clear(&self) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.values().for_each(ProgressBar::finish_and_clear);
    }
}

fn tell(story: &[Chapter]) {
    println!("The story of Fatima de Vries (simulated), in the words she may read:\n");
    for chapter in story {
        let said = chapter.action.as_deref().unwrap_or("nothing");
        println!("{}  {:<12}{said}", chapter.at, chapter.channel);
        println!("    {}", chapter.why);
    }
    println!();
}

/// The most telling moment as an employee reads it: where she was left in peace, else the last one.
fn why(engine: &Engine, story: &[Chapter], language: &Language) -> Result<String, Box<dyn Error>> {
    let silent = story.iter().rfind(|chapter| chapter.action.is_none());
    let Some(chapter) = silent.or(story.last()) else {
        return Ok(String::new());
    };
    let Some(decision) = engine.decision(chapter.decision.parse()?)? else {
        return Ok(String::new());
    };
    let published = engine.strategy_at(decision.strategy)?;
    let explanation = explain(&published.strategy, &decision)?;
    Ok(format!(
        "One of these decisions as an employee reads it:\n\n{}",
        explanation.employee(language).text()
    ))
}

fn serve_on(
    listening: Listening,
    opened: Opened,
    arguments: &Arguments,
    story: &[Chapter],
) -> Result<(), String> {
    serve::start_log(LogShape::Text);
    let plan = Plan {
        strategy: &arguments.strategy,
        decide_within: DECIDE_WITHIN,
        learn_every: LEARN_EVERY,
        browser_lessons_per_minute: BROWSER_LESSONS_PER_MINUTE,
        new_key: false,
    };
    listening.serve(opened, &plan, &|app, url, key| invite(app, url, key, arguments, story))
}

fn invite(app: &App, url: &str, key: Option<&str>, arguments: &Arguments, story: &[Chapter]) {
    let key = key.unwrap_or("KEY");
    if arguments.json {
        println!("{}", serde_json::json!({ "url": url, "key": key }));
        return;
    }
    let user = &demo::identifiers(FATIMA)[0];
    println!("Serving {} at {url}", app.engine.published().strategy.organisation.name);
    println!("API key (shown once): {key}\n");
    println!("Ask what Fatima would hear now, without leaving a trace:");
    println!("  curl -s {url}/v1/decide -H 'Authorization: Bearer {key}' -d '{{");
    println!(
        "    \"customer\": {{\"identifiers\": {{\"{}\": \"{}\"}}}}, \"channel\": \"web\",",
        user.kind, user.value
    );
    println!(
        "    \"placements\": [{{\"placement\": \"web_home\"}}], \"dry_run\": true, \"explain\": \"employee\"}}'"
    );
    if let Some(chapter) = story.last() {
        println!("\nRead why she got what she got:");
        println!(
            "  curl -s '{url}/v1/decisions/{}?reading=employee' -H 'Authorization: Bearer {key}' -H 'Accept: text/plain'",
            chapter.decision
        );
    }
    println!(
        "\nOpen {url} in a browser, or stop with ctrl-c. After that: attent replay --all --data {}",
        arguments.data.join("store").display()
    );
}
