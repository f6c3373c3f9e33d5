// Samples as pictures: images, signals, points of the plane, rows of values.

/** What a sample of this shape, height, width and channels, is shown as. */
export function kind([height, width, channels]) {
  if (height > 1 && width > 1) return 'image';
  if (height * width > 1) return 'signal';
  return channels === 2 ? 'points' : 'row';
}

/** The most rows of a picture of values. */
const ROWS = 40;

/** A value in [-1, 1] as a byte of light. */
export const light = (value) => Math.min(255, Math.max(0, Math.round((value + 1) * 127.5)));

/** An empty picture with this name for those who do not see it. */
export function canvas(label) {
  const element = document.createElement('canvas');
  element.setAttribute('role', 'img');
  element.setAttribute('aria-label', label);
  return element;
}

/** Paints samples of `shape` on one canvas; of images and signals the first. Points at `reach` are at the border. */
export function paint(element, samples, shape, reach) {
  switch (kind(shape)) {
    case 'image':
      return image(element, samples[0], shape);
    case 'signal':
      return signal(element, samples[0], shape);
    case 'points':
      return points(element, samples, reach);
    default:
      return rows(element, samples.slice(0, ROWS), shape[2]);
  }
}

/** Three channels are red, green and blue; of any other number each is a grey image, side by side. */
function image(element, values, [height, width, channels]) {
  const isColour = channels === 3;
  element.width = isColour ? width : width * channels;
  element.height = height;
  const data = new ImageData(element.width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        const value = light(values[(y * width + x) * channels + c]);
        if (isColour) {
          data.data[(y * width + x) * 4 + c] = value;
          data.data[(y * width + x) * 4 + 3] = 255;
        } else {
          data.data.set([value, value, value, 255], (y * element.width + c * width + x) * 4);
        }
      }
    }
  }
  element.getContext('2d').putImageData(data, 0, 0);
}

/** A curve a channel, time to the right. */
function signal(element, values, [height, width, channels]) {
  [element.width, element.height] = [480, 96];
  const [context, length] = [element.getContext('2d'), height * width];
  context.strokeStyle = '#0b5cad';
  for (let c = 0; c < channels; c++) {
    context.beginPath();
    for (let i = 0; i < length; i++) {
      const value = Math.min(1, Math.max(-1, values[i * channels + c]));
      context.lineTo((i / Math.max(1, length - 1)) * 479, ((1 - value) / 2) * 95);
    }
    context.stroke();
  }
}

/** A dot a sample. */
function points(element, samples, reach) {
  element.width = element.height = 320;
  const context = element.getContext('2d');
  context.fillStyle = '#0b5cad';
  for (const [x, y] of samples) context.fillRect(158 + (x / reach) * 150, 158 - (y / reach) * 150, 3, 3);
}

/** A row of squares a sample, light where the value is large. */
function rows(element, samples, channels) {
  const side = 8;
  [element.width, element.height] = [side * channels, side * samples.length];
  const context = element.getContext('2d');
  samples.forEach((values, y) => {
    values.forEach((value, x) => {
      const grey = light(value);
      context.fillStyle = `rgb(${grey} ${grey} ${grey})`;
      context.fillRect(x * side, y * side, side - 1, side - 1);
    });
  });
}

/** The largest absolute value. */
export const reach = (samples) =>
  samples.reduce((most, sample) => sample.reduce((a, b) => Math.max(a, Math.abs(b)), most), 1e-6);
