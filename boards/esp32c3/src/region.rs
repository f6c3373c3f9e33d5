//! The flash region of a model, as memory.

use brownian_board::demo::memory;
use esp_hal::ram;

/// Where it begins in flash: behind 64 KB of boot loader and partition table and 1,984 KB of program.
const START: u32 = 0x20_0000;
/// Bytes of a page of the cache's address space.
const PAGE: usize = 64 * 1024;

// Of the chip's ROM; esp-rom-sys has the addresses. ESP-IDF's `esp_rom/include/esp32c3/rom/cache.h` describes them.
extern "C" {
    fn Cache_Suspend_ICache() -> u32;
    fn Cache_Resume_ICache(autoload: u32);
    fn Cache_Invalidate_ICache_All();
    fn Cache_Dbus_MMU_Set(ext_ram: u32, address: u32, flash: u32, page_kb: u32, pages: u32, fixed: u32) -> i32;
}

/// Maps it to the addresses that the linker script keeps for it, and returns its bytes.
///
/// # Panics
/// The addresses are no whole pages.
pub fn map() -> &'static [u8] {
    let region = memory::region();
    let pages = (region.len() / PAGE) as u32;
    let error = critical_section::with(|_| map_pages(region.as_ptr() as u32, pages));
    assert!(error == 0, "the model's region cannot be mapped: error {error} of the ROM");
    region
}

/// Runs from RAM: while the cache is suspended, flash cannot be read.
#[ram]
fn map_pages(address: u32, pages: u32) -> i32 {
    // SAFETY: interrupts are off and this function lies in RAM, so nothing reads flash until the cache goes on. The pages are
    // beyond those of the program, which ends before 4 MB.
    unsafe {
        let autoload = Cache_Suspend_ICache();
        let error = Cache_Dbus_MMU_Set(0, address, START, (PAGE / 1024) as u32, pages, 0);
        Cache_Invalidate_ICache_All();
        Cache_Resume_ICache(autoload);
        error
    }
}
