//! Bars with whiskers from the least to the most of what was measured, as SVG.

use std::fmt::Write as _;

use crate::figures::{Spread, number};

/// What is compared, each bar with its name. A line may stand where a limit is.
pub struct Chart {
    pub title: String,
    pub bars: Vec<(String, Spread)>,
    pub limit: Option<f64>,
}

const WIDTH: f64 = 980.0;
const NAMES: f64 = 380.0;
/// From the axis to the longest bar; the rest is for what it says.
const LENGTH: f64 = 480.0;
const BAR: f64 = 20.0;
const COLORS: [&str; 8] =
    ["#0b5d57", "#1f8a70", "#6aa84f", "#b45f06", "#8e3b46", "#5b5ea6", "#4a6fa5", "#7f7f7f"];

/// The charts below each other, each with a scale of its own.
pub fn svg(charts: &[Chart]) -> String {
    let height: f64 = charts.iter().map(|chart| 44.0 + BAR * chart.bars.len() as f64).sum::<f64>() + 12.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    let mut y = 24.0;
    for chart in charts {
        let _ = writeln!(
            out,
            "<text x=\"12\" y=\"{y}\" font-size=\"14\" font-weight=\"bold\">{}</text>",
            escaped(&chart.title)
        );
        y += 10.0;
        let most = chart.bars.iter().map(|(_, spread)| spread.max).chain(chart.limit).fold(0.0, f64::max);
        let at = |value: f64| NAMES + value / most.max(f64::MIN_POSITIVE) * LENGTH;
        let top = y;
        for (place, (name, spread)) in chart.bars.iter().enumerate() {
            let (middle, high) = (y + BAR / 2.0, y + BAR / 2.0 - 3.0);
            let [from, to] = [at(spread.min), at(spread.max)];
            let _ = writeln!(
                out,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\
                 <rect x=\"{NAMES}\" y=\"{}\" width=\"{:.1}\" height=\"{}\" fill=\"{}\"/>\
                 <path d=\"M{from:.1} {middle}H{to:.1}M{from:.1} {high}v6M{to:.1} {high}v6\" stroke=\"#000\" fill=\"none\"/>\
                 <text x=\"{:.1}\" y=\"{}\">{}</text>",
                NAMES - 8.0,
                middle + 4.0,
                escaped(name),
                y + 2.0,
                at(spread.median) - NAMES,
                BAR - 4.0,
                COLORS[place % COLORS.len()],
                to + 8.0,
                middle + 4.0,
                number(spread.median),
            );
            y += BAR;
        }
        if let Some(limit) = chart.limit {
            let x = at(limit);
            let _ = writeln!(
                out,
                "<path d=\"M{x:.1} {top}V{y}\" stroke=\"#c00\" stroke-dasharray=\"4 3\"/>\
                 <text x=\"{x:.1}\" y=\"{}\" fill=\"#c00\" text-anchor=\"middle\">{}</text>",
                y + 12.0,
                number(limit)
            );
        }
        y += 34.0;
    }
    out.push_str("</svg>\n");
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
