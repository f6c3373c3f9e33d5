"""The boards."""

from .nrf52 import Nrf52840Dk
from .rp2350 import Pico2

