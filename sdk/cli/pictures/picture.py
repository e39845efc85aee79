"""Pictures of a terminal as SVG, in the fonts of whoever looks at them."""

import html
import io
import re

from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
# A character in a font of this size: how wide it is, and how far a line is from the next, which rich has fixed.
# With these, lines that are drawn with characters meet.
SIZE = 21.4
CELL, LINE = 12.88, 24.4
# What is around the text, and the bar on top.
MARGIN, BAR = 12, 40

# Dark on any page, with a border for pages that are dark as well.
THEME = TerminalTheme(
    (22, 27, 34),
    (230, 237, 243),
    [
        (72, 79, 88),
        (255, 123, 114),
        (126, 231, 135),
        (227, 179, 65),
        (121, 192, 255),
        (210, 168, 255),
        (118, 227, 234),
        (230, 237, 243),
    ],
)
BACK = THEME.background_color.hex

# With double braces where rich fills in.
FORMAT = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}">
<style>
.t-matrix {{{{ font: {size}px {fonts} }}}}
.t-title {{{{ font: 16px sans-serif }}}}
{{styles}}
{style}</style>
<clipPath id="t-window"><rect y="1.5" width="{inner:g}" height="{below:g}"/></clipPath>
<rect x="1" y="1" width="{frame:g}" height="{tall:g}" rx="8" fill="{back}" stroke="#6e7681"/>
<circle cx="22" cy="21" r="6" fill="#ff5f57"/>
<circle cx="42" cy="21" r="6" fill="#febc2e"/>
<circle cx="62" cy="21" r="6" fill="#28c840"/>
<text class="t-title" x="{middle:g}" y="27" fill="{front}" text-anchor="middle">{title}</text>
<g transform="translate({margin} {bar})" clip-path="url(#t-window)">
<g class="t-matrix">
{{backgrounds}}
{{matrix}}
</g>
{over}</g>
</svg>
"""

TEXT = re.compile(r'<text class="(\S+)" x="(\S+)" y="(\S+)" textLength="\S+" clip-path="\S+">(.*?)</text>', re.S)


def draw(ansi, title, width, height=None, style="", over=""):
    """The SVG of what a terminal shows, which is text with escape sequences. What is below its height is there, but
    not seen; something may be drawn over it."""
    text = Text.from_ansi(ansi, no_wrap=True, end="")
    # Wide characters stand by themselves, so that what follows them stays in its columns.
    for at, character in enumerate(text.plain):
        if cell_len(character) > 1:
            text.stylize(Style(meta={"at": at}), at, at + 1)
    console = Console(record=True, width=width, file=io.StringIO(), highlight=False)
    console.print(text, crop=False, overflow="ignore")
    rows = height or text.plain.count("\n") + 1
    inner, below = width * CELL, rows * LINE
    outer = inner + 2 * MARGIN
    form = FORMAT.format(
        width=outer,
        height=below + BAR + MARGIN + 2,
        frame=outer - 2,
        tall=below + BAR + MARGIN,
        inner=inner,
        below=below,
        middle=outer / 2,
        margin=MARGIN,
        bar=BAR,
        size=SIZE,
        fonts=FONTS,
        back=BACK,
        front=THEME.foreground_color.hex,
        title=html.escape(title),
        style=style.replace("{", "{{").replace("}", "}}"),
        over=over,
    )
    svg = console.export_svg(theme=THEME, code_format=form, font_aspect_ratio=CELL / 20, unique_id="t")
    svg = TEXT.sub(fit, svg).replace("<rect fill", "\n<rect fill")
    return "\n".join(line for line in svg.splitlines() if line.strip()) + "\n"


def fit(found):
    """A text that has its place and its width in any font: rich takes wide characters for narrow ones, and has the
    ends of lines as texts of their own."""
    kind, x, y, escaped = found.groups()
    content = html.unescape(escaped).replace("\xa0", " ").rstrip()
    text = content.lstrip()
    if not text:
        return ""
    x = float(x) + cell_len(content[: len(content) - len(text)]) * CELL
    escaped = html.escape(text, quote=False).replace("  ", "&#160;&#160;")
    return (
        f'\n<text class="{kind}" x="{x:g}" y="{float(y):g}" textLength="{cell_len(text) * CELL:g}" '
        f'lengthAdjust="spacingAndGlyphs">{escaped}</text>'
    )


def play(lines, title, width, height, rest):
    """The SVG of a terminal on which lines come one after the other, each with the second at which it comes; after
    the last it rests, and begins again."""
    end = lines[-1][0] + rest
    # What comes together moves together.
    last = [
        (at, number)
        for number, (at, _) in enumerate(lines, 1)
        if number == len(lines) or lines[number][0] - at > 0.05
    ]

    def moves(name, place):
        """A class that is in another place whenever lines have come."""
        at_end = f"transform: translateY({place(len(lines)):.1f}px)"
        frames = [f"{100 * at / end:.2f}% {{ transform: translateY({place(number):.1f}px) }}\n" for at, number in last]
        return (
            f".t-{name} {{ {at_end}; animation: {name} {end:.1f}s step-end infinite }}\n"
            f"@keyframes {name} {{\n{''.join(frames)}100% {{ {at_end} }}\n}}\n"
        )

    style = (
        moves("matrix", lambda number: min(0, height - number) * LINE)
        # As long as the window is not full, something hides what is to come.
        + moves("cover", lambda number: min(height, number) * LINE + 2)
        + "@media (prefers-reduced-motion: reduce) { .t-matrix, .t-cover { animation: none } }\n"
    )
    cover = f'<rect class="t-cover" width="{width * CELL:g}" height="{height * LINE:g}" fill="{BACK}"/>\n'
    return draw("\n".join(line for _, line in lines), title, width, height, style, cover)
