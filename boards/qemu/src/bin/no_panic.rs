#![no_std]
#![no_main]
//! Links only when the compiler has proved that nothing in the reader and the sampler can panic: the panic
//! handler calls a function that does not exist.
//!
//! It holds the runtime's whole path from a model's bytes, which come from a place the compiler cannot look
//! into, to a sample. Its code size is that of the runtime. With the feature `edits` it also starts from an image,
//! keeps parts of one, follows a local condition, reads previews, saves and takes up a snapshot, and draws a signal longer
//! than the model's.

use brownian::{Arena, Model, Sampler};
use core::panic::PanicInfo;

/// As large as the machine's RAM allows.
const ARENA: usize = 8 * 1024;
/// Values of f32 state.
const STATE: usize = 1024;

extern "C" {
    /// Defined nowhere.
    fn the_runtime_can_panic() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    // SAFETY: never runs: with this call in it the program does not link.
    unsafe { the_runtime_can_panic() }
}

#[cfg_attr(target_arch = "arm", cortex_m_rt::entry)]
#[cfg_attr(target_arch = "riscv32", riscv_rt::entry)]
fn main() -> ! {
    let mut arena = Arena::<ARENA>::new();
    let mut state = [0.0; STATE];
    let (address, len): (usize, usize) = core::hint::black_box((16, 0));
    // SAFETY: whoever runs this program has put a model there; it is only linked.
    let file = unsafe { core::slice::from_raw_parts(address as *const u8, len) };
    let seed = core::hint::black_box(1);
    core::hint::black_box(draw(file, seed, arena.bytes_mut(), &mut state));
    #[cfg(feature = "deliberate-panic")]
    core::hint::black_box([1u8, 2, 3][core::hint::black_box(7)]);
    loop {
        core::hint::spin_loop()
    }
}

/// The digest of a model's first plan, or `None` where the runtime refuses.
#[cfg(not(feature = "edits"))]
#[inline(never)]
fn draw(file: &[u8], seed: u64, arena: &mut [u8], state: &mut [f32]) -> Option<u32> {
    let model = Model::parse(file).ok()?;
    let plan = model.plan("ddim50").or_else(|| model.plans().next())?;
    let mut sampler = Sampler::builder(&model, plan).seed(seed).class(7).start(arena, state).ok()?;
    while sampler.step() {}
    Some(sampler.digest())
}

/// The same, with everything that can be done to a chain.
#[cfg(feature = "edits")]
#[inline(never)]
fn draw(file: &[u8], seed: u64, arena: &mut [u8], state: &mut [f32]) -> Option<u32> {
    use brownian::{Image, KnownPixels, Pieces};
    use core::hint::black_box;
    let model = Model::parse(file).ok()?;
    let plan = model.plan("ddim50").or_else(|| model.plans().next())?;
    let known = KnownPixels { image: Image::Values(black_box(&[])), mask: black_box(&[]) };
    let image = Image::Bytes(black_box(&[]));
    let mut snapshot = [0; 64];
    let local = black_box(&[]);
    let chain = Sampler::builder(&model, plan).seed(seed).class(7).guidance(black_box(1.5)).two_evaluations();
    let mut sampler = chain.from_image(image, black_box(3)).inpaint(known).local(local).start(arena, state).ok()?;
    while sampler.evaluate().is_some_and(|preview| preview.x0_hat().sum::<f32>() > black_box(0.0)) {
        sampler.step();
    }
    let len = sampler.save(&mut snapshot).ok()?;
    sampler.save_to(|piece| _ = black_box(piece));
    let mut sampler = Sampler::resume(&model, snapshot.get(..len)?)
        .ok()?
        .two_evaluations()
        .inpaint(known)
        .local(local)
        .start(arena, state)
        .ok()?;
    while sampler.step() {}
    let digest = sampler.digest();
    let pieces = Pieces::new(&model, black_box(1024)).ok()?;
    let long = Sampler::builder(&model, plan).seed(seed).start_long(pieces, arena, state).ok()?;
    let mut words = [0; 64];
    let mut long = long.with_weight_memory(black_box(&mut words));
    while long.step() {}
    Some(digest ^ long.digest())
}
