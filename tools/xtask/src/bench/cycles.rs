//! Estimated cycles: the blocks that QEMU executes, each instruction at its cost in the core's manual.
//!
//! No wait states, no cache misses, no bus contention; a taken branch refills the pipeline in the usual time. These are
//! estimates: only hardware has cycles.

mod cost;

use crate::emulator;
use crate::machines::Machine;
use anyhow::{ensure, Context, Result};
use cost::{Block, Instruction};
pub use cost::{Core, CORES};
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

/// The function whose calls enclose what is counted.
const MARK: &str = "count5clock3now";

/// Runs the bench firmware once under a block trace; returns the estimated cycles of each kernel, in the bench's order.
pub fn estimate(machine: &Machine, core: Core, elf: &Path) -> Result<Vec<u64>> {
    let mut child = emulator::command(machine, elf, &["trace".into()])?
        .args(["-d", "exec,nochain,in_asm", "-D", "/dev/stdout"])
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", machine.qemu))?;
    let mut trace = Trace::new(core);
    for line in BufReader::new(child.stdout.take().expect("piped")).split(b'\n') {
        trace.line(&String::from_utf8_lossy(&line?));
    }
    let status = child.wait()?;
    ensure!(status.success(), "the traced firmware failed: {status}");
    Ok(trace.kernels())
}

/// What has been read of a trace.
struct Trace {
    core: Core,
    /// The listing that is being read, by its first address.
    listing: Option<(u32, Vec<Instruction>)>,
    /// The latest listing of each first address.
    listings: HashMap<u32, Block>,
    /// Blocks by where the translator put them.
    blocks: HashMap<String, Block>,
    last: Option<Step>,
    /// First address of the mark.
    mark: Option<u32>,
    in_mark: bool,
    cycles: u64,
    /// Cycles from the end of each call of the mark to the start of the next.
    spans: Vec<u64>,
}

/// An executed block.
struct Step {
    block: Block,
    pc: u32,
    cycles: u64,
}

impl Trace {
    fn new(core: Core) -> Self {
        Self {
            core,
            listing: None,
            listings: HashMap::new(),
            blocks: HashMap::new(),
            last: None,
            mark: None,
            in_mark: false,
            cycles: 0,
            spans: Vec::new(),
        }
    }

    fn line(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("Trace 0: ") {
            self.executed(rest);
        } else if line.starts_with("Stopped execution of TB chain") {
            // The block of the previous line did not run.
            if let Some(step) = self.last.take() {
                self.cycles = self.cycles.saturating_sub(step.cycles);
            }
        } else if line.starts_with("IN:") {
            self.listing = None;
        } else if let Some(instruction) = Instruction::parse(line) {
            self.listing.get_or_insert_with(|| (instruction.address, Vec::new())).1.push(instruction);
        } else if let Some((address, instructions)) = self.listing.take() {
            self.listings.insert(address, Block::new(self.core, &instructions));
        }
    }

    /// `0xHOST [cs_base/PC/flags/cflags] symbol`
    fn executed(&mut self, rest: &str) {
        let mut words = rest.split_whitespace();
        let (Some(host), Some(key)) = (words.next(), words.next()) else { return };
        let Some(pc) = key.split('/').nth(1).and_then(|pc| u32::from_str_radix(pc, 16).ok()) else { return };
        let marked = words.next().is_some_and(|symbol| symbol.contains(MARK));
        let id = format!("{host} {key}");
        if let Some(block) = self.listings.remove(&pc) {
            self.blocks.insert(id.clone(), block);
        }
        let Some(&block) = self.blocks.get(&id) else { return };
        let jumped = self.last.as_ref().is_some_and(|last| last.pc + last.block.bytes != pc);
        if jumped && !self.in_mark {
            self.cycles += self.core.taken_branch();
        }
        let mark = *self.mark.get_or_insert(if marked { pc } else { u32::MAX });
        if marked && (mark == u32::MAX || pc == mark) {
            self.mark = Some(pc);
            self.spans.push(std::mem::take(&mut self.cycles));
        }
        self.in_mark = marked;
        let cycles = if marked { 0 } else { block.cycles };
        self.cycles += cycles;
        self.last = Some(Step { block, pc, cycles });
    }

    /// A count is four marks: around an empty call and around the kernel. The first is the calibration.
    fn kernels(&self) -> Vec<u64> {
        // spans[k] ends at call k: 1 is the empty call, 3 the kernel.
        self.spans.chunks_exact(4).skip(1).map(|span| span[3].saturating_sub(span[1])).collect()
    }
}
