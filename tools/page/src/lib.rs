//! The runtime as a WebAssembly module: a model is opened, described, fitted to boards and drawn from.
//!
//! Text and bytes cross in two buffers. A caller asks [`input`] for room, writes there, calls, and reads the result at
//! [`output`]. A call returns the result's length n, or -1 - n where it was refused; the result is then one line that says
//! why. `web/runtime.js` is the other side.

mod draw;

use brownian::host::boards::{Board, BOARDS};
use brownian::host::{AlignedBytes, BoardReport, OwnedModel, Report};
use serde::Serialize;
use serde_json::json;
use std::cell::RefCell;
use std::fmt::Display;

/// What lies between two calls.
#[derive(Default)]
struct Page {
    input: AlignedBytes,
    output: Vec<u8>,
    model: Option<OwnedModel>,
}

thread_local! {
    static PAGE: RefCell<Page> = RefCell::default();
}

/// Room for `len` bytes of the next call's input, at an address that is a multiple of 16; 0 where there is no memory.
#[no_mangle]
pub extern "C" fn input(len: usize) -> *mut u8 {
    PAGE.with_borrow_mut(|page| {
        // What was there goes first.
        page.input = AlignedBytes::default();
        match AlignedBytes::try_zeroed(len) {
            Ok(bytes) => {
                page.input = bytes;
                page.input.bytes_mut().as_mut_ptr()
            }
            Err(_) => std::ptr::null_mut(),
        }
    })
}

/// Where the last call's result lies.
#[no_mangle]
pub extern "C" fn output() -> *const u8 {
    PAGE.with_borrow(|page| page.output.as_ptr())
}

/// Every board: an array of `{"name", "title"}`. It takes no input.
#[no_mangle]
pub extern "C" fn boards() -> isize {
    call(|_| json(&BOARDS.iter().map(|board| json!({"name": board.name, "title": board.title})).collect::<Vec<_>>()))
}

/// Opens the model file that the input is, in place of the one before; the result is its [`Report`]. A file that is refused
/// leaves no model open.
#[no_mangle]
pub extern "C" fn open() -> isize {
    call(|page| {
        page.model = None;
        let model = OwnedModel::from_aligned(std::mem::take(&mut page.input)).map_err(text)?;
        let report = json(&Report::new(&model.model(), model.bytes().len()));
        page.model = Some(model);
        report
    })
}

/// How the open model fits the board that the input names: a [`BoardReport`].
#[no_mangle]
pub extern "C" fn fit() -> isize {
    call(|page| {
        let board = Board::find(page.words()?)?;
        let model = page.model()?;
        json(&BoardReport::new(board, &model.model(), model.bytes().len()))
    })
}

/// Draws one image as the input, a [`draw::Request`], says; every step is told to the imported function `step`. The result
/// is the sample, f32 in little endian.
#[no_mangle]
pub extern "C" fn draw() -> isize {
    call(|page| {
        let request = serde_json::from_str(page.words()?).map_err(text)?;
        draw::draw(page.model()?, &request).map(|sample| bytemuck::cast_slice(&sample).to_vec())
    })
}

impl Page {
    /// The input as text.
    fn words(&self) -> Result<&str, String> {
        std::str::from_utf8(self.input.bytes()).map_err(text)
    }

    fn model(&self) -> Result<&OwnedModel, String> {
        self.model.as_ref().ok_or_else(|| "no model is open".into())
    }
}

/// Runs one call and keeps what it gives.
fn call(run: impl FnOnce(&mut Page) -> Result<Vec<u8>, String>) -> isize {
    PAGE.with_borrow_mut(|page| {
        let (output, is_refused) = match run(page) {
            Ok(output) => (output, false),
            Err(error) => (error.into_bytes(), true),
        };
        page.output = output;
        // No buffer is longer than isize::MAX.
        let len = page.output.len() as isize;
        if is_refused {
            -1 - len
        } else {
            len
        }
    })
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, String> {
    serde_json::to_vec(value).map_err(text)
}

fn text(error: impl Display) -> String {
    error.to_string()
}
