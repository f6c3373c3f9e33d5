#![no_std]
#![no_main]
//! The smallest firmware that draws: reads a model, makes every step of a chain, and nothing else. Each of the features
//! `class`, `two-evaluations`, `image-to-image`, `inpainting`, `preview`, `by-op`, `snapshots`, `long`, `weight-memory`,
//! `constant`, `four-bit`, `local` and `bits` adds one thing that a chain can be asked for, so that `cargo xtask size` can
//! say what it costs. It is
//! linked, not run.

use brownian::{Arena, Model, Sampler};
use core::hint::black_box;
use core::panic::PanicInfo;
use static_cell::ConstStaticCell;
// Its critical section, which a core without atomic swaps needs.
#[cfg(target_arch = "arm")]
use cortex_m as _;

/// As large as the machine's RAM allows.
const ARENA: usize = 8 * 1024;
/// Elements of state.
const STATE: usize = 1024;
/// What x_t is kept in.
#[cfg(not(feature = "bits"))]
type Element = f32;
#[cfg(feature = "bits")]
type Element = brownian::Bits;
static MEMORY: ConstStaticCell<(Arena<ARENA>, [Element; STATE])> =
    ConstStaticCell::new((Arena::new(), [<Element as brownian::StateElement>::ZERO; STATE]));

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    loop {
        core::hint::spin_loop()
    }
}

#[cfg_attr(target_arch = "arm", cortex_m_rt::entry)]
#[cfg_attr(target_arch = "riscv32", riscv_rt::entry)]
fn main() -> ! {
    let (arena, state) = MEMORY.take();
    let (address, len): (usize, usize) = black_box((16, 0));
    // SAFETY: whoever runs this program has put a model there; it is only linked.
    let file = unsafe { core::slice::from_raw_parts(address as *const u8, len) };
    black_box(draw(file, arena.bytes_mut(), state));
    loop {
        core::hint::spin_loop()
    }
}

/// The first value of a sample of the model's first plan, or `None` where the runtime refuses.
#[inline(never)]
fn draw(file: &[u8], arena: &mut [u8], state: &mut [Element]) -> Option<Element> {
    let model = Model::parse(file).ok()?;
    let plan = model.plans().next()?;
    let chain = Sampler::builder(&model, plan).seed(black_box(1));
    #[cfg(any(feature = "class", feature = "two-evaluations"))]
    let chain = chain.class(black_box(7)).guidance(black_box(1.5));
    #[cfg(feature = "two-evaluations")]
    let chain = chain.two_evaluations();
    #[cfg(feature = "image-to-image")]
    let chain = chain.from_image(brownian::Image::Bytes(black_box(&[])), black_box(3));
    #[cfg(feature = "inpainting")]
    let chain = chain.inpaint(known());
    #[cfg(feature = "local")]
    let chain = chain.local(black_box(&[]));
    #[cfg(feature = "long")]
    let sampler = chain.start_long(brownian::Pieces::new(&model, black_box(1024)).ok()?, arena, state).ok()?;
    #[cfg(not(feature = "long"))]
    let sampler = chain.start(arena, state).ok()?;
    #[cfg(feature = "weight-memory")]
    let mut words = [0; 64];
    #[cfg(feature = "weight-memory")]
    let sampler = sampler.with_weight_memory(black_box(&mut words));
    let mut sampler = sampler;
    #[cfg(feature = "preview")]
    while sampler.evaluate().is_some_and(|preview| preview.x0_hat().sum::<f32>() > black_box(0.0)) {
        sampler.step();
    }
    #[cfg(feature = "by-op")]
    while sampler.advance() != brownian::Progress::Done {
        black_box(sampler.steps_done());
    }
    while sampler.step() {}
    #[cfg(feature = "snapshots")]
    return saved_and_resumed(&model, sampler);
    #[cfg(not(feature = "snapshots"))]
    sampler.x().first().copied()
}

#[cfg(feature = "inpainting")]
fn known() -> brownian::KnownPixels<'static> {
    brownian::KnownPixels { image: brownian::Image::Bytes(black_box(&[])), mask: black_box(&[]) }
}

#[cfg(feature = "snapshots")]
fn saved_and_resumed(model: &Model, sampler: Sampler<Element>) -> Option<Element> {
    let mut snapshot = [0; 64];
    let len = sampler.save(&mut snapshot).ok()?;
    let (mut arena, mut state) = (Arena::<64>::new(), [<Element as brownian::StateElement>::ZERO; 64]);
    let mut resumed = Sampler::resume(model, snapshot.get(..len)?).ok()?.start(arena.bytes_mut(), &mut state).ok()?;
    while resumed.step() {}
    resumed.x().first().copied()
}
