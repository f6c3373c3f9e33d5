//! What an instruction costs: Arm's technical reference manuals of Cortex-M0+ (DDI 0484C) and M4 (DDI 0439); for
//! Cortex-M33, of which Arm publishes none, M4's with loads that take one cycle and one more when the next instruction
//! needs the value.

/// A core with a cost model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Core {
    M0Plus,
    M4,
    M33,
}

/// The machine whose trace is taken, the core, and its name in the table.
pub const CORES: [(&str, Core, &str); 3] =
    [("m0", Core::M0Plus, "M0+"), ("m4", Core::M4, "M4"), ("m33", Core::M33, "M33")];

impl Core {
    /// Cycles that a taken branch adds to the one of the instruction.
    pub fn taken_branch(self) -> u64 {
        match self {
            Core::M0Plus => 1,
            // 1 to 3 by the target's alignment and width.
            Core::M4 | Core::M33 => 2,
        }
    }
}

/// A line of a listing: `0x00000400:  4802       ldr r0, [pc, #8]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    pub address: u32,
    bytes: u32,
    mnemonic: String,
    operands: String,
}

impl Instruction {
    pub fn parse(line: &str) -> Option<Self> {
        let (address, rest) = line.strip_prefix("0x")?.split_once(':')?;
        let address = u32::from_str_radix(address, 16).ok()?;
        let mut words = rest.split_whitespace().peekable();
        let mut bytes = 0;
        while words.peek().is_some_and(|w| w.len() == 4 && w.bytes().all(|b| b.is_ascii_hexdigit())) && bytes < 4 {
            words.next();
            bytes += 2;
        }
        let mnemonic = words.next()?.trim_end_matches(".w").to_string();
        let operands = words.collect::<Vec<_>>().join(" ");
        (bytes > 0).then_some(Self { address, bytes, mnemonic, operands })
    }

    fn is_load(&self) -> bool {
        self.mnemonic.starts_with("ldr") && self.mnemonic != "ldrd"
    }

    /// The register that a load writes.
    fn destination(&self) -> &str {
        self.operands.split(',').next().unwrap_or("").trim()
    }

    /// Registers of a list in braces, each name or range counted out.
    fn listed(&self) -> u64 {
        let list = self.operands.split_once('{').map_or("", |(_, list)| list.trim_end_matches('}'));
        list.split(',').filter(|register| !register.trim().is_empty()).count() as u64
    }

    /// Cycles after `previous`, without what a taken branch adds.
    fn cycles(&self, core: Core, previous: Option<&Instruction>) -> u64 {
        let name = self.mnemonic.as_str();
        let pipelined = previous.is_some_and(|p| {
            core != Core::M0Plus
                && p.is_load()
                && (self.is_load() || name.starts_with("str"))
                && !self.operands.contains(&format!("[{}", p.destination()))
        });
        let needed_at_once = previous.is_some_and(|p| {
            p.is_load() && self.operands.split([',', '[', ']', ' ']).any(|word| word == p.destination())
        });
        match core {
            Core::M33 if needed_at_once => self.base(core, false) + 1,
            _ => self.base(core, pipelined),
        }
        .max(u64::from(name != "it"))
    }

    fn base(&self, core: Core, pipelined: bool) -> u64 {
        let name = self.mnemonic.as_str();
        let small = core == Core::M0Plus;
        if name.starts_with("ldm") || name.starts_with("stm") || name.starts_with("push") || name.starts_with("pop") {
            return 1 + self.listed();
        }
        if name.starts_with("ldrd") || name.starts_with("strd") {
            return if core == Core::M33 { 2 } else { 3 };
        }
        if name.starts_with("ldr") {
            return if core == Core::M33 || pipelined { 1 } else { 2 };
        }
        if name.starts_with("str") {
            return if small { 2 } else { 1 };
        }
        if name.starts_with("sdiv") || name.starts_with("udiv") {
            return 7;
        }
        if name.starts_with("vldr") {
            return 2;
        }
        if small && name == "bl" {
            return 2;
        }
        1
    }
}

/// A translated block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    pub bytes: u32,
    pub cycles: u64,
}

impl Block {
    /// Adds up a listing.
    pub fn new(core: Core, instructions: &[Instruction]) -> Self {
        let mut previous = None;
        let mut block = Block { bytes: 0, cycles: 0 };
        for instruction in instructions {
            block.bytes += instruction.bytes;
            block.cycles += instruction.cycles(core, previous);
            previous = Some(instruction);
        }
        block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(core: Core, lines: &[&str]) -> Block {
        let instructions: Vec<_> = lines
            .iter()
            .enumerate()
            .map(|(i, line)| Instruction::parse(&format!("0x{:08x}:  {line}", 4 * i)).unwrap())
            .collect();
        Block::new(core, &instructions)
    }

    /// Two loads in a row take three cycles on M4, unless the second needs the first.
    #[test]
    fn loads_pipeline() {
        let apart = ["6801       ldr r1, [r0]", "6842       ldr r2, [r0, #4]"];
        let chained = ["6801       ldr r1, [r0]", "680a       ldr r2, [r1]"];
        assert_eq!(block(Core::M4, &apart), Block { bytes: 4, cycles: 3 });
        assert_eq!(block(Core::M4, &chained).cycles, 4);
        assert_eq!(block(Core::M0Plus, &apart).cycles, 4);
        assert_eq!(block(Core::M33, &apart).cycles, 2);
        assert_eq!(block(Core::M33, &chained).cycles, 3);
    }

    #[test]
    fn lists_take_a_cycle_a_register() {
        let lines = ["e8be 0330  ldm.w lr!, {r4, r5, r8, sb}", "fb20 000a  smlad r0, r0, sl, r0"];
        assert_eq!(block(Core::M4, &lines), Block { bytes: 8, cycles: 6 });
    }
}
