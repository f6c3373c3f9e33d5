// The computer's side of a USB serial port: rp2040js's, but it sends no packet while there is nothing to send.
import { USBCDC } from 'rp2040js';

/** Where the buffers of OUT endpoints are controlled, and the bit by which firmware hands a buffer over. */
const OUT_CONTROL = 0x84;
const AVAILABLE = 1 << 10;

export class Port extends USBCDC {
  constructor(usb, onByte) {
    super(usb);
    this.queue = [];
    this.wanted = null;
    this.onSerialData = (bytes) => bytes.forEach(onByte);
    usb.onEndpointRead = (endpoint, size) => {
      if (endpoint !== this.outEndpoint) return;
      // rp2040js takes the buffer back at once; here it stays with the controller until there are bytes.
      this.#available(true);
      this.wanted = size;
      this.#offer();
    };
  }

  /** Opens the port. rp2040js asks the device where CDC (section 6.2.14) asks the interface. */
  cdcSetControlLineState() {
    this.usb.sendSetupPacket(Uint8Array.from([0x21, 0x22, 3, 0, 0, 0, 0, 0]));
    this.initialized = true;
  }

  /** Whether a program on the computer has opened the port. */
  get isOpen() {
    return this.initialized;
  }

  send(bytes) {
    this.queue.push(...bytes);
    this.#offer();
  }

  #offer() {
    if (this.wanted === null || this.queue.length === 0) return;
    const packet = Uint8Array.from(this.queue.splice(0, this.wanted));
    this.wanted = null;
    this.#available(false);
    this.usb.finishRead(this.outEndpoint, packet);
  }

  #available(isAvailable) {
    const memory = this.usb.rp2040.usbDPRAMView;
    const at = OUT_CONTROL + 8 * this.outEndpoint;
    const control = memory.getUint32(at, true) & ~AVAILABLE;
    memory.setUint32(at, isAvailable ? control | AVAILABLE : control, true);
  }
}
