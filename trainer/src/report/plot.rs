//! Line plots as PNG.
use crate::{Error, Result};
use plotters::prelude::*;
use plotters::style::{register_font, FontStyle};
use std::path::Path;
use std::sync::Once;

/// Size of a plot in pixels.
const SIZE: (u32, u32) = (900, 540);
/// Points drawn of a loss curve; each is the mean of its neighbours.
const POINTS: usize = 450;

/// Draws the loss of every step, smoothed, and writes it as a PNG (whole or not at all).
///
/// # Errors
/// No losses, or a file that cannot be written.
pub fn loss(path: &Path, losses: &[f32]) -> Result<()> {
    if losses.is_empty() {
        return Err(Error::Invalid("there are no losses to plot yet".into()));
    }
    let width = losses.len().div_ceil(POINTS);
    let points: Vec<(f64, f64)> = losses
        .chunks(width)
        .enumerate()
        .map(|(i, part)| {
            let mean = part.iter().map(|l| f64::from(*l)).sum::<f64>() / part.len() as f64;
            ((i * width) as f64 + (part.len() as f64 + 1.0) / 2.0, mean)
        })
        .collect();
    let mut pixels = vec![0; (SIZE.0 * SIZE.1 * 3) as usize];
    draw(&mut pixels, &points, losses.len() as f64).map_err(|e| Error::file(path, format!("cannot be drawn: {e}")))?;
    super::image::write_png(path, [SIZE.0 as usize, SIZE.1 as usize], png::ColorType::Rgb, &pixels)
}

/// Makes the font known that all plots are labelled with.
pub(super) fn font() {
    static FONT: Once = Once::new();
    FONT.call_once(|| {
        let _ = register_font("sans-serif", FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT);
    });
}

fn draw(pixels: &mut [u8], points: &[(f64, f64)], steps: f64) -> std::result::Result<(), Box<dyn std::error::Error>> {
    font();
    let high = points.iter().map(|p| p.1).fold(0.0, f64::max);
    let area = BitMapBackend::with_buffer(pixels, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("training loss", ("sans-serif", 22))
        .margin(14)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..steps + 1.0, 0.0..high * 1.05)?;
    let labels = ("sans-serif", 15);
    chart
        .configure_mesh()
        .x_desc("step")
        .y_desc("loss")
        .label_style(labels)
        .axis_desc_style(labels)
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.3}"))
        .draw()?;
    chart.draw_series(LineSeries::new(points.iter().copied(), BLUE.stroke_width(2)))?;
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_a_curve_with_labels() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loss.png");
        let losses: Vec<f32> = (0..2000).map(|i| 1.0 / (1.0 + i as f32 * 0.01)).collect();
        loss(&path, &losses).unwrap();
        let mut reader =
            png::Decoder::new(std::io::BufReader::new(std::fs::File::open(&path).unwrap())).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        let inked = |x: std::ops::Range<usize>, y: std::ops::Range<usize>| {
            y.flat_map(|y| x.clone().map(move |x| (y * SIZE.0 as usize + x) * 3)).filter(|i| pixels[*i] < 128).count()
        };
        assert!(inked(0..70, 0..540) > 50, "the axis has labels");
        assert!(inked(100..880, 60..480) > 500, "the curve is there");
        assert!(loss(&path, &[]).is_err());
    }
}
