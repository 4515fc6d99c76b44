//! The report as one page that needs nothing else: the curve and the calibration as drawings, the text below.

use super::{Measured, report};

const SIDE: f64 = 320.0;

/// A self-contained HTML page.
pub fn page(measured: &Measured) -> String {
    let curve: Vec<(f64, f64)> = measured.curve.iter().map(|point| (point.share, point.lost_share)).collect();
    let bins = &measured.scored.calibration;
    let reach = bins.iter().flat_map(|bin| [bin.estimated, bin.happened]).fold(0.01, f64::max);
    let calibration: Vec<(f64, f64)> =
        bins.iter().map(|bin| (bin.estimated / reach, bin.happened / reach)).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Backtest</title>\n\
         <style>body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}\
         figure{{display:inline-block;margin:0 2rem 1rem 0}}pre{{overflow-x:auto}}</style>\n\
         <h1>Backtest: {}</h1>\n{}{}<pre>{}</pre>\n</html>\n",
        escape(&measured.name),
        drawing("Contacts spared (across) against answers lost (up), 0 to 100 %", &curve),
        drawing(
            &format!("Calibration: expected (across) against seen (up), 0 to {}", report::percent(reach)),
            &calibration
        ),
        escape(&report::text(measured))
    )
}

/// Points in the unit square, joined, with the diagonal of no skill or of perfect calibration.
fn drawing(caption: &str, points: &[(f64, f64)]) -> String {
    let place = |(across, up): &(f64, f64)| format!("{:.1},{:.1}", across * SIDE, (1.0 - up) * SIDE);
    let line: Vec<String> = points.iter().map(place).collect();
    format!(
        "<figure><svg role=\"img\" aria-label=\"{0}\" width=\"{SIDE}\" height=\"{SIDE}\" viewBox=\"-4 -4 {1} {1}\">\
         <rect width=\"{SIDE}\" height=\"{SIDE}\" fill=\"none\" stroke=\"#999\"/>\
         <line x1=\"0\" y1=\"{SIDE}\" x2=\"{SIDE}\" y2=\"0\" stroke=\"#999\" stroke-dasharray=\"4\"/>\
         <polyline points=\"{2}\" fill=\"none\" stroke=\"#05c\" stroke-width=\"2\"/></svg>\
         <figcaption>{0}</figcaption></figure>\n",
        escape(caption),
        SIDE + 8.0,
        line.join(" ")
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
