//! Assembles a model file: collects ops over named buffers and tables, plans the arena, encodes.
//!
//! While a model is being built, [`Tensor::offset`] and the `scratch` of an op hold the number of a
//! buffer; [`ModelBuilder::finish`] replaces them by offsets in the arena.

use crate::plans::NamedPlan;
use brownian::format::{self, Conditioning, Element, Header, PlanHeader, PlanRules, Process, Tensor};
use brownian::host::planner::{self, Buffer};
use brownian::host::{self, AlignedBytes, EncodeError};
use brownian::ops::Op;
use brownian::{Model, ParseError, StateKind};

/// Collects the parts of a model.
#[derive(Debug, Default)]
pub struct ModelBuilder {
    blob: Vec<u8>,
    ops: Vec<Op>,
    buffers: usize,
    plans: Vec<NamedPlan>,
}

/// What a header holds besides ops and plans.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    /// Name of the model.
    pub name: &'a str,
    /// Where it comes from, TOML.
    pub provenance: &'a str,
    /// Input tensor and 1/scale.
    pub input: (Tensor, f32),
    /// Output tensor and scale.
    pub output: (Tensor, f32),
    /// Channel biases.
    pub conditioning: Conditioning<'a>,
}

/// Output channels that four-bit weights may be unpacked for at a time; whole blocks of these suit every kernel.
const BLOCKS: [u16; 7] = [u16::MAX, 48, 32, 24, 16, 12, 8];

/// Why a model could not be built.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum BuildError {
    /// The arena planner refused the buffers.
    #[error("the arena could not be planned")]
    Plan,
    /// A part is too long for the format.
    #[error("the model cannot be encoded: {0}")]
    Encode(#[from] EncodeError),
    /// The finished file does not parse: the parts do not fit each other.
    #[error("the model does not validate: {0}")]
    Parse(ParseError),
}

impl ModelBuilder {
    /// A tensor in a buffer of its own.
    pub fn tensor(&mut self, shape: [u16; 3], element: Element, zero_point: i8) -> Tensor {
        self.buffers += 1;
        Tensor { offset: self.buffers as u32 - 1, shape, element, zero_point }
    }

    /// A tensor that lives in the buffer of another one, for an op that works in place.
    pub fn in_place(&self, buffer: &Tensor, zero_point: i8) -> Tensor {
        Tensor { zero_point, ..*buffer }
    }

    /// Appends a table of bytes at a multiple of 16 and returns its offset in the blob.
    pub fn table(&mut self, bytes: &[u8]) -> u32 {
        self.blob.resize(self.blob.len().next_multiple_of(16), 0);
        self.blob.extend_from_slice(bytes);
        (self.blob.len() - bytes.len()) as u32
    }

    /// Appends i8 values.
    pub fn i8_table(&mut self, values: &[i8]) -> u32 {
        self.table(bytemuck::cast_slice(values))
    }

    /// Appends i16 values.
    pub fn i16_table(&mut self, values: &[i16]) -> u32 {
        self.table(&values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>())
    }

    /// Appends i32 values.
    pub fn i32_table(&mut self, values: &[i32]) -> u32 {
        self.table(&values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>())
    }

    /// Appends an op.
    pub fn push(&mut self, op: Op) {
        self.ops.push(op);
    }

    /// Number of ops so far.
    pub fn op_count(&self) -> usize {
        self.ops.len()
    }

    /// Adds a plan.
    pub fn plan(&mut self, plan: NamedPlan) {
        self.plans.push(plan);
    }

    /// Plans the arena, encodes the file and parses it once.
    pub fn finish(mut self, frame: Frame) -> Result<Vec<u8>, BuildError> {
        let (mut input, mut output) = (frame.input.0, frame.output.0);
        self.count_prelude();
        self.work_in_place(&mut output);
        self.choose_blocks(&input, &output)?;
        let (offsets, arena_len) = self.place(&input, &output)?;
        for (index, op) in self.ops.iter_mut().enumerate() {
            for tensor in op.tensors_mut() {
                tensor.offset = offsets[tensor.offset as usize];
            }
            if let Some(scratch) = op.scratch_mut() {
                *scratch = offsets[self.buffers + index];
            }
        }
        input.offset = offsets[input.offset as usize];
        output.offset = offsets[output.offset as usize];

        let mut uses_previous = false;
        let (mut process, mut kind) = (Process::Gaussian, StateKind::F32);
        let plan_count = self.plans.len() as u16;
        let mut plans = Vec::new();
        for NamedPlan { name, clip, start, steps, .. } in std::mem::take(&mut self.plans) {
            let table = self.table(&steps.encode());
            uses_previous |= steps.use_previous();
            if steps.is_binomial() {
                (process, kind) = (Process::Binomial, StateKind::Bits);
            }
            let plan = PlanHeader { name: &name, steps: steps.len() as u16, table, rules: PlanRules::new(clip, start) };
            host::encode_item(&plan, &mut plans)?;
        }
        let mut ops = Vec::new();
        for op in &self.ops {
            host::encode_item(op, &mut ops)?;
        }
        let header = Header {
            process,
            name: frame.name,
            provenance: frame.provenance,
            input,
            input_inverse_scale: frame.input.1,
            output,
            output_scale: frame.output.1,
            conditioning: frame.conditioning,
            plan_count,
            plans: &plans,
            op_count: self.ops.len() as u16,
            ops: &ops,
        };
        let state_len = format::state_len_of(input.values(), uses_previous, kind) as u32;
        let file = host::encode(&header, &self.blob, arena_len, (state_len, kind))?;
        Model::parse(AlignedBytes::from(&file[..]).bytes()).map_err(BuildError::Parse)?;
        Ok(file)
    }

    /// Sets how many ops are computed once a chain: the local condition and those right behind it that depend on nothing
    /// else.
    fn count_prelude(&mut self) {
        let mut known: Vec<u32> = vec![];
        let own = |op: &Op| matches!(op, Op::LocalCondition(_));
        for op in self.ops.iter().take_while(|op| own(op) || !op.has_step_bias() && op.inputs().count() > 0) {
            if !op.inputs().all(|tensor| known.contains(&tensor.offset)) {
                break;
            }
            known.push(op.output().offset);
        }
        if let Some(Op::LocalCondition(local)) = self.ops.first_mut() {
            local.prelude = known.len() as u16;
        }
    }

    /// The number of ops that are computed once a chain.
    fn prelude(&self) -> usize {
        match self.ops.first() {
            Some(Op::LocalCondition(local)) => local.prelude.into(),
            _ => 0,
        }
    }

    /// Whether what an op leaves in a buffer is computed once a chain and read in every step, so that it has to last.
    fn lasts(&self, buffer: u32) -> bool {
        let (once, always) = self.ops.split_at(self.prelude());
        once.iter().any(|op| op.output().offset == buffer)
            && always.iter().any(|op| op.inputs().any(|tensor| tensor.offset == buffer))
    }

    /// Lets ops write over an input that nothing reads afterwards, where the runtime allows it.
    fn work_in_place(&mut self, output: &mut Tensor) {
        for index in 0..self.ops.len() {
            let candidate = self.ops[index].in_place_candidate().map(|tensor| tensor.offset);
            let Some(buffer) = candidate.filter(|buffer| !self.lasts(*buffer)) else { continue };
            let (op, later) = self.ops[index..].split_first_mut().expect("index is within");
            let used_later =
                |buffer: u32| output.offset == buffer || later.iter().any(|o| o.inputs().any(|t| t.offset == buffer));
            if used_later(buffer) {
                continue;
            }
            let old = op.output().offset;
            let tensors = std::iter::once(op).chain(later).flat_map(Op::tensors_mut);
            tensors.chain([&mut *output]).filter(|t| t.offset == old).for_each(|t| t.offset = buffer);
        }
    }

    /// Gives every op with four-bit weights the largest block that needs no more arena than the smallest would.
    fn choose_blocks(&mut self, input: &Tensor, output: &Tensor) -> Result<(), BuildError> {
        let packed: Vec<usize> = (0..self.ops.len()).filter(|&i| self.ops[i].block_mut().is_some()).collect();
        let set = |this: &mut Self, index: usize, size: u16| {
            if let Some(block) = this.ops[index].block_mut() {
                *block = size;
            }
        };
        let smallest = BLOCKS[BLOCKS.len() - 1];
        packed.iter().for_each(|&index| set(self, index, smallest));
        let (_, least) = self.place(input, output)?;
        for index in packed {
            for size in BLOCKS {
                set(self, index, size);
                if size == smallest || self.place(input, output)?.1 <= least {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Offsets of all buffers, then of each op's scratch; and the arena's size.
    fn place(&self, input: &Tensor, output: &Tensor) -> Result<(Vec<u32>, u32), BuildError> {
        let unused = Buffer { len: 0, first: 0, last: 0 };
        let mut buffers = vec![None::<Buffer>; self.buffers];
        let last = self.ops.len().saturating_sub(1) as u32;
        let mut touch = |tensor: &Tensor, op: u32| {
            let buffer = buffers[tensor.offset as usize].get_or_insert(Buffer { len: 0, first: op, last: op });
            buffer.len = buffer.len.max(tensor.len() as u32);
            buffer.first = buffer.first.min(op);
            buffer.last = buffer.last.max(op);
        };
        touch(input, self.prelude() as u32);
        for (index, op) in self.ops.iter().enumerate() {
            op.inputs().chain([op.output()]).for_each(|tensor| touch(tensor, index as u32));
        }
        touch(output, last);
        let mut buffers: Vec<Buffer> = buffers.into_iter().map(|b| b.unwrap_or(unused)).collect();
        for (_, lifetime) in buffers.iter_mut().enumerate().filter(|(buffer, _)| self.lasts(*buffer as u32)) {
            lifetime.last = last;
        }
        buffers.extend(self.ops.iter().enumerate().map(|(index, op)| {
            let len = op.scratch().map_or(0, |(_, len)| len) as u32;
            Buffer { len, first: index as u32, last: index as u32 }
        }));
        let (mut offsets, mut work) = (vec![0; buffers.len()], vec![0; buffers.len()]);
        let arena_len = planner::plan(&buffers, &mut offsets, &mut work).ok_or(BuildError::Plan)?;
        Ok((offsets, arena_len.next_multiple_of(16)))
    }
}
