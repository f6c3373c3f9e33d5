//! Image-to-image, inpainting and previews: what they promise, bit for bit.

use brownian::host::{ChainMemory, OwnedModel};
use brownian::plan::Level;
use brownian::random::{normal, Stream};
use brownian::{mask_len, Builder, Image, KnownPixels, Model, Sampler, SamplerError};
use brownian_tests::shipped_model;

const SEED: (u64, u32) = (21, 4);

/// The chain of every test, class 3 where nothing else is said.
fn chain<'a>(model: &'a Model<'a>, plan: &str) -> Builder<'a> {
    Sampler::builder(model, model.plan(plan).unwrap()).seed(SEED.0).image(SEED.1).class(3)
}

/// Plans of few steps: one with c ≠ 0, one without.
fn with_models(test: impl Fn(&Model, &str, ChainMemory)) {
    for (name, plan) in [("digits28", "fast5"), ("digits28-nano", "fast5")] {
        let host = OwnedModel::read(shipped_model(name)).unwrap();
        let model = host.model();
        test(&model, plan, ChainMemory::new(&model));
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
        let known = KnownPixels { image, mask: &mask };
        let mut sampler = memory.start(chain(model, plan).inpaint(known)).unwrap();
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
        let known = KnownPixels { image: Image::Values(&values), mask: &mask };
        assert_eq!(finish(memory.start(chain(model, model.plans().nth(1).unwrap().name())).unwrap()).len(), x.len());
        assert_eq!(finish(memory.start(chain(model, plan.name()).inpaint(known)).unwrap()), x);
    });
}

#[test]
fn a_mask_of_nothing_is_the_plain_draw_and_one_of_everything_the_image() {
    with_models(|model, plan, mut memory| {
        let (ramp, mask) = ramp_and_mask(model);
        let image = Image::Bytes(&ramp);
        let plain = finish(memory.start(chain(model, plan)).unwrap());
        let draw = |memory: &mut ChainMemory, mask: &[u8]| {
            finish(memory.start(chain(model, plan).inpaint(KnownPixels { image, mask })).unwrap())
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
        let drawn = finish(memory.start(chain(model, plan)).unwrap());
        let steps = model.plan(plan).unwrap().len();
        let mut distances = Vec::new();
        for step in 0..steps {
            let sampler = memory.start(chain(model, plan).from_image(Image::Values(&drawn), step)).unwrap();
            let level = model.plan(plan).unwrap().level(step);
            assert_eq!((sampler.steps_done(), sampler.plan().level(sampler.steps_done())), (step, level));
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
    let host = OwnedModel::read(shipped_model("digits28")).unwrap();
    let model = host.model();
    let (plan, (ramp, _)) = (model.plan("fast5").unwrap(), ramp_and_mask(&model));
    let mut memory = ChainMemory::new(&model);
    let step = plan.step(2).unwrap();
    assert_ne!(step.c, 0.0);
    let mut sampler = memory.start(chain(&model, "fast5").from_image(Image::Bytes(&ramp), 2)).unwrap();
    let next = |(x, x0_hat): (&f32, f32)| step.a * x + (step.b + step.c) * x0_hat;
    let preview = sampler.evaluate().unwrap();
    let expected: Vec<f32> = preview.x().iter().zip(preview.x0_hat()).map(next).collect();
    assert!(sampler.step());
    assert_eq!(sampler.x(), expected);
}

/// Each preview is the x0_hat that the step uses, and the last one the sample; reading it changes nothing.
#[test]
fn previews_are_what_steps_use() {
    with_models(|model, plan, mut memory| {
        let drawn = finish(memory.start(chain(model, plan)).unwrap());
        let mut sampler = memory.start(chain(model, plan)).unwrap();
        let (mut seen, mut last) = (0, Vec::new());
        while let Some(preview) = sampler.evaluate() {
            assert_eq!(preview.steps_done(), seen);
            seen += 1;
            last = preview.x0_hat().collect();
            assert_eq!(last.len(), preview.x0_hat().len());
            assert!(sampler.step());
            assert!(sampler.preview().is_none(), "the evaluation is used up");
        }
        assert_eq!((seen, sampler.x()), (sampler.steps(), &drawn[..]));
        assert_eq!(last, drawn);
    });
}

/// An evaluation leaves the chain where it was, to be stopped or continued as if nothing had been.
#[test]
fn evaluating_leaves_the_chain_whole() {
    with_models(|model, plan, mut memory| {
        let drawn = finish(memory.start(chain(model, plan)).unwrap());
        let mut sampler = memory.start(chain(model, plan)).unwrap();
        sampler.step();
        let before = (sampler.digest(), sampler.steps_done());
        for _ in 0..2 {
            assert!(sampler.evaluate().is_some());
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
        let refused = |memory: &mut ChainMemory, chain| memory.start(chain).map(|_| ()).unwrap_err();
        let error = refused(&mut memory, chain(model, plan).from_image(short, 1));
        assert_eq!(error, SamplerError::ImageLength { needed: values, found: values - 1 });
        let error = refused(&mut memory, chain(model, plan).from_image(image, 5));
        assert_eq!(error, SamplerError::Start { steps: 5 });
        assert!(error.to_string().contains("5 steps"));
        let error = refused(&mut memory, chain(model, plan).inpaint(KnownPixels { image: short, mask: &mask }));
        assert_eq!(error, SamplerError::ImageLength { needed: values, found: values - 1 });
        let error = refused(&mut memory, chain(model, plan).inpaint(KnownPixels { image, mask: &mask[1..] }));
        assert_eq!(error, SamplerError::MaskLength { needed: 98, found: 97 });
    });
}
