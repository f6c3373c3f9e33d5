// The display as a PNG.
import { PNG } from 'pngjs';

const LIT = [0xe8, 0xf4, 0xff];
const DARK = [0x0a, 0x10, 0x18];

/** Bytes of a PNG of `rows` (strings, # is lit), `scale` pixels a dot with a dark line between dots. */
export function picture(rows, scale = 4) {
  const png = new PNG({ width: rows[0].length * scale, height: rows.length * scale });
  for (let y = 0; y < png.height; y++) {
    for (let x = 0; x < png.width; x++) {
      const isGap = x % scale === scale - 1 || y % scale === scale - 1;
      const isLit = rows[Math.floor(y / scale)][Math.floor(x / scale)] === '#' && !isGap;
      png.data.set([...(isLit ? LIT : DARK), 255], 4 * (y * png.width + x));
    }
  }
  return PNG.sync.write(png);
}
