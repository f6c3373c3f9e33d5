#![no_std]
#![no_main]
//! Draws one digit after the other and logs each: a digest and the time of every step in microseconds, then
//! the image as text. The LED changes with every step.

use brownian::{include_model, Arena, Model, Plan, Sampler};
use brownian_board::{chain, picture::Picture, report::Line, request, times::Times};
use defmt::{info, unwrap, Display2Format};
use defmt_rtt as _;
use embassy_executor::Spawner;
use embassy_rp::gpio::{Level, Output};
use embassy_time::{Instant, Timer};
use panic_probe as _;
use static_cell::ConstStaticCell;

const MODEL: &[u8] = include_model!("../../../models/digits28.brn");
static ARENA: ConstStaticCell<Arena<{ brownian::arena_len(MODEL) }>> = ConstStaticCell::new(Arena::new());
static STATE: ConstStaticCell<[f32; brownian::state_len(MODEL)]> =
    ConstStaticCell::new([0.0; brownian::state_len(MODEL)]);

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let peripherals = embassy_rp::init(Default::default());
    let mut led = Output::new(peripherals.PIN_25, Level::Low);
    let (arena, state) = (ARENA.take(), STATE.take());
    let model = unwrap!(Model::parse(MODEL));
    let plan = unwrap!(model.plans().next());
    info!("plan {=str}: {=usize} steps", plan.name(), plan.len());
    for seed in 1.. {
        draw(&model, plan, seed, (arena.bytes_mut(), state), &mut led).await;
        Timer::after_secs(1).await;
    }
}

/// Draws the image of one seed; other tasks get their turn between steps.
async fn draw(model: &Model<'_>, plan: Plan<'_>, seed: u64, memory: (&mut [u8], &mut [f32]), led: &mut Output<'_>) {
    let chain = Sampler::builder(model, plan).seed(seed).condition(request::of_seed(model, seed));
    let mut sampler = unwrap!(chain.start(memory.0, memory.1));
    info!("{}, {}", Display2Format(&Line::Chain { seed }), sampler.condition());
    let mut times = Times::default();
    while sampler.steps_done() < sampler.steps() {
        let mut clock = || Instant::now().as_micros();
        times += chain::run(&mut sampler, 1, &mut clock, |line| info!("{}", Display2Format(&line)));
        led.toggle();
        embassy_futures::yield_now().await;
    }
    let [_, width, channels] = model.shape();
    for row in Picture::new(sampler.x(), width, channels).rows() {
        info!("{}", Display2Format(&row));
    }
    info!("{}", Display2Format(&Line::Image { digest: sampler.digest(), times }));
}
