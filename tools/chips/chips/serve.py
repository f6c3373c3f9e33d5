"""python -m chips.serve BOARD: a board that a program drives. A request a line on standard input, its answer a line on
standard output, both JSON; `tools/boards/src/serve.mjs` has the list of requests."""

import json
import sys

from .boards import BOARDS
from .chip import FOREVER
from .image import parts


class Server:
    def __init__(self, board):
        self.chip = BOARDS[board]
        self.board = None

    def answer(self, text):
        try:
            request = json.loads(text)
            action = getattr(self, f"do_{request.pop('do')}", None)
            if action is None:
                raise ValueError(f"no such request: {text.strip()}")
            if self.board is None and action != self.do_start:
                raise ValueError("start comes first")
            result = action(**request)
            board = self.board
            counts = {"instructions": board.instructions, "resets": board.resets, "micros": board.micros, "asleep": board.asleep,
                      "cores": [core.instructions for core in board.cores]}
            return {**result, **counts}
        except (AttributeError, ValueError, KeyError, TypeError, OSError) as error:
            return {"error": f"{error}"}

    def do_start(self, firmware):
        with open(firmware, "rb") as file:
            self.board = self.chip(parts(file.read()))
        self.heard = {line: 0 for line in self.board.said}
        return {}

    def do_run(self, line="uart", until=None, instructions=FOREVER, micros=FOREVER):
        begin = self.heard[line]
        end = -1

        def is_done():
            nonlocal end
            if until is None:
                return False
            said = self.board.said[line]
            at = said.find(until, begin)
            end = -1 if at < 0 else said.find("\n", at + len(until) - 1) + 1 or -1
            return end >= 0

        stopped = self.board.run(is_done, instructions, micros)
        # What was not waited for is told by the next run.
        if end >= 0:
            self.heard[line] = end
        return {"stopped": stopped, "said": self.board.said[line][begin:end if end >= 0 else None]}

    def do_type(self, text, line="uart"):
        self.board.type(line, text)
        return {}

    def do_button(self, down):
        self.board.button(down)
        return {}

    def do_plug(self, **request):
        self.board.plug(request["in"])
        return {}

    def do_attach(self, address):
        self.board.attach(address)
        return {}

    def do_fetch(self):
        if self.board.probe is None:
            raise ValueError("no probe is attached")
        fetched, self.board.probe.fetched = self.board.probe.fetched, b""
        return {"said": fetched.decode("latin1")}

    def do_slow(self, core, cycles):
        if cycles < 1 or not 0 <= core < len(self.board.cores):
            raise ValueError(f"core {core} cannot take {cycles} cycles for an instruction")
        self.board.cores[core].pace = cycles
        return {}

    def do_watchdog(self):
        period, feeds = self.board.watchdog()
        return {"period": period, "feeds": feeds}

    def do_sound(self):
        return self.board.speaker.take(self.board.hz)

    def do_display(self):
        display = self.board.display
        if display.unknown:
            raise ValueError(f"the display does not know the commands {sorted(display.unknown)}")
        return {"rows": display.rows()}


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in BOARDS:
        sys.exit(f"usage: python -m chips.serve BOARD, out of {', '.join(BOARDS)}")
    server = Server(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(server.answer(line)), flush=True)


if __name__ == "__main__":
    main()
