//! Image-to-image, inpainting and previews: what they promise, bit for bit.

use brownian::gaussian::normal;
use brownian::plan::Level;
use brownian::rng::Stream;
use brownian::{mask_len, Condition, Image, Known, Model, Sampler, SamplerError};
use brownian_tests::{shipped_model, HostModel};
use std::ops::ControlFlow;

const SEED: (u64, u32) = (21, 4);

/// Memory of one chain.
struct Memory {
    arena: Vec<u128>,
    state: Vec<f32>,
}

impl Memory {
    fn new(model: &Model) -> Self {
        Self { arena: vec![0; model.arena_len().div_ceil(16)], state: vec![0.0; model.state_len()] }
    }

    fn start<'a>(&'a mut self, model: &'a Model<'a>, plan: &str) -> Sampler<'a> {
        let plan = model.plan(plan).unwrap();
        let arena = bytemuck::cast_slice_mut(&mut self.arena);
        Sampler::new(model, plan, Condition::class(3), SEED, arena, &mut self.state).unwrap()
    }
}

/// Plans of few steps: one with c ≠ 0, one without.
fn with_models(test: impl Fn(&Model, &str, Memory)) {
    for (name, plan) in [("digits28", "fast5"), ("digits28-nano", "fast5")] {
        let host = HostModel::read(&shipped_model(name)).unwrap();
        let model = host.parse().unwrap();
        test(&model, plan, Memory::new(&model));
    }
}

/// A ramp of bytes, and a mask that keeps every third pixel.
fn ramp_and_mask(model: &Model) -> (Vec<u8>, Vec<u8>) {
    let ramp: Vec<u8> = (0..model.sample_len()).map(|i| (i * 5) as u8).collect();
    let mut mask = vec![0; mask_len(model.sample_len())];
    (0..model.sample_len()).step_by(3).for_each(|pixel| mask[pixel / 8] |= 1 << (pixel % 8));
    (ramp, mask)
}

fn noised(level: Level, value: f32, draw: u32, index: usize) -> f32 {
    let z = Stream::new(SEED.0, SEED.1, draw).words(index as u32 / 2).map(normal)[index % 2];
    level.signal * value + level.noise * z
}

fn finish(mut sampler: Sampler) -> Vec<f32> {
    while sampler.step() {}
    sampler.x().to_vec()
}

#[test]
fn what_is_kept_has_the_level_of_every_step_and_ends_as_it_was() {
    with_models(|model, plan, mut memory| {
        let (ramp, mask) = ramp_and_mask(model);
        let image = Image::Bytes(&ramp);
        let known = Known { image, mask: &mask };
        let mut sampler = memory.start(model, plan).inpaint(known).unwrap();
        let plan = model.plan(plan).unwrap();
        loop {
            let level = plan.level(sampler.steps_done());
            for i in (0..model.sample_len()).step_by(3) {
                let expected = noised(level, image.value(i).unwrap(), Stream::KNOWN, i);
                assert_eq!(sampler.x()[i].to_bits(), expected.to_bits(), "step {}, {i}", sampler.steps_done());
            }
            if !sampler.step() {
                break;
            }
        }
        assert_eq!(plan.level(plan.len()), Level::CLEAN);
        let x = sampler.x().to_vec();
        assert!((0..x.len()).step_by(3).all(|i| Some(x[i]) == image.value(i)));
        let others = (0..x.len()).filter(|i| i % 3 != 0).filter(|&i| Some(x[i]) != image.value(i)).count();
        assert!(others > x.len() / 2, "{others} other pixels are drawn");
        // The same image as values gives the same bits.
        let values: Vec<f32> = (0..x.len()).map(|i| image.value(i).unwrap()).collect();
        let known = Known { image: Image::Values(&values), mask: &mask };
        assert_eq!(finish(memory.start(model, model.plans().nth(1).unwrap().name())).len(), x.len());
        assert_eq!(finish(memory.start(model, plan.name()).inpaint(known).unwrap()), x);
    });
}

#[test]
fn a_mask_of_nothing_is_the_plain_draw_and_one_of_everything_the_image() {
    with_models(|model, plan, mut memory| {
        let (ramp, mask) = ramp_and_mask(model);
        let image = Image::Bytes(&ramp);
        let plain = finish(memory.start(model, plan));
        let draw = |memory: &mut Memory, mask: &[u8]| {
            finish(memory.start(model, plan).inpaint(Known { image, mask }).unwrap())
        };
        assert_eq!(draw(&mut memory, &vec![0; mask.len()]), plain);
        let whole = draw(&mut memory, &vec![0xff; mask.len()]);
        assert!(whole.iter().enumerate().all(|(i, &x)| Some(x) == image.value(i)));
        assert_ne!(draw(&mut memory, &mask), plain);
    });
}

#[test]
fn image_to_image_begins_at_the_level_of_its_step() {
    with_models(|model, plan, mut memory| {
        let drawn = finish(memory.start(model, plan));
        let steps = model.plan(plan).unwrap().len();
        let mut distances = Vec::new();
        for step in 0..steps {
            let sampler = memory.start(model, plan).from_image(Image::Values(&drawn), step).unwrap();
            let level = model.plan(plan).unwrap().level(step);
            assert_eq!((sampler.steps_done(), sampler.next_step().unwrap().level), (step, level));
            for (i, (&x, &value)) in sampler.x().iter().zip(&drawn).enumerate() {
                assert_eq!(x.to_bits(), noised(level, value, Stream::START, i).to_bits());
            }
            let result = finish(sampler);
            distances.push(result.iter().zip(&drawn).map(|(a, b)| (a - b).powi(2)).sum::<f32>());
        }
        println!("{plan}: squared distances from the image by first step {distances:?}");
        assert!(distances[steps - 1] < 0.5 * distances[0], "later starts keep more: {distances:?}");
    });
}

/// The first step of a chain from the middle of a multistep plan is of first order: c·x0_hat in place of c·x0_hat_prev.
#[test]
fn a_multistep_plan_begins_with_first_order_anywhere() {
    let host = HostModel::read(&shipped_model("digits28")).unwrap();
    let model = host.parse().unwrap();
    let (plan, (ramp, _)) = (model.plan("fast5").unwrap(), ramp_and_mask(&model));
    let mut memory = Memory::new(&model);
    let step = plan.step(2).unwrap();
    assert_ne!(step.c, 0.0);
    let mut sampler = memory.start(&model, "fast5").from_image(Image::Bytes(&ramp), 2).unwrap();
    let mut expected = Vec::new();
    sampler.step_previewed(|preview| {
        let next = |(x, x0_hat): (&f32, f32)| step.a * x + (step.b + step.c) * x0_hat;
        expected = preview.x().iter().zip(preview.x0_hat()).map(next).collect();
        ControlFlow::Continue(())
    });
    assert_eq!(sampler.x(), expected);
}

/// Each preview is the x0_hat that the step uses, and the last one the sample; looking changes nothing.
#[test]
fn previews_are_what_steps_use() {
    with_models(|model, plan, mut memory| {
        let drawn = finish(memory.start(model, plan));
        let mut sampler = memory.start(model, plan);
        let (mut seen, mut last) = (0, Vec::new());
        let mut look = |preview: brownian::Preview| {
            assert_eq!(preview.steps_done(), seen);
            seen += 1;
            last = preview.x0_hat().collect();
            assert_eq!(last.len(), preview.x0_hat().len());
            ControlFlow::Continue(())
        };
        while sampler.step_previewed(&mut look) {}
        assert_eq!((seen, sampler.x()), (sampler.steps(), &drawn[..]));
        assert_eq!(last, drawn);
    });
}

/// A cancelled step leaves the chain where it was, to be continued as if nothing had been.
#[test]
fn cancelling_leaves_the_chain_whole() {
    with_models(|model, plan, mut memory| {
        let drawn = finish(memory.start(model, plan));
        let mut sampler = memory.start(model, plan);
        sampler.step();
        let before = (sampler.digest(), sampler.steps_done());
        for _ in 0..2 {
            assert!(!sampler.step_previewed(|_| ControlFlow::Break(())));
            assert_eq!((sampler.digest(), sampler.steps_done()), before);
        }
        assert_eq!(finish(sampler), drawn);
    });
}

#[test]
fn images_that_do_not_fit_are_refused() {
    with_models(|model, plan, mut memory| {
        let (ramp, mask) = ramp_and_mask(model);
        let values = model.sample_len() as u32;
        let image = Image::Bytes(&ramp);
        let short = Image::Bytes(&ramp[1..]);
        let error = memory.start(model, plan).from_image(short, 1).unwrap_err();
        assert_eq!(error, SamplerError::ImageLength { needed: values, found: values - 1 });
        let error = memory.start(model, plan).from_image(image, 5).unwrap_err();
        assert_eq!(error, SamplerError::Start { steps: 5 });
        assert!(error.to_string().contains("5 steps"));
        let mut sampler = memory.start(model, plan);
        sampler.step();
        assert_eq!(sampler.from_image(image, 3).unwrap_err(), SamplerError::Started);
        let error = memory.start(model, plan).inpaint(Known { image: short, mask: &mask }).unwrap_err();
        assert_eq!(error, SamplerError::ImageLength { needed: values, found: values - 1 });
        let error = memory.start(model, plan).inpaint(Known { image, mask: &mask[1..] }).unwrap_err();
        assert_eq!(error, SamplerError::MaskLength { needed: 98, found: 97 });
    });
}
