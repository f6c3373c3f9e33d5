"""The boards."""

from .nrf52 import Nrf52840Dk
from .rp2350 import Pico2

BOARDS = {"pico2": Pico2, "nrf52840-dk": Nrf52840Dk}
