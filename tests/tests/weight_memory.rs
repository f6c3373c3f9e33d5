//! Weights that are copied before an op reads them change nothing: chains of every model, with memory of every size.

use brownian::host::{ChainMemory, OwnedModel};
use brownian::{with_state_element, Model, Sampler};
use brownian_tests::{condition, golden};

/// The digest of each step of a model's shortest plan, with these words for weights.
fn digests(model: &Model, words: &mut [u32]) -> Vec<u32> {
    let plan = model.plans().min_by_key(|plan| plan.len()).unwrap();
    let mut memory = ChainMemory::new(model);
    with_state_element!(model, Element => {
        let chain = Sampler::builder(model, plan).seed(2).condition(condition(model, 2));
        let mut sampler = memory.start::<Element>(chain).unwrap().with_weight_memory(words);
        std::iter::from_fn(|| sampler.step().then(|| sampler.digest())).collect()
    })
}

#[test]
fn copied_weights_are_the_weights() {
    for name in golden::models().unwrap() {
        let file = OwnedModel::read(golden::model_path(&name)).unwrap();
        let model = file.model();
        let len = model.weight_memory_len();
        let expected = digests(&model, &mut []);
        for words in [len / 3, len.saturating_sub(1), len, len + 5] {
            let mut words = vec![0x5a5a_5a5a; words];
            assert_eq!(digests(&model, &mut words), expected, "{name}, {} words", words.len());
            // What was copied last lies there.
            let fits = |(offset, len): &(u32, usize)| *len <= 4 * words.len() && *offset > 0;
            if let Some((offset, len)) = model.ops().filter_map(|op| op.weights_read_often()).filter(fits).last() {
                let copied: &[u8] = bytemuck::cast_slice(&words);
                assert_eq!(&copied[..len], &model.blob()[offset as usize..][..len], "{name}");
            }
        }
    }
}

/// A sixteenth of digits28 at most is read often at a time; a perceptron reads all weights once.
#[test]
fn the_largest_layer_says_how_much_there_is_to_copy() {
    let len = |name: &str| OwnedModel::read(golden::model_path(name)).unwrap().model().weight_memory_len();
    assert_eq!(len("heartbeat"), 0);
    assert!((2_000..8_000).contains(&len("digits28")), "{}", len("digits28"));
}
