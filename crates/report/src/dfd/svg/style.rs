//! Colours of the diagram for light and dark, as one style sheet.
//!
//! Each colour is written twice, plain and as a custom property: viewers that know no custom properties use the plain one.

/// Custom property (without its prefix), light value, dark value.
const COLOURS: [(&str, &str, &str); 31] = [
    ("bg", "#ffffff", "#12171d"),
    ("ink", "#1f2933", "#e6ebf0"),
    ("muted", "#56626f", "#9fb0c0"),
    ("line", "#5b6875", "#8fa0b2"),
    ("node", "#ffffff", "#1c252e"),
    ("store", "#f4f6f8", "#1a222b"),
    ("external", "#e9edf1", "#2a3540"),
    ("shelf", "#f7f8fa", "#181f27"),
    ("risky", "#c22f2f", "#ff7b72"),
    ("blocked", "#97a3af", "#66747f"),
    ("account", "#7b8794", "#7b8a99"),
    ("account-fill", "#fafbfc", "#151b22"),
    ("vpc", "#4b7f6c", "#6fae98"),
    ("vpc-fill", "#f3f8f5", "#14201d"),
    ("public", "#9a7420", "#d0a94e"),
    ("public-fill", "#fcf8ed", "#221e13"),
    ("private", "#476ba3", "#7ea2da"),
    ("private-fill", "#f1f5fb", "#151d2a"),
    ("isolated", "#6b5a99", "#a795d6"),
    ("isolated-fill", "#f5f2fb", "#1d1829"),
    ("cluster", "#35788a", "#6fb6c9"),
    ("cluster-fill", "#eff7f9", "#122127"),
    ("outside", "#96604f", "#d39a86"),
    ("outside-fill", "#fcf6f3", "#231a17"),
    ("critical", "#8c1532", "#d0426a"),
    ("high", "#c4461d", "#e0703f"),
    ("medium", "#a97310", "#cf9a35"),
    ("low", "#3f6f9c", "#5b93c8"),
    ("info", "#697683", "#7d8b99"),
    ("badge-ink", "#ffffff", "#ffffff"),
    ("internet", "#96604f", "#d39a86"),
];

/// Selector (below `.dfd`) and declarations; `$name` is a colour.
const RULES: [(&str, &str); 53] = [
    (".dfd-bg", "fill:$bg"),
    ("text", "font-family:\"Helvetica Neue\",Helvetica,Arial,\"Liberation Sans\",sans-serif;fill:$ink"),
    (".dfd-heading", "font-size:17px;font-weight:600"),
    (".dfd-boundary rect", "stroke-width:1.3;stroke-dasharray:7 4;stroke:$account;fill:$account-fill"),
    (".dfd-boundary.dfd-region rect", "fill:none"),
    (".dfd-boundary.dfd-vpc rect", "stroke:$vpc;fill:$vpc-fill"),
    (".dfd-boundary.dfd-public rect", "stroke:$public;fill:$public-fill"),
    (".dfd-boundary.dfd-private rect", "stroke:$private;fill:$private-fill"),
    (".dfd-boundary.dfd-isolated rect", "stroke:$isolated;fill:$isolated-fill"),
    (".dfd-boundary.dfd-cluster rect", "stroke:$cluster;fill:$cluster-fill"),
    (".dfd-boundary.dfd-namespace rect", "stroke:$cluster;fill:$bg"),
    (".dfd-boundary.dfd-outside rect", "stroke:$outside;fill:$outside-fill"),
    (
        ".dfd-boundary-title",
        "font-size:11.5px;font-weight:600;fill:$muted;paint-order:stroke;stroke:$bg;stroke-width:5px;stroke-linejoin:round",
    ),
    (".dfd-boundary-title.dfd-vpc", "fill:$vpc"),
    (".dfd-boundary-title.dfd-public", "fill:$public"),
    (".dfd-boundary-title.dfd-private", "fill:$private"),
    (".dfd-boundary-title.dfd-isolated", "fill:$isolated"),
    (".dfd-boundary-title.dfd-cluster", "fill:$cluster"),
    (".dfd-boundary-title.dfd-namespace", "fill:$cluster"),
    (".dfd-boundary-title.dfd-outside", "fill:$outside"),
    (".dfd-line", "fill:none;stroke:$line;stroke-width:1.3"),
    (".dfd-head", "fill:$line;stroke:none"),
    (".dfd-hit", "fill:none;stroke:none;stroke-width:12;pointer-events:stroke"),
    (".dfd-risky .dfd-line", "stroke:$risky;stroke-width:1.8"),
    (".dfd-risky .dfd-head", "fill:$risky"),
    (".dfd-blocked .dfd-line", "stroke:$blocked;stroke-dasharray:5 4"),
    (".dfd-blocked .dfd-head", "fill:$blocked"),
    (".dfd-cross", "fill:none;stroke:$blocked;stroke-width:2"),
    (".dfd-leader", "fill:none;stroke:$blocked;stroke-width:.8"),
    (".dfd-label rect", "fill:$bg;fill-opacity:.9"),
    (".dfd-label text", "font-size:10.5px;fill:$muted"),
    (".dfd-label .dfd-lock", "fill:none;stroke:$muted;stroke-width:1.1"),
    (".dfd-label .dfd-lock-body", "fill:$muted;stroke:none"),
    (".dfd-label.dfd-risky text", "fill:$risky"),
    (".dfd-label.dfd-risky .dfd-lock", "stroke:$risky"),
    (".dfd-label.dfd-risky .dfd-lock-body", "fill:$risky"),
    (".dfd-shape", "fill:$node;stroke:$line;stroke-width:1.4"),
    (".dfd-external .dfd-shape", "fill:$external"),
    (".dfd-store .dfd-shape", "fill:$store;stroke:none"),
    (".dfd-shelf .dfd-shape", "fill:$shelf;stroke:$account;stroke-width:.8"),
    (".dfd-rail", "fill:none;stroke:$line;stroke-width:1.6"),
    (".dfd-divider", "fill:none;stroke:$line;stroke-width:1"),
    (".dfd-glyph", "fill:none;stroke:$muted;stroke-width:1.2;stroke-linecap:round;stroke-linejoin:round"),
    (".dfd-title", "font-size:12.5px;font-weight:600"),
    (".dfd-caption", "font-size:10.5px;fill:$muted"),
    (".dfd-badge text", "font-size:10px;font-weight:700;text-anchor:middle;fill:$badge-ink"),
    (".dfd-badge.dfd-critical rect", "fill:$critical"),
    (".dfd-badge.dfd-high rect", "fill:$high"),
    (".dfd-badge.dfd-medium rect", "fill:$medium"),
    (".dfd-badge.dfd-low rect", "fill:$low"),
    (".dfd-badge.dfd-info rect", "fill:$info"),
    (".dfd-exposed circle", "fill:$bg;stroke:$internet;stroke-width:1.2"),
    (".dfd-exposed path", "fill:none;stroke:$internet;stroke-width:1.5"),
];

/// The whole sheet. A page that has its own switch sets `data-theme` to `light` or `dark` on anything around the diagram.
pub(super) fn sheet() -> String {
    let light = properties(|(_, light, _)| light);
    let dark = properties(|(_, _, dark)| dark);
    let mut out = format!(".dfd{{{light}}}\n@media (prefers-color-scheme:dark){{.dfd{{{dark}}}}}\n");
    out.push_str(&format!(
        "[data-theme=\"dark\"] .dfd{{{dark}}}\n[data-theme=\"light\"] .dfd{{{light}}}\n@media print{{.dfd{{{light}}}}}\n"
    ));
    for (selector, declarations) in RULES {
        out.push_str(&format!(".dfd {selector}{{{}}}\n", expand(declarations)));
    }
    out
}

fn properties(value: impl Fn((&'static str, &'static str, &'static str)) -> &'static str) -> String {
    COLOURS.into_iter().map(|colour| format!("--dfd-{}:{};", colour.0, value(colour))).collect()
}

fn expand(declarations: &str) -> String {
    let mut out = Vec::new();
    for declaration in declarations.split(';') {
        match declaration.split_once(":$") {
            Some((property, name)) => {
                let light = COLOURS.iter().find(|colour| colour.0 == name).map_or("currentColor", |colour| colour.1);
                out.push(format!("{property}:{light};{property}:var(--dfd-{name},{light})"));
            }
            None => out.push(declaration.to_owned()),
        }
    }
    out.join(";")
}

#[cfg(test)]
mod tests {
    use super::{COLOURS, RULES, sheet};

    #[test]
    fn every_colour_that_a_rule_names_exists() {
        for (_, declarations) in RULES {
            for declaration in declarations.split(';') {
                if let Some((_, name)) = declaration.split_once(":$") {
                    assert!(COLOURS.iter().any(|colour| colour.0 == name), "{name}");
                }
            }
        }
        assert!(!sheet().contains('$'));
    }
}
