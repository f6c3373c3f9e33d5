//! Charts as SVG, for pages.
use super::plot::font;
use crate::{Error, Result};
use plotters::prelude::*;

/// Size of a chart in pixels.
const SIZE: (u32, u32) = (640, 380);
/// Colours of the series, told apart by colour-blind readers too (Okabe & Ito 2008).
const COLORS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(90, 90, 90),
];

/// A line with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What the legend says.
    pub name: String,
    /// Points in order of x.
    pub points: Vec<(f64, f64)>,
}

/// A line chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Above the chart.
    pub title: String,
    /// Below the horizontal axis.
    pub x: &'static str,
    /// Beside the vertical axis.
    pub y: &'static str,
    /// Whether the vertical axis is logarithmic; values that are not above 0 are then left out.
    pub logarithmic: bool,
    /// Whether the vertical axis starts at 0, if it is not logarithmic.
    pub from_zero: bool,
    /// Whether each point has a mark.
    pub marks: bool,
    /// Names of x = 0, 1, 2 …, in place of numbers; empty for numbers.
    pub names: Vec<String>,
    /// The lines.
    pub series: Vec<Series>,
}

impl Chart {
    /// The chart as one `<svg>` element. Points that are not finite are left out.
    ///
    /// # Errors
    /// No point at all.
    pub fn svg(&self) -> Result<String> {
        font();
        let mut text = String::new();
        self.draw(&mut text).map_err(|e| Error::Invalid(format!("{} cannot be drawn: {e}", self.title)))?;
        Ok(text)
    }

    /// The height of a value on the vertical axis.
    fn height(&self, y: f64) -> f64 {
        if self.logarithmic {
            y.log10()
        } else {
            y
        }
    }

    fn points<'a>(&'a self, series: &'a Series) -> impl Iterator<Item = (f64, f64)> + 'a {
        let points = series.points.iter().map(|(x, y)| (*x, self.height(*y)));
        points.filter(|(x, y)| x.is_finite() && y.is_finite())
    }

    fn draw(&self, text: &mut String) -> std::result::Result<(), Box<dyn std::error::Error>> {
        let all: Vec<(f64, f64)> = self.series.iter().flat_map(|s| self.points(s)).collect();
        let ends = |values: &mut dyn Iterator<Item = f64>| {
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
        };
        let (left, right) = ends(&mut all.iter().map(|p| p.0));
        let (mut low, mut high) = ends(&mut all.iter().map(|p| p.1));
        if all.is_empty() {
            return Err("there are no points".into());
        }
        if self.from_zero && !self.logarithmic {
            low = low.min(0.0);
        }
        // Room above for the legend.
        let share = if self.series.len() > 1 { 0.05 + 0.055 * self.series.len() as f64 } else { 0.06 };
        let room = ((high - low) * share).max(1e-9 * (1.0 + high.abs()));
        (low, high) = (if self.from_zero && !self.logarithmic { low } else { low - room / 4.0 }, high + room);
        let side = ((right - left) * 0.02).max(if left == right { 1.0 } else { 0.0 });
        let area = SVGBackend::with_string(text, SIZE).into_drawing_area();
        let labels = ("sans-serif", 14);
        let below = if self.names.is_empty() { 44 } else { 120 };
        let mut chart = ChartBuilder::on(&area)
            .caption(&self.title, ("sans-serif", 18))
            .margin(10)
            .x_label_area_size(below)
            .y_label_area_size(64)
            .build_cartesian_2d(left - side..right + side, low..high)?;
        let name = |x: &f64| {
            let whole = (x - x.round()).abs() < 1e-6 && *x > -0.5;
            self.names.get(x.round().max(0.0) as usize).filter(|_| whole).cloned().unwrap_or_default()
        };
        // Ticks between whole numbers stay without a label.
        let number = |x: &f64| if (x - x.round()).abs() < 1e-6 { format!("{x:.0}") } else { String::new() };
        let power = |y: &f64| short(if self.logarithmic { 10f64.powf(*y) } else { *y });
        let mut mesh = chart.configure_mesh();
        mesh.x_desc(self.x).y_desc(self.y).label_style(labels).axis_desc_style(labels).light_line_style(TRANSPARENT);
        mesh.bold_line_style(BLACK.mix(0.12)).y_label_formatter(&power);
        if self.names.is_empty() {
            mesh.x_label_formatter(&number).draw()?;
        } else {
            let turned = ("sans-serif", 11).into_font().transform(FontTransform::Rotate90);
            mesh.x_labels(self.names.len() * 2).x_label_formatter(&name).x_label_style(turned).draw()?;
        }
        for (i, series) in self.series.iter().enumerate() {
            let color = COLORS[i % COLORS.len()];
            let drawn = chart.draw_series(LineSeries::new(self.points(series), color.stroke_width(2)))?;
            drawn
                .label(&series.name)
                .legend(move |(x, y)| Rectangle::new([(x, y - 2), (x + 16, y + 2)], color.filled()));
            if self.marks {
                chart.draw_series(self.points(series).map(|point| Circle::new(point, 3, color.filled())))?;
            }
        }
        if self.series.len() > 1 {
            let mut legend = chart.configure_series_labels();
            legend.position(SeriesLabelPosition::UpperRight).background_style(WHITE.mix(0.85));
            legend.border_style(BLACK.mix(0.2)).label_font(labels).draw()?;
        }
        area.present()?;
        Ok(())
    }
}

/// A number with about three digits.
fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 1.0 => format!("{value:.1}"),
        v if v >= 0.01 => format!("{value:.3}"),
        _ => format!("{value:.1e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: Vec<(f64, f64)>) -> Chart {
        let series = vec![
            Series { name: "first <1>".into(), points },
            Series { name: "second".into(), points: vec![(1.0, 3.0), (2.0, f64::NAN), (3.0, 1.0)] },
        ];
        let (x, y, names) = ("step", "loss", vec![]);
        Chart { title: "a & b".into(), x, y, logarithmic: true, from_zero: true, marks: true, names, series }
    }

    #[test]
    fn holds_titles_lines_and_marks() {
        let svg = chart(vec![(1.0, 10.0), (2.0, 0.1), (3.0, 0.0)]).svg().unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        for part in ["a &amp; b", "first &lt;1&gt;", "second", "step", "loss"] {
            assert!(svg.contains(part), "{part} in {svg}");
        }
        assert!(svg.matches("<polyline").count() >= 2);
        assert_eq!(svg.matches("<circle").count(), 4, "what has no logarithm or is no number is left out");
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }

    #[test]
    fn names_stand_in_place_of_numbers() {
        let mut chart = chart(vec![(0.0, 1.0), (1.0, 2.0)]);
        chart.names = vec!["stem".into(), "head".into()];
        chart.series.truncate(1);
        let svg = chart.svg().unwrap();
        assert!(svg.contains("stem") && svg.contains("head"));
        assert!(!svg.contains("first"), "one line needs no legend");
        chart.series.clear();
        assert!(chart.svg().unwrap_err().to_string().contains("no points"));
    }
}
