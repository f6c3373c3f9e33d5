// Firmware files as parts: [address, bytes].

const LOAD = 1;
const UF2 = [0x0a324655, 0x9e5d5157, 0x0ab16f30];

/** The parts of an ELF or UF2 file. Throws an error for anything else. */
export function parts(file) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length >= 52 && view.getUint32(0) === 0x7f454c46) return elf(file, view);
  if (file.length >= 512 && view.getUint32(0, true) === UF2[0]) return uf2(file, view);
  throw new Error('the firmware is neither an ELF nor a UF2 file');
}

/** What an ELF file says is loaded, at physical addresses. */
function elf(file, view) {
  const [at, size, count] = [view.getUint32(28, true), view.getUint16(42, true), view.getUint16(44, true)];
  const found = [];
  for (let p = at; p < at + size * count; p += size) {
    const [type, offset, , physical, length] = [0, 4, 8, 12, 16].map((field) => view.getUint32(p + field, true));
    if (type === LOAD && length > 0) found.push([physical, file.subarray(offset, offset + length)]);
  }
  return found;
}

function uf2(file, view) {
  const found = [];
  for (let at = 0; at < file.length; at += 512) {
    const magic = [0, 4, 508].map((field) => (at + 512 <= file.length ? view.getUint32(at + field, true) : 0));
    if (magic.some((word, index) => word !== UF2[index])) throw new Error(`UF2 block ${at / 512} is damaged`);
    const length = view.getUint32(at + 16, true);
    found.push([view.getUint32(at + 12, true), file.subarray(at + 32, at + 32 + length)]);
  }
  return found;
}
