//! The report of an evaluation, as text and as JSON.
use super::bootstrap::Estimate;
use super::corruption::Corruption;
use super::quantization::PlanError;
use super::source::Arithmetic;
use super::{bit_bound::BitBound, bound::Bound, Figures};
use crate::data::Axis;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// Everything that was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The file or folder.
    pub model: String,
    /// What the plans' figures are of: `int8` through the runtime, or `float`; nothing of pictures that were compared.
    pub arithmetic: Option<Arithmetic>,
    /// Images of each draw.
    pub count: usize,
    /// Seed of the draws and of the bootstrap.
    pub seed: u64,
    /// Guidance scale of the draws with classes.
    pub guidance: f64,
    /// The axes of the classes that the model draws; none if it draws without.
    pub axes: Vec<Axis>,
    /// The data that samples are compared with.
    pub data: String,
    /// Images of these, and of the others that nothing was trained on.
    pub images: [usize; 2],
    /// The evaluator, where there is one.
    pub evaluator: Option<EvaluatorReport>,
    /// The plans; of pictures that were compared one without a name.
    pub plans: Vec<PlanReport>,
    /// The variational bound.
    pub bound: Bounds,
    /// Errors of the integer network against the float one, a plan each; empty without a float network.
    pub quantization: Vec<PlanError>,
    /// Test images in the place of samples: the floor.
    pub real: Figures,
    /// Of a model that follows mel spectrograms, what the algorithm of Griffin and Lim makes of the same ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub griffin_lim: Option<Figures>,
    /// Corrupted test images in the place of samples, by the name of the corruption.
    #[serde(flatten)]
    pub corrupted: Corrupted,
    /// Seconds that the figures took, by kind, and the bound and the quantization errors.
    pub seconds: BTreeMap<&'static str, f64>,
}

/// The figures of corrupted test images.
#[derive(Clone, Debug, Default)]
pub struct Corrupted(pub Vec<(Corruption, Figures)>);

impl Serialize for Corrupted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(corruption, figures)| (corruption.name, figures)))
    }
}

/// The evaluator that the figures were measured with.
#[derive(Clone, Debug, Serialize)]
pub struct EvaluatorReport {
    /// SHA-256 of its file.
    pub sha256: String,
    /// The data that it was made of.
    pub data: String,
    /// Share of the test images that it reads right on all axes; absent where it was taught no labels.
    pub test_accuracy: Option<f64>,
    /// The same of each axis alone, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub axis_test_accuracy: Vec<(String, f64)>,
}

impl EvaluatorReport {
    /// It in one line.
    pub fn summary(&self) -> String {
        let reads = match self.test_accuracy {
            Some(accuracy) => {
                let axis = |(name, share): &(String, f64)| format!(", {name} of {:.2} %", 100.0 * share);
                let axes: String = self.axis_test_accuracy.iter().map(axis).collect();
                format!("{:.2} % of the test images read right{axes}", 100.0 * accuracy)
            }
            None => "taught without labels, so that figures of classes are left out".into(),
        };
        format!("evaluator {} of {}: {reads}", &self.sha256[..16], self.data)
    }
}

/// The figures of one plan.
#[derive(Clone, Debug, Serialize)]
pub struct PlanReport {
    /// Name.
    pub name: String,
    /// Number of steps.
    pub steps: usize,
    /// Seconds that both draws took.
    pub seconds: f64,
    /// The figures in the report's arithmetic.
    pub figures: Figures,
    /// The same of the float network, where both were asked for.
    pub float: Option<Draw>,
    /// The Fréchet distance of the integers over that of the floats, less 1.
    pub frechet_change: Option<f64>,
}

/// The figures of a draw.
#[derive(Clone, Debug, Serialize)]
pub struct Draw {
    /// Seconds that both draws took.
    pub seconds: f64,
    /// The figures.
    pub figures: Figures,
}

/// The variational bound in both arithmetics.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Bounds {
    /// Of the integer network.
    pub int8: Option<Bound>,
    /// Of the float network.
    pub float: Option<Bound>,
    /// That over bits, by the arithmetic.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub bits: BTreeMap<&'static str, BitBound>,
    /// What is missing, why, and how to get it.
    pub note: Option<String>,
}

impl Bounds {
    /// Those that were measured, with their names.
    pub fn measured(&self) -> impl Iterator<Item = (&'static str, &Bound)> {
        [("int8", &self.int8), ("float", &self.float)].into_iter().filter_map(|(name, b)| Some((name, b.as_ref()?)))
    }
}

/// A figure as reports show it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Name.
    pub name: String,
    /// The figure, if there is one.
    pub estimate: Option<Estimate>,
    /// What it is multiplied by.
    factor: f64,
    /// Decimals shown.
    decimals: usize,
}

impl Row {
    /// A value of this figure as text.
    pub fn show(&self, value: f64) -> String {
        format!("{:.*}", self.decimals, value * self.factor)
    }

    /// The figure as text, or a dash.
    pub fn value(&self) -> String {
        self.estimate.map_or("–".into(), |e| self.show(e.value))
    }

    /// The ends of the interval as text.
    pub fn interval(&self) -> String {
        self.estimate.map_or("–".into(), |e| format!("{} to {}", self.show(e.low), self.show(e.high)))
    }
}

impl Figures {
    /// Every figure, in the order of the reports; `axes` are those of the classes that a model draws.
    pub fn rows(&self, axes: &[Axis]) -> Vec<Row> {
        let row = |name: &str, estimate, factor, decimals| Row { name: name.into(), estimate, factor, decimals };
        let several = if axes.len() > 1 { axes } else { &[] };
        let axis = |(i, axis): (usize, &Axis)| {
            row(&format!("  {} alone, %", axis.name), self.axis_accuracy.get(i).copied(), 100.0, 1)
        };
        let first = [
            row("Fréchet distance", self.frechet_distance, 1.0, 2),
            row("class accuracy, %", self.class_accuracy, 100.0, 1),
        ];
        let rest = [
            row("class total variation", self.class_total_variation, 1.0, 3),
            row("precision", self.precision, 1.0, 3),
            row("recall", self.recall, 1.0, 3),
            row("sliced Wasserstein", Some(self.sliced_wasserstein), 1.0, 4),
            row("the same, pyramid", Some(self.pyramid_wasserstein), 1.0, 1),
            row("memorisation ratio", self.memorisation_ratio, 1.0, 3),
            row("log-mel distance, dB", self.log_mel_distance, 1.0, 2),
            row("quiet frames, dB", self.quiet_level, 1.0, 1),
        ];
        first.into_iter().chain(several.iter().enumerate().map(axis)).chain(rest).collect()
    }
}

impl Report {
    /// What was drawn and with what, in one line.
    pub fn summary(&self) -> String {
        let against = format!("against {} images of {} and {} held out", self.images[0], self.data, self.images[1]);
        let Some(arithmetic) = self.arithmetic else {
            return format!("{}: {} images {against}, seed {}", self.model, self.count, self.seed);
        };
        let draws = if !self.axes.is_empty() {
            format!("{} images with classes (guidance {}) and as many without for each plan", self.count, self.guidance)
        } else {
            format!("{} images for each plan", self.count)
        };
        format!("{}: {arithmetic}, {draws} {against}, seed {}", self.model, self.seed)
    }

    /// What the main column of figures is called.
    pub fn drawn(&self) -> String {
        self.arithmetic.map_or("pictures".into(), |arithmetic| arithmetic.to_string())
    }

    /// The figures that are shown beside each plan's, with their names.
    pub fn references(&self) -> Vec<(&'static str, &Figures)> {
        let corrupted = self.corrupted.0.iter().map(|(corruption, figures)| (corruption.name, figures));
        let made = self.griffin_lim.as_ref().map(|figures| ("Gr.-Lim", figures));
        std::iter::once(("real", &self.real)).chain(made).chain(corrupted).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.summary())?;
        match &self.evaluator {
            Some(evaluator) => writeln!(f, "{}", evaluator.summary())?,
            None => writeln!(f, "no evaluator: figures that need one are left out (`trainer judge` makes one)")?,
        }
        for (name, bound) in self.bound.measured() {
            writeln!(
                f,
                "variational bound, {name}: {:.3} ± {:.3} bits a value = L_T {:.5} + L_1..T-1 {:.3} + L_0 {:.3}",
                bound.total,
                1.96 * bound.standard_error,
                bound.prior,
                bound.steps,
                bound.reconstruction
            )?;
            let Some(bayes) = &bound.bayes else { continue };
            writeln!(
                f,
                "  with Bayes' rule as the last step, from t = {}: {:.3} ± {:.3} = L_T {:.5} + L_{0}..T-1 {:.3} + L_0 {:.3}",
                bayes.timestep,
                bayes.total,
                1.96 * bayes.standard_error,
                bound.prior,
                bayes.steps,
                bayes.reconstruction
            )?;
        }
        for (name, bound) in &self.bound.bits {
            writeln!(
                f,
                "variational bound, {name}: {:.2} ± {:.2} nats an image ({:.4} bits a pixel) = L_T {:.4} + L_1..T-1 {:.2} + \
                 L_0 {:.2}",
                bound.total,
                1.96 * bound.standard_error,
                bound.bits_a_pixel,
                bound.prior,
                bound.steps,
                bound.reconstruction
            )?;
        }
        if let Some(note) = &self.bound.note {
            writeln!(f, "{note}")?;
        }
        let references: Vec<_> =
            self.references().into_iter().map(|(name, figures)| (name, figures.rows(&self.axes))).collect();
        for plan in &self.plans {
            match self.arithmetic {
                Some(_) => writeln!(f, "\nplan {}: {} steps, {:.0} s", plan.name, plan.steps, plan.seconds)?,
                None => writeln!(f)?,
            }
            write!(f, "{:<22} {:>9}  {:<18}", "", self.drawn(), "95 % interval")?;
            if plan.float.is_some() {
                write!(f, " {:>9}  {:<18}", "float", "95 % interval")?;
            }
            references.iter().try_for_each(|(name, _)| write!(f, " {name:>9}"))?;
            writeln!(f)?;
            let float = plan.float.as_ref().map(|float| float.figures.rows(&self.axes));
            for (i, row) in
                plan.figures.rows(&self.axes).into_iter().enumerate().filter(|(_, row)| row.estimate.is_some())
            {
                write!(f, "{:<22} {:>9}  {:<18}", row.name, row.value(), row.interval())?;
                if let Some(float) = &float {
                    write!(f, " {:>9}  {:<18}", float[i].value(), float[i].interval())?;
                }
                references.iter().try_for_each(|(_, rows)| write!(f, " {:>9}", rows[i].value()))?;
                writeln!(f)?;
            }
            if let Some(change) = plan.frechet_change {
                writeln!(f, "Fréchet distance, int8 against float: {:+.1} %", 100.0 * change)?;
            }
        }
        for error in &self.quantization {
            let Some(end) = error.steps.last() else { continue };
            let worst = error.layers.iter().min_by(|a, b| a.signal_to_noise.total_cmp(&b.signal_to_noise));
            let mean = error.steps.iter().map(|s| s.eps_hat).sum::<f64>() / error.steps.len() as f64;
            write!(
                f,
                "\nquantization, {}: eps_hat {:.2} % off a step, x {:.2} % at the end",
                error.plan,
                100.0 * mean,
                100.0 * end.x
            )?;
            if let Some(worst) = worst {
                write!(f, "; noisiest layer {} ({:.1} dB)", worst.name, worst.signal_to_noise)?;
            }
        }
        if !self.quantization.is_empty() {
            writeln!(f)?;
        }
        let seconds: Vec<String> =
            self.seconds.iter().map(|(what, s)| format!("{} {s:.1}", what.replace('_', " "))).collect();
        writeln!(f, "\nseconds: {}", seconds.join(", "))
    }
}
