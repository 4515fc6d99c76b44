//! On which strategy do the doors open? On a small one in which every kind of declaration occurs.

use decision::strategy::{self, Files, Loaded};

/// The files of the strategy.
pub fn files() -> Files {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    Files(
        [
            file("organisation.toml", include_str!("../strategy/organisation.toml")),
            file("purposes.toml", include_str!("../strategy/purposes.toml")),
            file("channels.toml", include_str!("../strategy/channels.toml")),
            file("placements.toml", include_str!("../strategy/placements.toml")),
            file("contact-policy.toml", include_str!("../strategy/contact-policy.toml")),
            file("inventory/all.toml", include_str!("../strategy/inventory/all.toml")),
            file("principles/care.toml", include_str!("../strategy/principles/care.toml")),
            file("tests/all.toml", include_str!("../strategy/tests/all.toml")),
            file(
                "actions/care/bill/explain.toml",
                include_str!("../strategy/actions/care/bill/explain.toml"),
            ),
            file(
                "actions/sales/contract/renew.toml",
                include_str!("../strategy/actions/sales/contract/renew.toml"),
            ),
        ]
        .into(),
    )
}

/// The strategy with its tests.
///
/// # Panics
/// When the strategy does not check.
pub fn loaded() -> Loaded {
    strategy::load(&files()).expect("the strategy checks")
}

/// Cuts text at lines that begin with a mark; each piece has the rest of that line in front.
pub(crate) fn pieces<'t>(text: &'t str, mark: &'t str) -> impl Iterator<Item = (&'t str, &'t str)> {
    let from_mark = text.split(mark).skip(1);
    from_mark.map(|piece| piece.split_once('\n').unwrap_or((piece, "")))
}
