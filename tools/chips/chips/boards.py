"""The boards."""

from .nrf52 import MicrobitV2, Nrf52840Dk
from .rp2350 import Pico2
from .stm32f411 import BlackPill

BOARDS = {"pico2": Pico2, "nrf52840-dk": Nrf52840Dk, "stm32f411": BlackPill,
          "microbit-v2": MicrobitV2}
