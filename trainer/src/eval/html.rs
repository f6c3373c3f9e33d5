//! The report as one page that needs nothing else: tables, plots as SVG, samples as PNG inside.
use super::evaluation::{row_names, Evaluation, COLUMNS, SOUND_COLUMNS};
use super::quantization::PlanError;
use super::report::{PlanReport, Report};
use super::source::Arithmetic;
use crate::data::Sound;
use crate::report::chart::{Chart, Series};
use crate::report::{image, sound};
use crate::Result;
use base64::prelude::{Engine, BASE64_STANDARD};
use maud::{html, Markup, PreEscaped, DOCTYPE};

/// How the page looks.
const STYLE: &str = "
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1c2530; background: #f5f6f8; margin: 0; }
main { max-width: 1360px; margin: 0 auto; padding: 24px; }
h1 { font-size: 26px; margin: 0 0 4px; }
h2 { font-size: 19px; margin: 0 0 10px; }
h3 { font-size: 15px; margin: 18px 0 6px; }
p { margin: 4px 0 10px; max-width: 90ch; }
.dim { color: #5b6675; }
section { background: #fff; border: 1px solid #dfe3e8; border-radius: 10px; padding: 18px 20px; margin: 16px 0; overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 12px; text-align: right; border-bottom: 1px solid #edf0f3; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
thead th { color: #5b6675; font-weight: 600; border-bottom: 2px solid #dfe3e8; }
td small { color: #7a8594; }
.main { font-weight: 600; }
.row { display: flex; flex-wrap: wrap; gap: 16px; }
figure { margin: 0; }
figcaption { color: #5b6675; margin-bottom: 6px; }
figure svg { max-width: 100%; height: auto; }
img { image-rendering: pixelated; max-width: 100%; border-radius: 4px; }
.sounds { display: grid; grid-template-columns: auto repeat(4, 160px); gap: 8px; align-items: center; }
.sounds audio { width: 160px; height: 32px; display: block; }
.sounds img { width: 160px; }
code { background: #eef1f4; padding: 1px 5px; border-radius: 4px; }
";

/// The page.
///
/// # Errors
/// A plot without any point.
pub fn page(evaluation: &Evaluation) -> Result<String> {
    let report = &evaluation.report;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Evaluation of " (report.model) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { "Evaluation of " (report.model) }
                    p.dim { (report.summary()) }
                    p.dim {
                        @match &report.evaluator {
                            Some(evaluator) => (evaluator.summary()),
                            None => "Without an evaluator",
                        }
                        ". Small print: 95 % interval, of shares Wilson's, else over bootstrap draws of the images. "
                        "Real: test images in the place of samples (the floor)"
                        @if report.griffin_lim.is_some() {
                            "; Gr.-Lim: the algorithm of Griffin and Lim, from the same spectrograms"
                        }
                        @for (corruption, _) in &report.corrupted.0 { "; " (corruption.name) ": " (corruption.about) } "."
                    }
                    @for plan in &report.plans { (figures(report, plan)) }
                    @if report.arithmetic.is_some() { (against_steps(report)?) }
                    (samples(evaluation)?)
                    @if report.arithmetic.is_some() { (bound(report, evaluation.sound.is_some())?) }
                    @if !report.quantization.is_empty() { (quantization(&report.quantization)?) }
                    section {
                        h2 { "Time" }
                        p {
                            @for (i, (what, seconds)) in report.seconds.iter().enumerate() {
                                @if i > 0 { ", " }
                                (what.replace('_', " ")) " " (format!("{seconds:.1} s"))
                            }
                            " for all sets of images together; draws are shown with their plans."
                        }
                    }
                }
            }
        }
    };
    Ok(page.into_string())
}

/// The table of a plan's figures.
fn figures(report: &Report, plan: &PlanReport) -> Markup {
    let references: Vec<_> =
        report.references().into_iter().map(|(name, figures)| (name, figures.rows(&report.axes))).collect();
    let float = plan.float.as_ref().map(|float| float.figures.rows(&report.axes));
    let times = plan.float.as_ref().map_or(String::new(), |float| format!(" ({:.0} s in float)", float.seconds));
    html! {
        section {
            h2 { @if report.arithmetic.is_some() { "Plan " (plan.name) ": " (plan.steps) " steps" } @else { "Figures" } }
            table {
                thead { tr {
                    th { "" }
                    th { (report.drawn()) }
                    @if float.is_some() { th { "float" } }
                    @for (name, _) in &references { th { (name) } }
                } }
                tbody {
                    @for (i, row) in plan.figures.rows(&report.axes).iter().enumerate().filter(|(_, row)| row.estimate.is_some()) {
                        tr {
                            td { (row.name) }
                            td { span.main { (row.value()) } " " small { (row.interval()) } }
                            @if let Some(float) = &float { td { (float[i].value()) " " small { (float[i].interval()) } } }
                            @for (_, rows) in &references {
                                td { (rows[i].value()) @if rows[i].estimate.is_some() { " " small { (rows[i].interval()) } } }
                            }
                        }
                    }
                }
            }
            p.dim {
                @if let Some(change) = plan.frechet_change {
                    "Fréchet distance, int8 against float: " (format!("{:+.1} %", 100.0 * change)) ". "
                }
                @if report.arithmetic.is_some() { "Drawn in " (format!("{:.0} s", plan.seconds)) (times) "." }
            }
        }
    }
}

/// Fréchet distance and accuracy against the number of steps.
fn against_steps(report: &Report) -> Result<Markup> {
    type Value = fn(&super::Figures) -> Option<f64>;
    let chart = |title: &str, y: &'static str, from_zero: bool, value: Value| {
        let mut plans: Vec<&PlanReport> = report.plans.iter().collect();
        plans.sort_by_key(|plan| plan.steps);
        let points = |figures: &dyn Fn(&PlanReport) -> Option<super::Figures>| -> Vec<(f64, f64)> {
            let point = |plan: &&PlanReport| Some((plan.steps as f64, value(&figures(plan)?)?));
            plans.iter().filter_map(point).collect()
        };
        let main = points(&|plan| Some(plan.figures.clone()));
        let float = points(&|plan| plan.float.as_ref().map(|float| float.figures.clone()));
        let steps = plans.iter().map(|plan| plan.steps as f64).collect::<Vec<f64>>();
        let level = value(&report.real);
        let real = [steps.first(), steps.last()].into_iter().flatten().filter_map(|x| Some((*x, level?))).collect();
        let mut series = vec![Series { name: report.drawn(), points: main }];
        series.push(Series { name: "float".into(), points: float });
        series.push(Series { name: "real images".into(), points: real });
        series.retain(|series| !series.points.is_empty());
        Chart { title: title.into(), x: "steps", y, logarithmic: false, from_zero, marks: true, names: vec![], series }
    };
    let mut charts = vec![chart("Fréchet distance against steps", "Fréchet distance", true, |figures| {
        figures.frechet_distance.map(|distance| distance.value)
    })];
    if !report.axes.is_empty() {
        charts.push(chart("Class accuracy against steps", "share read as asked", false, |figures| {
            figures.class_accuracy.map(|accuracy| accuracy.value)
        }));
    }
    Ok(html! {
        section #steps {
            h2 { "Figures against steps" }
            div.row { @for chart in &charts { (plot(chart)?) } }
            p.dim { @for plan in &report.plans { (plan.name) ": " (plan.steps) " steps. " } }
        }
    })
}

/// Grays of a spectrogram on a side of the middle one; more would make the page larger, and are not seen.
const GRAYS: f32 = 8.0;

/// Sounds to be heard, each below its waveform and spectrogram, one row a class.
fn sounds(name: &str, signals: &[f32], length: usize, of: Sound, rows: &[String]) -> Result<Markup> {
    let cell = |signal: &[f32]| -> Result<Markup> {
        if signal.iter().all(|value| *value == 0.0) {
            return Ok(html! { div {} });
        }
        let (shape, mut pixels) = sound::picture(signal, 1);
        pixels.iter_mut().for_each(|value| *value = (*value * GRAYS).round() / GRAYS);
        let picture = BASE64_STANDARD.encode(image::grid(&pixels, shape, 1, 1)?);
        let heard = BASE64_STANDARD.encode(sound::wav(
            signal,
            length,
            1,
            brownian::sound::Sound { rate: of.rate, level: None },
        )?);
        Ok(html! {
            div {
                img src=(format!("data:image/png;base64,{picture}")) alt="Waveform and spectrogram";
                audio controls preload="none" src=(format!("data:audio/wav;base64,{heard}")) {}
            }
        })
    };
    Ok(html! {
        figure {
            figcaption { (name) }
            div.sounds {
                @for (i, row) in signals.chunks(SOUND_COLUMNS * length).enumerate() {
                    div.dim { (rows.get(i).map_or("", String::as_str)) }
                    @for signal in row.chunks_exact(length) { (cell(signal)?) }
                    @for _ in row.len() / length..SOUND_COLUMNS { div {} }
                }
            }
        }
    })
}

/// Samples of every plan beside real images, one row a class.
fn samples(evaluation: &Evaluation) -> Result<Markup> {
    let report = &evaluation.report;
    let rows = row_names(&report.axes);
    let grid = |name: &str, images: &[f32]| -> Result<Markup> {
        let shape = evaluation.shape;
        if let Some(of) = evaluation.sound {
            return sounds(name, images, shape.len(), of, &rows);
        }
        let bytes = image::grid(images, [shape.height, shape.width, shape.channels], COLUMNS, 1)?;
        let source = format!("data:image/png;base64,{}", BASE64_STANDARD.encode(bytes));
        let count = images.len() / shape.len();
        let cells = [(COLUMNS.min(count), shape.width), (count.div_ceil(COLUMNS), shape.height)];
        let [width, height] = cells.map(|(cells, size)| (cells * (size + 1) + 1) * 5 / 4);
        Ok(html! {
            figure { figcaption { (name) } img src=(source) width=(width) height=(height) alt=(format!("Samples: {name}")); }
        })
    };
    Ok(html! {
        section #samples {
            h2 { "Samples" }
            p.dim {
                @if !rows.is_empty() && evaluation.sound.is_none() { "Rows from above: " (rows.join(", ")) ". " }
                "Not chosen: the first of each draw."
            }
            div.row {
                @for (plan, images) in report.plans.iter().zip(&evaluation.samples) {
                    (grid(format!("{}, {}", plan.name, report.drawn()).trim_start_matches(", "), images)?)
                }
                (grid(if evaluation.sound.is_some() { "recordings" } else { "real images" }, &evaluation.real)?)
            }
        }
    })
}

/// The terms of the bound and their course over the timesteps.
fn bound(report: &Report, sound: bool) -> Result<Markup> {
    let measured: Vec<_> = report.bound.measured().collect();
    let chart = |title: &str, y, first: usize, values: fn(&super::bound::Bound) -> &Vec<f64>| {
        let line = |values: &Vec<f64>| {
            // A plot has fewer pixels than there are timesteps.
            let width = values.len().div_ceil(250);
            let middle = |i: usize, part: &[f64]| (first + i * width) as f64 + (part.len() as f64 - 1.0) / 2.0;
            let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
            values.chunks(width.max(1)).enumerate().map(|(i, part)| (middle(i, part), mean(part))).collect()
        };
        let series = |(name, bound): &(&str, &_)| Series { name: (*name).into(), points: line(values(bound)) };
        let series = measured.iter().map(series).collect();
        Chart {
            title: title.into(),
            x: "timestep t",
            y,
            logarithmic: true,
            from_zero: false,
            marks: false,
            names: vec![],
            series,
        }
    };
    let charts = [
        chart("Loss at each timestep", "L_{t-1}, bits a value", 2, |bound| &bound.per_timestep),
        chart("Error of the network at each timestep", "mean squared error of eps_hat", 1, |bound| {
            &bound.squared_error
        }),
    ];
    Ok(html! {
        section #bound {
            h2 { "Variational bound" }
            @if let Some(note) = &report.bound.note { p { (note) } }
            @if !measured.is_empty() {
                @if sound { p.dim { "Bits a sample of test sounds, whose samples have 16 bits, with σ² = β; ± 1.96 standard errors." } }
                @else { p.dim { "Bits a value of test images with σ² = β and clipped x̂0; ± 1.96 standard errors. The last step, from x̂0 to gray "
                    "levels, is a normal distribution of variance β1 around that of x1 (Ho et al. 2020); or the chain ends earlier, and Bayes' "
                    "rule weighs the levels with their shares in the training images." } }
                table {
                    thead { tr {
                        th { "" } th { "bound" } th { "L" sub { "T" } } th { "Σ L" sub { "t−1" } } th { "L" sub { "0" } }
                        @if !sound {
                            th { "bound, Bayes" } th { "from t" } th { "Σ L" sub { "t−1" } } th { "L" sub { "0" } }
                        }
                    } }
                    tbody {
                        @for (name, bound) in &measured {
                            tr {
                                td { (name) }
                                td { span.main { (format!("{:.3}", bound.total)) } " "
                                    small { "± " (format!("{:.3}", 1.96 * bound.standard_error)) } }
                                td { (format!("{:.5}", bound.prior)) }
                                td { (format!("{:.3}", bound.steps)) }
                                td { (format!("{:.3}", bound.reconstruction)) }
                                @if let Some(bayes) = &bound.bayes {
                                    td { span.main { (format!("{:.3}", bayes.total)) } " "
                                        small { "± " (format!("{:.3}", 1.96 * bayes.standard_error)) } }
                                    td { (bayes.timestep) }
                                    td { (format!("{:.3}", bayes.steps)) }
                                    td { (format!("{:.3}", bayes.reconstruction)) }
                                }
                            }
                        }
                    }
                }
                div.row { @for chart in &charts { (plot(chart)?) } }
            }
            @if !report.bound.bits.is_empty() {
                p.dim { "Nats an image of test images as bits, all terms; ± 1.96 standard errors." }
                table {
                    thead { tr {
                        th { "" } th { "bound" } th { "bits a pixel" } th { "L" sub { "T" } } th { "Σ L" sub { "t−1" } }
                        th { "L" sub { "0" } }
                    } }
                    tbody {
                        @for (name, bound) in &report.bound.bits {
                            tr {
                                td { (name) }
                                td { span.main { (format!("{:.2}", bound.total)) } " "
                                    small { "± " (format!("{:.2}", 1.96 * bound.standard_error)) } }
                                td { (format!("{:.4}", bound.bits_a_pixel)) }
                                td { (format!("{:.4}", bound.prior)) }
                                td { (format!("{:.2}", bound.steps)) }
                                td { (format!("{:.2}", bound.reconstruction)) }
                            }
                        }
                    }
                }
            }
        }
    })
}

/// Errors of the integers against the floats, by layer and by step.
fn quantization(plans: &[PlanError]) -> Result<Markup> {
    let by_step = |title: &str, y, value: fn(&super::quantization::StepError) -> f64| {
        let line = |plan: &PlanError| {
            let steps = plan.steps.len() as f64;
            let point = |(i, step): (usize, _)| ((i + 1) as f64 / steps * 100.0, 100.0 * value(step));
            Series { name: plan.plan.clone(), points: plan.steps.iter().enumerate().map(point).collect() }
        };
        let series = plans.iter().map(line).collect();
        Chart {
            title: title.into(),
            x: "% of the chain's steps",
            y,
            logarithmic: false,
            from_zero: true,
            marks: true,
            names: vec![],
            series,
        }
    };
    let mut charts = vec![
        by_step("Quantization error of eps_hat per step", "relative error, %", |step| step.eps_hat),
        by_step("Drift of x per step", "relative error, %", |step| step.x),
    ];
    if let Some(layers) = plans.first().map(|plan| &plan.layers).filter(|layers| !layers.is_empty()) {
        let line = |plan: &PlanError| Series {
            name: plan.plan.clone(),
            points: plan.layers.iter().enumerate().map(|(i, layer)| (i as f64, layer.signal_to_noise)).collect(),
        };
        charts.insert(
            0,
            Chart {
                title: "Quantization error per layer".into(),
                x: "",
                y: "signal to noise, dB",
                logarithmic: false,
                from_zero: true,
                marks: true,
                names: layers.iter().map(|layer| layer.name.clone()).collect(),
                series: plans.iter().map(line).collect(),
            },
        );
    }
    Ok(html! {
        section #quantization {
            h2 { "Quantization" }
            p.dim {
                "The " (Arithmetic::Int8) " network against the float one. Layers (before their activation) and ε̂ see the states of the "
                "float chain, so a layer's error includes that of the layers before it; x is compared between two chains from the "
                "same noise."
            }
            div.row { @for chart in &charts { (plot(chart)?) } }
        }
    })
}

fn plot(chart: &Chart) -> Result<Markup> {
    Ok(html! { figure { (PreEscaped(chart.svg()?)) } })
}
