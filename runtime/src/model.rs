//! A validated, borrowed view of a model file.

use crate::axis::Axis;
#[cfg(feature = "local")]
use crate::format::Tensor;
use crate::format::{self, AxisHeader, Header, Items, PlanHeader};
use crate::ops::Op;
use crate::parse::{self, ParseError, MAX_AXES};
use crate::plan::{BitStep, Level, Start, Step, STEP_LEN};
use crate::process::StateKind;

/// A model whose every part has been checked; it borrows the file's bytes and copies no weight.
#[derive(Clone, Copy, Debug)]
pub struct Model<'a> {
    header: Header<'a>,
    blob: &'a [u8],
    arena_len: usize,
    state_len: usize,
    state_kind: StateKind,
    checksum: u32,
    /// Classes of each axis, 0 behind the last.
    classes: [u16; MAX_AXES],
}

impl<'a> Model<'a> {
    /// Checks a whole model file once: lengths, checksum, alignment, shapes, offsets, overlaps, tables,
    /// number ranges and plans. Whatever uses the model afterwards cannot fail.
    ///
    /// `bytes` must start at a multiple of 16; see [`include_model`](crate::include_model).
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let (header, blob) = format::open(bytes)?;
        let mut model = Self::of(bytes, header, blob);
        let state = (model.state_len, model.state_kind);
        model.classes = parse::check(&model.header, blob, model.arena_len, state, format::sample_len(bytes))?;
        Ok(model)
    }

    /// The model in bytes that [`parse`](Self::parse) has accepted before; nothing is checked again.
    #[cfg(feature = "host")]
    pub(crate) fn of_checked(bytes: &'a [u8]) -> Option<Self> {
        let (header, blob) = format::reopen(bytes)?;
        let (classes, _) = parse::check_axes(&header.conditioning).ok()?;
        Some(Self { classes, ..Self::of(bytes, header, blob) })
    }

    fn of(bytes: &'a [u8], header: Header<'a>, blob: &'a [u8]) -> Self {
        let checksum = bytes.last_chunk().map_or(0, |crc| u32::from_le_bytes(*crc));
        let (arena_len, state_len) = (format::arena_len(bytes), format::state_len(bytes));
        let (state_kind, classes) = (format::state_kind(bytes), [0; MAX_AXES]);
        Self { header, blob, arena_len, state_len, state_kind, checksum, classes }
    }

    /// The decoded header.
    pub fn header(&self) -> &Header<'a> {
        &self.header
    }

    /// The weight blob.
    pub fn blob(&self) -> &'a [u8] {
        self.blob
    }

    /// Bytes of arena that an evaluation needs.
    pub fn arena_len(&self) -> usize {
        self.arena_len
    }

    /// Bytes of scratch that a [second core](crate::SecondCore) needs to compute half of every op; with less, the ops that
    /// need more run on one core.
    #[cfg(feature = "two-cores")]
    pub fn second_scratch_len(&self) -> usize {
        self.ops().map(|op| op.second_scratch_len()).max().unwrap_or(0)
    }

    /// Words of [memory](crate::Sampler::with_weight_memory) that hold the weights of every convolution; with fewer, those
    /// that are larger are read where they lie.
    #[cfg(feature = "weight-memory")]
    pub fn weight_memory_len(&self) -> usize {
        self.ops().filter_map(|op| op.weights_read_often()).map(|(_, len)| len.div_ceil(4)).max().unwrap_or(0)
    }

    /// Elements of state that a chain needs, of [this kind](Self::state_kind): x_t, and where a plan uses the previous
    /// x0_hat, that in 16 bits.
    pub fn state_len(&self) -> usize {
        self.state_len
    }

    /// What the state is kept in.
    pub fn state_kind(&self) -> StateKind {
        self.state_kind
    }

    /// Elements of state that a chain with [two evaluations](crate::Builder::two_evaluations) a step needs: 16 bits more a
    /// value of a sample.
    pub fn state_len_two_evaluations(&self) -> usize {
        self.state_len + self.state_kind.halves(self.sample_len())
    }

    /// Bytes of an element of state.
    pub fn state_element_len(&self) -> usize {
        self.state_kind.element_len()
    }

    /// Values of a sample: height·width·channels.
    pub fn sample_len(&self) -> usize {
        self.header.input.values()
    }

    /// The most bytes that a snapshot of a chain has.
    pub fn snapshot_len(&self) -> usize {
        format::SNAPSHOT_FRAME_LEN + self.state_element_len() * self.state_len
    }

    /// The file's CRC-32, by which a snapshot knows its model again.
    pub fn checksum(&self) -> u32 {
        self.checksum
    }

    /// Height, width and channels of a sample.
    pub fn shape(&self) -> [usize; 3] {
        self.header.output.shape.map(usize::from)
    }

    /// Number of classes, of the first axis where there are [several](Self::axes); 0 for a model that is not conditioned.
    pub fn classes(&self) -> u16 {
        self.classes[0]
    }

    /// Number of classes of each axis of labels; empty for a model that is not conditioned.
    pub fn class_counts(&self) -> &[u16] {
        self.classes.get(..self.header.conditioning.axis_count.into()).unwrap_or(&[])
    }

    /// The axes of labels, with the names of their classes.
    ///
    /// ```
    /// use brownian::host::OwnedModel;
    ///
    /// let file = OwnedModel::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/nano.brn"))?;
    /// let model = file.model();
    /// for axis in model.axes() {
    ///     assert_eq!((axis.index(), axis.name(), axis.len()), (0, "class", 10));
    ///     assert!(axis.classes().eq(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]));
    ///     assert_eq!((axis.class("7"), axis.class("seven")), (Some(7), None));
    /// }
    /// assert!(model.axis("hair").is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn axes(&self) -> impl Iterator<Item = Axis<'a>> + 'a {
        let headers: Items<'a, AxisHeader<'a>> = format::items(self.header.conditioning.axes);
        headers.enumerate().map(|(index, header)| Axis { index, header })
    }

    /// The axis of this name.
    pub fn axis(&self, name: &str) -> Option<Axis<'a>> {
        self.axes().find(|axis| axis.name() == name)
    }

    /// The ops in order of execution.
    pub fn ops(&self) -> Ops<'a> {
        Ops { items: format::items(self.header.ops), left: self.header.op_count }
    }

    /// Number of ops, from the first on, that a chain computes once, when it starts: those that depend on the local
    /// condition alone. 0 for a model without.
    pub fn prelude(&self) -> u16 {
        if cfg!(feature = "local") {
            return self.ops().next().and_then(|op| op.prelude()).unwrap_or(0);
        }
        0
    }

    /// The ops of a step, behind those that a chain has computed when it started, and the number of the first.
    pub(crate) fn body(&self) -> (Ops<'a>, u16) {
        let (mut ops, index) = (self.ops(), self.prelude());
        (0..index).for_each(|_| _ = ops.next());
        (ops, index)
    }

    /// Height, width and channels of the local condition that chains follow, if they follow one; see
    /// [`Builder::local`](crate::Builder::local).
    #[cfg(feature = "local")]
    pub fn local_shape(&self) -> Option<[usize; 3]> {
        self.local_tensor().map(|tensor| tensor.shape.map(usize::from))
    }

    /// Where the local condition lies in the arena.
    #[cfg(feature = "local")]
    pub(crate) fn local_tensor(&self) -> Option<Tensor> {
        let first = self.ops().next()?;
        first.prelude().map(|_| *first.output())
    }

    /// All plans.
    pub fn plans(&self) -> impl Iterator<Item = Plan<'a>> + 'a {
        let blob = self.blob;
        let plans: Items<'a, PlanHeader<'a>> = format::items(self.header.plans);
        plans.take(self.header.plan_count as usize).map(move |header| {
            let end = header.table as usize + header.steps as usize * STEP_LEN;
            Plan { header, table: blob.get(header.table as usize..end).unwrap_or(&[]) }
        })
    }

    /// Whether the plan is one of this model's.
    pub(crate) fn has(&self, plan: &Plan) -> bool {
        self.blob.as_ptr_range().contains(&plan.table.as_ptr())
    }

    /// The plan of this name.
    pub fn plan(&self, name: &str) -> Option<Plan<'a>> {
        self.plans().find(|plan| plan.name() == name)
    }
}

/// The ops of a model in order of execution; see [`Model::ops`].
#[derive(Clone, Debug)]
pub struct Ops<'a> {
    items: Items<'a, Op>,
    left: u16,
}

impl Ops<'_> {
    /// Whether there is none left.
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }
}

impl Iterator for Ops<'_> {
    type Item = Op;

    fn next(&mut self) -> Option<Op> {
        self.left = self.left.checked_sub(1)?;
        self.items.next()
    }
}

/// A sampling plan of a model: its steps from noise to sample.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    header: PlanHeader<'a>,
    table: &'a [u8],
}

impl<'a> Plan<'a> {
    /// Its name.
    pub fn name(&self) -> &'a str {
        self.header.name
    }

    /// Number of steps.
    pub fn len(&self) -> usize {
        self.header.steps as usize
    }

    /// Never true for a parsed model.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether x0_hat is clipped to [-1, 1].
    pub fn clip(&self) -> bool {
        self.header.rules.clip()
    }

    /// What x_T is drawn from.
    pub fn start(&self) -> Start {
        self.header.rules.start()
    }

    /// The bytes of step number `index`, counted from 0.
    // Once in a firmware, though several places call it.
    #[inline(never)]
    pub(crate) fn step_bytes(&self, index: usize) -> Option<&'a [u8; STEP_LEN]> {
        self.table.as_chunks::<STEP_LEN>().0.get(index)
    }

    /// The timestep of step number `index`, of any process.
    pub fn timestep(&self, index: usize) -> Option<u32> {
        let word = self.step_bytes(index)?.first_chunk()?;
        Some(u32::from_le_bytes(*word))
    }

    /// Step number `index` of a plan of the Gaussian process.
    pub fn step(&self, index: usize) -> Option<Step> {
        self.step_bytes(index).map(Step::decode)
    }

    /// Step number `index` of a plan of the binomial process.
    pub fn bit_step(&self, index: usize) -> Option<BitStep> {
        self.step_bytes(index).map(BitStep::decode)
    }

    /// What x is made of before step number `index`; behind the last step the image alone.
    pub fn level(&self, index: usize) -> Level {
        self.step(index).map_or(Level::CLEAN, |step| step.level)
    }

    /// All steps in order.
    pub fn steps(&self) -> impl Iterator<Item = Step> + 'a {
        self.table.as_chunks::<STEP_LEN>().0.iter().map(Step::decode)
    }
}
