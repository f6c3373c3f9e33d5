//! The report of an evaluation, as text and as JSON.
use super::bootstrap::Estimate;
use super::{bound::Bound, corruption, Figures, Judge};
use crate::Result;
use serde::Serialize;
use std::fmt;

/// Everything that was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The file or folder.
    pub model: String,
    /// `int8` through the runtime, or `float`.
    pub arithmetic: &'static str,
    /// Images of each draw.
    pub count: usize,
    /// Seed of the draws and of the bootstrap.
    pub seed: u64,
    /// Guidance scale of the draws with classes.
    pub guidance: f64,
    /// The classifier.
    pub classifier: ClassifierReport,
    /// The plans.
    pub plans: Vec<PlanReport>,
    /// The variational bound of a run's network; absent for a model file.
    pub bound: Option<Bound>,
    /// Test digits in the place of samples: the floor.
    pub real: Figures,
    /// Test digits with noise of standard deviation 20/255.
    pub noise: Figures,
    /// Test digits blurred with a radius of 1 pixel.
    pub blur: Figures,
}

/// The classifier that the figures were measured with.
#[derive(Clone, Debug, Serialize)]
pub struct ClassifierReport {
    /// SHA-256 of its weights.
    pub sha256: String,
    /// Share of the 10,000 test digits that it reads right.
    pub test_accuracy: f64,
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
    /// The figures.
    pub figures: Figures,
}

impl Report {
    /// A report of these plans, with the figures of real and corrupted digits.
    ///
    /// # Errors
    /// None in practice.
    pub fn new(
        judge: &Judge,
        model: String,
        arithmetic: &'static str,
        [count, seed]: [u64; 2],
        guidance: f64,
        plans: Vec<PlanReport>,
        bound: Option<Bound>,
    ) -> Result<Self> {
        let sha256 = judge.classifier().sha256().to_owned();
        Ok(Self {
            model,
            arithmetic,
            count: count as usize,
            seed,
            guidance,
            classifier: ClassifierReport { sha256, test_accuracy: judge.test_accuracy() },
            plans,
            bound,
            real: judge.real()?,
            noise: judge.corrupted(corruption::noise)?,
            blur: judge.corrupted(corruption::blur)?,
        })
    }
}

impl Figures {
    /// Every figure with its name and the factor and decimals it is shown with.
    pub fn rows(&self) -> [(&'static str, Option<Estimate>, f64, usize); 7] {
        [
            ("Fréchet distance", Some(self.frechet_distance), 1.0, 2),
            ("class accuracy, %", self.class_accuracy, 100.0, 1),
            ("class total variation", Some(self.class_total_variation), 1.0, 3),
            ("precision", Some(self.precision), 1.0, 3),
            ("recall", Some(self.recall), 1.0, 3),
            ("sliced Wasserstein", Some(self.sliced_wasserstein), 1.0, 4),
            ("memorisation ratio", Some(self.memorisation_ratio), 1.0, 3),
        ]
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {}, {} images with classes (guidance {}) and as many without for each plan, seed {}",
            self.model, self.arithmetic, self.count, self.guidance, self.seed
        )?;
        writeln!(
            f,
            "classifier {}: {:.2} % of the test digits read right",
            &self.classifier.sha256[..16],
            100.0 * self.classifier.test_accuracy
        )?;
        if let Some(bound) = &self.bound {
            writeln!(
                f,
                "variational bound: {:.3} bits a pixel = L_T {:.5} + L_1..T-1 {:.3} + L_0 {:.3}",
                bound.total, bound.prior, bound.steps, bound.reconstruction
            )?;
        }
        let others = [self.real.rows(), self.noise.rows(), self.blur.rows()];
        for plan in &self.plans {
            writeln!(f, "\nplan {}: {} steps, {:.0} s", plan.name, plan.steps, plan.seconds)?;
            let (digits, range) = ("this model", "95 % interval");
            writeln!(f, "{:<22} {digits:>10}  {range:<18} {:>9} {:>9} {:>9}", "", "real", "noise", "blur")?;
            for (row, (name, estimate, factor, decimals)) in plan.figures.rows().into_iter().enumerate() {
                let show = |value: f64| format!("{:.decimals$}", value * factor);
                let Some(estimate) = estimate else { continue };
                let range = format!("{} to {}", show(estimate.low), show(estimate.high));
                write!(f, "{name:<22} {:>10}  {range:<18}", show(estimate.value))?;
                for other in &others {
                    write!(f, " {:>9}", other[row].1.map_or("-".into(), |e| show(e.value)))?;
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}
