//! `brownian-rtt FIRMWARE.elf < BYTES`: the lines that firmware has said by defmt, from what a debug probe has fetched of
//! its ring. A frame that has not ended yet is left out.

use anyhow::{bail, Context, Result};
use defmt_decoder::{DecodeError, Table};
use std::io::Read;

fn main() -> Result<()> {
    let elf = std::env::args_os().nth(1).context("usage: brownian-rtt FIRMWARE.elf < BYTES")?;
    let elf = std::fs::read(&elf).with_context(|| format!("cannot read {}", elf.display()))?;
    let table = Table::parse(&elf)?.context("the firmware has no table of defmt: it is built without `rtt`")?;
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    let mut decoder = table.new_stream_decoder();
    decoder.received(&bytes);
    loop {
        match decoder.decode() {
            Ok(frame) => println!("{}", frame.display_message()),
            Err(DecodeError::UnexpectedEof) => return Ok(()),
            Err(DecodeError::Malformed) => bail!("a frame is damaged"),
        }
    }
}
