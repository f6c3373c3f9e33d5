//! States that are kept as f16: what they need, what they refuse, and how far samples are from those with f32.

use brownian::host::{with_state, ChainMemory, OwnedModel};
use brownian::{f16, Image, KnownPixels, Model, Plan, Real, Sampler, SamplerError, StateElement, StateKind};
use brownian_tests::{draw, shipped_model};

fn models() -> [OwnedModel; 2] {
    let file = OwnedModel::read(shipped_model("digits28")).unwrap();
    let with_f16 = OwnedModel::new(&with_state(file.bytes(), StateKind::F16).unwrap()).unwrap();
    [file, with_f16]
}

fn chain<'a, E: StateElement>(model: &'a Model<'a>, plan: Plan<'a>) -> brownian::Builder<'a, E> {
    Sampler::builder(model, plan).seed(5).class(3)
}

#[test]
fn a_state_of_f16_has_half_the_bytes() {
    let [f32_file, f16_file] = models();
    let bytes = |file: &OwnedModel| {
        let model = file.model();
        let len = brownian::state_len(file.bytes());
        assert_eq!((len, brownian::state_kind(file.bytes())), (model.state_len(), model.state_kind()));
        assert_eq!(model.snapshot_len(), brownian::snapshot_len(file.bytes()));
        let two = brownian::state_len_two_evaluations(file.bytes());
        assert_eq!(two, model.state_len_two_evaluations());
        [len * model.state_element_len(), two * model.state_element_len()]
    };
    // 784 values, as many x0_hat_prev of 16 bits, and as many outputs of 16 bits.
    assert_eq!(bytes(&f32_file), [784 * 4 + 784 * 2, 784 * 4 + 784 * 2 + 784 * 2]);
    assert_eq!(bytes(&f16_file), [784 * 2 + 784 * 2, 784 * 2 + 784 * 2 + 784 * 2]);
}

#[test]
fn memory_of_the_other_element_or_too_little_is_refused() {
    let [f32_file, f16_file] = models();
    let (f32_model, f16_model) = (f32_file.model(), f16_file.model());
    let mut memory = ChainMemory::new(&f16_model);
    let plan = f16_model.plan("fast5").unwrap();
    let error = memory.start(chain::<f32>(&f16_model, plan)).map(|_| ()).unwrap_err();
    assert_eq!(error, SamplerError::StateElement { kind: StateKind::F16 });
    let mut other = ChainMemory::new(&f32_model);
    let error = other.start(chain::<f16>(&f32_model, f32_model.plan("fast5").unwrap()));
    assert_eq!(error.map(|_| ()).unwrap_err(), SamplerError::StateElement { kind: StateKind::F32 });
    let (arena, state) = memory.split_as::<f16>();
    let error = chain(&f16_model, plan).start(arena, &mut state[..1567]).map(|_| ()).unwrap_err();
    assert_eq!(error, SamplerError::StateLength { needed: 1568, found: 1567 });
}

/// Stopped after any step and taken up, a chain gives the same; an inpainted one ends with what is known, rounded.
#[test]
fn snapshots_and_known_pixels_work_as_with_f32() {
    let [_, file] = models();
    let model = file.model();
    let plan = model.plan("fast5").unwrap();
    let image: Vec<f32> = (0..784).map(|i| (i as f32 * 0.37).sin()).collect();
    let mask: Vec<u8> = (0..98).map(|i| if i < 49 { 0xff } else { 0 }).collect();
    let known = KnownPixels { image: Image::Values(&image), mask: &mask };
    let whole = |stop: Option<usize>| -> Vec<u16> {
        let mut memory = [ChainMemory::new(&model), ChainMemory::new(&model)];
        let [first, second] = &mut memory;
        let builder = chain(&model, plan).guidance(1.5).two_evaluations().from_image(Image::Values(&image), 1);
        let mut sampler = first.start::<f16>(builder.inpaint(known)).unwrap();
        let mut bytes = vec![0; model.snapshot_len() + 1568];
        while Some(sampler.steps_done()) != stop && sampler.step() {}
        let len = sampler.save(&mut bytes).unwrap();
        let (arena, state) = second.split_as::<f16>();
        let resumed = Sampler::resume(&model, &bytes[..len]).unwrap().two_evaluations().inpaint(known);
        let mut sampler = resumed.start(arena, state).unwrap();
        while let Some(preview) = sampler.evaluate() {
            assert!(preview.x0_hat().take(392).eq(image[..392].iter().copied()));
            sampler.step();
        }
        sampler.x().iter().map(|value| value.to_bits()).collect()
    };
    let expected = whole(None);
    assert!((1..5).all(|stop| whole(Some(stop)) == expected));
    for (found, value) in expected.iter().zip(&image[..392]) {
        assert_eq!(*found, <f16 as Real>::store(*value).to_bits());
    }
}

/// Over 40 images of 5 steps, samples differ by less than one and a half of 255 gray levels in the mean: a value that is
/// rounded otherwise may fall on the other side of a border of the network's input.
#[test]
fn samples_are_those_of_f32_but_for_roundings() {
    let [f32_file, f16_file] = models();
    for (plan, images, bar) in [("fast5", 40, 1.5)] {
        let (mut sum, mut largest) = (0.0f64, 0.0f64);
        for seed in 0..images {
            let sample = |file: &OwnedModel| {
                let model = file.model();
                draw(&model, plan, brownian_tests::condition(&model, seed), seed).unwrap().sample
            };
            for (a, b) in sample(&f32_file).iter().zip(sample(&f16_file)) {
                let levels = 127.5 * f64::from((a - b).abs());
                sum += levels;
                largest = largest.max(levels);
            }
        }
        let mean = sum / (784.0 * images as f64);
        println!("{plan}: mean {mean:.4} of 255 gray levels, largest {largest:.2}");
        assert!(mean > 0.0 && mean < bar, "{plan}: {mean} gray levels");
    }
}
