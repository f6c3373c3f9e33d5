"""The boards."""

from .microbit_v1 import MicrobitV1
from .nrf52 import MicrobitV2, Nrf52840Dk
from .rp2350 import Pico2, Pico2Colour
from .stm32f411 import BlackPill
from .stm32h743 import NucleoH743

BOARDS = {"pico2": Pico2, "pico2-colour": Pico2Colour, "pico2-two-cores": Pico2, "nrf52840-dk": Nrf52840Dk,
          "stm32f411": BlackPill, "nucleo-h743": NucleoH743, "microbit-v1": MicrobitV1, "microbit-v2": MicrobitV2}
