//! The random part of a step: which images, which timesteps, which noise. Everything is a function of (seed, step), so
//! a resumed run continues where it stopped without any stored state.
use crate::autograd::Buffer;
use crate::data::Dataset;
use crate::process::Process;
use crate::recognition::LocalMel;
use crate::run::Config;
use rand::{seq::SliceRandom, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// One step's images with noise, and what the network should answer.
#[derive(Debug)]
pub struct Draw {
    /// x_t of every image; x0 where the schedule is learned.
    pub x: Buffer,
    /// What the network is to answer, see [`Process::noise`]; the noise itself where the schedule is learned.
    pub target: Buffer,
    /// The timestep of every image.
    pub timesteps: Vec<usize>,
    /// The rows of the class tables of every image, `[images][axes]`.
    pub class_rows: Vec<usize>,
    /// The local condition of every image, of its x0; empty for a network that follows none.
    pub locals: Buffer,
}

/// Draws steps.
#[derive(Debug)]
pub struct Draws {
    config: Config,
    process: Process,
    local: Option<LocalMel>,
    epoch: Option<(u64, Vec<u32>)>,
}

/// Streams of the generator that belong to no step: epochs count down from here, above it lies initialisation.
const EPOCH_STREAMS: u64 = u64::MAX - 1;

impl Draws {
    /// The draws of a run.
    pub fn new(config: &Config) -> Self {
        let local = config.local_mel().ok().flatten();
        Self { config: config.clone(), process: config.process(), local, epoch: None }
    }

    /// The process that the network learns to reverse.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// The images, timesteps and noise of step `step` (counted from 0).
    pub fn draw(&mut self, data: &Dataset, step: u64) -> Draw {
        let (batch, len) = (self.config.batch, data.shape.len());
        let mut rng = self.rng(step << 17);
        // Timesteps are stratified over the batch: image i draws from the i-th of `batch` equal parts of 1..=T.
        let stratum = self.config.timesteps as f64 / batch as f64;
        let timesteps: Vec<usize> = (0..batch)
            .map(|i| ((i as f64 + rng.random::<f64>()) * stratum) as usize + 1)
            .map(|t| t.min(self.config.timesteps))
            .collect();
        let images: Vec<usize> = (0..batch as u64).map(|i| self.image(data.len(), step * batch as u64 + i)).collect();
        let class_rows = self.class_rows(data, &images, &mut rng);
        let (mut x, mut target) = (Buffer::stale(batch * len), Buffer::stale(batch * len));
        x.par_chunks_exact_mut(len).zip(target.par_chunks_exact_mut(len)).enumerate().for_each(|(i, (x, target))| {
            let mut rng = self.rng((step << 17) + 1 + i as u64);
            // The noise is drawn first, so that it is the same with and without augmentation.
            target.iter_mut().for_each(|number| *number = self.process.random(&mut rng));
            let image = data.image(images[i]);
            match self.config.augment.motion().filter(|_| rng.random_bool(self.config.augment_share)) {
                Some(motion) => motion.draw(&mut rng).apply(data.shape, &image, x),
                None => x.copy_from_slice(&image),
            }
        });
        let locals = self.local.as_ref().map_or_else(Vec::new, |local| local.of(&x)).into();
        // A schedule that is learned noises with what it is at the moment.
        if self.config.schedule.learned().is_none() {
            let images = x.par_chunks_exact_mut(len).zip(target.par_chunks_exact_mut(len)).zip(&timesteps);
            images.for_each(|((x, target), t)| self.process.noise(*t, x, target));
        }
        Draw { x, target, timesteps, class_rows, locals }
    }

    /// The rows of the class tables. An image loses all of its classes as often as the configuration says; where there are
    /// several axes, and it has not, each class on its own is lost as often again, so that a chain may be asked for
    /// classes on some axes alone.
    fn class_rows(&self, data: &Dataset, images: &[usize], rng: &mut ChaCha8Rng) -> Vec<usize> {
        let dropout = self.config.label_dropout;
        let axes = self.config.axes.len();
        let mut first = 0;
        let tables: Vec<[usize; 2]> = self
            .config
            .axes
            .iter()
            .map(|axis| {
                let table = [first, axis.classes.len()];
                first += axis.classes.len() + 1;
                table
            })
            .collect();
        let mut rows = Vec::with_capacity(images.len() * axes.max(1));
        for image in images {
            let kept = data.labels.as_ref().filter(|_| !rng.random_bool(dropout)).map(|labels| labels.of(*image));
            for (axis, [first, none]) in tables.iter().enumerate() {
                let class = kept.map(|classes| usize::from(classes[axis]));
                let class = class.filter(|_| axes == 1 || !rng.random_bool(dropout));
                rows.push(first + class.unwrap_or(*none));
            }
            if axes == 0 {
                rows.push(0);
            }
        }
        rows
    }

    fn rng(&self, stream: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.config.seed);
        rng.set_stream(stream);
        rng
    }

    /// The image at a position of the endless sequence of shuffled epochs.
    fn image(&mut self, count: usize, position: u64) -> usize {
        let epoch = position / count as u64;
        let order = match self.epoch.take() {
            Some((number, order)) if number == epoch => order,
            _ => {
                let mut order: Vec<u32> = (0..count as u32).collect();
                order.shuffle(&mut self.rng(EPOCH_STREAMS - epoch));
                order
            }
        };
        let image = order[(position % count as u64) as usize] as usize;
        self.epoch = Some((epoch, order));
        image
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{augment::Augment, digits, Axis, Labels};
    use crate::graph::Shape;

    fn data() -> Dataset {
        let images = (0..40 * 16).map(|i| (i / 16) as f32 / 40.0).collect();
        let labels = Some(Labels::numbered((0..40).map(|i| i % 10).collect()));
        Dataset { source: "test".into(), shape: Shape::new(4, 4, 1), images, labels, sound: None }
    }

    #[test]
    fn steps_do_not_depend_on_their_history() {
        let data = data();
        let mut config = Config::new("tiny", &data);
        config.batch = 16;
        let mut one = Draws::new(&config);
        let draws: Vec<Draw> = (0..8).map(|step| one.draw(&data, step)).collect();
        for (step, draw) in draws.iter().enumerate().rev() {
            let again = Draws::new(&config).draw(&data, step as u64);
            assert_eq!(draw.x[..], again.x[..]);
            assert_eq!(draw.target[..], again.target[..]);
            assert_eq!((&draw.timesteps, &draw.class_rows), (&again.timesteps, &again.class_rows));
            assert!(draw.timesteps.iter().all(|t| (1..=1000).contains(t)));
        }
        assert_ne!(draws[0].x[..], draws[1].x[..]);
    }

    /// A share of the images moves, by motions that depend on seed and step alone; everything else stays as it was.
    #[test]
    fn augmentation_changes_a_share_of_the_images() {
        let data = digits::train().unwrap();
        let config =
            |augment, augment_share| Config { augment, augment_share, batch: 200, ..Config::new("tiny", &data) };
        let plain = Draws::new(&config(Augment::None, 1.0)).draw(&data, 3);
        for (augment, least) in [(Augment::Affine, 200), (Augment::Shift, 150)] {
            for (share, expected) in [(0.0, 0..1), (0.4, least * 3 / 10..101), (1.0, least..201)] {
                let config = config(augment, share);
                let moved = Draws::new(&config).draw(&data, 3);
                assert_eq!((&moved.timesteps, &moved.class_rows), (&plain.timesteps, &plain.class_rows));
                let images = moved.x.chunks_exact(784).zip(plain.x.chunks_exact(784));
                let changed = images.filter(|(a, b)| a != b).count();
                assert!(expected.contains(&changed), "{augment:?} at {share}: {changed} images changed");
                let mut other = Draws::new(&config);
                other.draw(&data, 9);
                assert_eq!(other.draw(&data, 3).x[..], moved.x[..], "the history does not matter");
            }
        }
    }

    /// Of two axes, both classes are lost as often as asked, and else each on its own as often again.
    #[test]
    fn axes_lose_their_classes_together_and_alone() {
        let axis = |name: &str, classes: usize| Axis { name: name.into(), ..Axis::numbered(classes) };
        let values = (0..40).flat_map(|i| [i % 2, i % 3]).collect();
        let labels = Some(Labels { axes: vec![axis("hair", 2), axis("mood", 3)], values });
        let data = Dataset { labels, ..data() };
        let config = Config { batch: 4000, label_dropout: 0.25, ..Config::new("tiny", &data) };
        let mut draws = Draws::new(&config);
        let rows = draws.draw(&data, 0).class_rows;
        let mut counts = [[0; 2]; 2];
        for (i, row) in rows.chunks_exact(2).enumerate() {
            let image = draws.image(40, i as u64);
            // Two rows and the null class's, then three and theirs.
            let lost = [row[0] == 2, row[1] == 6];
            assert!(lost[0] || row[0] == image % 2, "{row:?}");
            assert!(lost[1] || row[1] == 3 + image % 3, "{row:?}");
            counts[usize::from(lost[0])][usize::from(lost[1])] += 1;
        }
        let shares = counts.as_flattened().iter().map(|count| f64::from(*count) / 4000.0);
        let alone = 0.75 * 0.75 * 0.25;
        for (found, expected) in shares.zip([0.75f64.powi(3), alone, alone, 0.25 + 0.75 * 0.0625]) {
            assert!((found - expected).abs() < 0.03, "{found} instead of {expected}");
        }
    }

    #[test]
    fn an_epoch_shows_every_image_once() {
        let data = data();
        let mut sampler = Draws::new(&Config::new("tiny", &data));
        let mut seen: Vec<usize> = (40..80).map(|position| sampler.image(40, position)).collect();
        assert_ne!(seen, (0..40).collect::<Vec<_>>());
        seen.sort_unstable();
        assert_eq!(seen, (0..40).collect::<Vec<_>>());
    }
}
