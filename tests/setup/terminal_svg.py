"""Types commands on a terminal of its own and draws what the terminal shows as SVG.

usage: terminal_svg.py COLUMNS [-- SECONDS COMMAND]... >picture.svg

A command is a line for `sh`; after SECONDS, if they are not 0, Ctrl-C is typed.
"""
import fcntl, html, os, pty, re, select, struct, sys, termios, time

PALETTE = ["#3b4048", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d7dae0"]
PAPER, INK, DIM = "#1e2127", "#d7dae0", "#8b929e"
WIDTH, HEIGHT, EDGE = 8.4, 18, 16
CONTROL = re.compile(r"\x1b\[\??([0-9;]*)([A-Za-z])|(.)", re.S)


class Screen:
    """As much of a terminal as our programs use (ECMA-48)."""

    def __init__(self, columns):
        self.columns, self.cells, self.row, self.column, self.style = columns, {}, 0, 0, ()

    def feed(self, text):
        for arguments, final, character in CONTROL.findall(text):
            number = int((arguments or "1").split(";")[0])
            if character == "\n":
                self.row += 1
            elif character == "\r":
                self.column = 0
            elif character:
                if self.column == self.columns:
                    self.row, self.column = self.row + 1, 0
                self.cells[self.row, self.column] = (character, self.style)
                self.column += 1
            elif final == "m":
                codes = tuple(int(code) for code in arguments.split(";") if code)
                self.style = () if codes in ((), (0,)) else self.style + codes
            elif final == "A":
                self.row -= number
            elif final == "B":
                self.row += number
            elif final in "GD":
                self.column = number - 1 if final == "G" else max(0, self.column - number)
            elif final == "C":
                self.column += number
            elif final in "JK":
                for row, column in list(self.cells):
                    here = row == self.row and (arguments == "2" or column >= self.column)
                    if here or final == "J" and row > self.row:
                        del self.cells[row, column]
            elif final not in "hl":
                raise ValueError(f"what is CSI {arguments}{final}?")


def run(screen, seconds, command):
    screen.feed(f"\x1b[2m$\x1b[0m \x1b[1;36m{command}\x1b[0m\r\n")
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("4H", 50, screen.columns, 0, 0))
        os.execvp("sh", ["sh", "-c", f"exec {command}"])
    end, output = time.time() + seconds, b""
    while True:
        if seconds and time.time() > end:
            os.write(terminal, b"\x03")
            seconds = 0
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                output += os.read(terminal, 65536)
            except OSError:
                break
    os.waitpid(pid, 0)
    screen.feed(output.decode().replace("^C", "^C\r\n"))


def draw(screen):
    columns, rows = screen.columns, max(row for row, _ in screen.cells) + 1
    width, height = columns * WIDTH + 2 * EDGE, rows * HEIGHT + 2 * EDGE
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" height="{height}" '
          f'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14" fill="{INK}">')
    print(f'<rect width="100%" height="100%" rx="8" fill="{PAPER}"/>')
    for row in range(rows):
        column = 0
        while column < columns:
            character, style = screen.cells.get((row, column), (" ", ()))
            text, start = "", column
            while column < columns and screen.cells.get((row, column), (" ", style))[1] == style:
                text += screen.cells.get((row, column), (" ", style))[0]
                column += 1
            if text.strip():
                span(text, style, EDGE + start * WIDTH, EDGE + row * HEIGHT + 13)
    print("</svg>")


def span(text, style, x, y):
    start = len(text) - len(text.lstrip())
    text, x = text.strip(), x + start * WIDTH
    colours = [PALETTE[code % 10] for code in style if code // 10 in (3, 9)]
    look = f' fill="{colours[-1] if colours else DIM}"' if colours or 2 in style else ""
    look += ' font-weight="bold"' * (1 in style) + ' text-decoration="underline"' * (4 in style)
    # The length keeps columns in place whatever font is there.
    print(f'<text x="{x:.1f}" y="{y}" textLength="{len(text) * WIDTH:.1f}" xml:space="preserve"{look}>{html.escape(text)}</text>')


if __name__ == "__main__":
    screen, words = Screen(int(sys.argv[1])), sys.argv[2:]
    for _, seconds, command in zip(*[iter(words)] * 3):
        if screen.cells:
            screen.feed("\r\n")
        run(screen, float(seconds), command)
    draw(screen)
