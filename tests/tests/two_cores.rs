//! A second core changes nothing: chains of every model, with the halves of ops in any order and at the same time.

use brownian::host::{ChainMemory, OwnedModel, Threads};
use brownian::{with_state_element, Fork, Model, Sampler, SecondCore, Work};
use brownian_tests::{condition, draw, golden};
use std::cell::Cell;
use std::time::Duration;

const SEED: u64 = 5;

/// The halves one after the other.
struct InTurn {
    there_first: bool,
}

impl Fork for InTurn {
    fn fork<'w>(&self, here: Work<'w>, there: Work<'w>) {
        let [first, second] = if self.there_first { [there, here] } else { [here, there] };
        first();
        second();
    }
}

/// The halves at the same time, one of them begun later by a random time.
struct Delayed {
    random: Cell<u32>,
    /// Work that it was handed.
    forks: Cell<u32>,
}

impl Fork for Delayed {
    fn fork<'w>(&self, here: Work<'w>, there: Work<'w>) {
        let random = self.random.get().wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        self.random.set(random);
        self.forks.set(self.forks.get() + 1);
        let wait = |begins_later: bool| {
            if begins_later {
                std::thread::sleep(Duration::from_micros(u64::from(random >> 24)));
            }
        };
        let (later, swapped) = (random >> 16 & 1 == 1, random >> 17 & 1 == 1);
        let [mine, others] = if swapped { [there, here] } else { [here, there] };
        std::thread::scope(|scope| {
            scope.spawn(move || {
                wait(later);
                others();
            });
            wait(!later);
            mine();
        });
    }
}

/// The digest of each step of a model's shortest plan, with scratch of `len` bytes for the second core.
fn digests(model: &Model, fork: &dyn Fork, len: usize) -> Vec<u32> {
    let plan = model.plans().min_by_key(|plan| plan.len()).unwrap();
    let mut memory = ChainMemory::new(model);
    let mut scratch = vec![0xA5; len + 16];
    let second = SecondCore::new(fork, &mut scratch[..len]);
    let digests = with_state_element!(model, Element => {
        let chain = Sampler::builder(model, plan).condition(condition(model, SEED)).seed(SEED);
        let mut sampler = memory.start::<Element>(chain).unwrap().with_second_core(&second);
        let mut digests = Vec::new();
        while sampler.step() {
            digests.push(sampler.digest());
        }
        digests
    });
    assert!(scratch[len..].iter().all(|&byte| byte == 0xA5), "within its scratch");
    digests
}

/// Of every shipped model, and of those made for tests, whatever their ops.
#[test]
fn chains_on_two_cores_equal_chains_on_one() {
    for name in golden::models().unwrap() {
        let host = OwnedModel::read(golden::model_path(&name)).unwrap();
        let model = host.model();
        let shortest = model.plans().min_by_key(|plan| plan.len()).unwrap();
        let one = draw(&model, shortest.name(), condition(&model, SEED), SEED).unwrap().digests;
        let need = model.second_scratch_len();
        for there_first in [false, true] {
            assert_eq!(digests(&model, &InTurn { there_first }, need), one, "{name}, there first: {there_first}");
        }
        assert_eq!(digests(&model, &Threads, need), one, "{name}, on threads");
        for random in 0..3 {
            let delayed = Delayed { random: Cell::new(random), forks: Cell::new(0) };
            assert_eq!(digests(&model, &delayed, need), one, "{name}, delayed by {random}");
            assert!(delayed.forks.get() as usize > one.len(), "{name}: the second core has worked");
        }
    }
}

/// An op whose half does not fit the second core's scratch runs on one core; the others are divided.
#[test]
fn a_second_core_with_little_scratch_has_less_to_do() {
    let host = OwnedModel::read(golden::model_path("digits28-nano")).unwrap();
    let model = host.model();
    let need = model.second_scratch_len();
    let work = |len: usize| {
        let delayed = Delayed { random: Cell::new(1), forks: Cell::new(0) };
        (digests(&model, &delayed, len), delayed.forks.get())
    };
    let (all, forks) = work(need);
    let (fewer, fewer_forks) = work(need - 1);
    let (few, few_forks) = work(0);
    assert!(all == fewer && all == few);
    assert!(few_forks < fewer_forks && fewer_forks < forks, "{few_forks} {fewer_forks} {forks}");
}
