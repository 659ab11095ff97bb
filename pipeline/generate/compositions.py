"""How a mock picture is laid out: eight families of posters, each drawn by one function."""

from __future__ import annotations

import math
from collections.abc import Callable

from pipeline.colours import RGB
from pipeline.generate import shapes as s
from pipeline.generate.canvas import Paint
from pipeline.generate.motifs import Tone
from pipeline.generate.scene import Scene, lit, wave
from pipeline.generate.scheme import contrast, lighter, tone

Composition = Callable[[Scene], None]


def podium(scene: Scene) -> None:
    """A product on a round stage before an arch."""
    w, h, u, c, dice = scene.w, scene.h, scene.u, scene.scheme, scene.dice
    floor = h * 0.5 + u * dice.between(0.2, 0.26)
    side = dice.sign()
    x = w / 2 + side * u * dice.between(-0.04, 0.06)
    tall = s.arch(x + side * u * 0.2, floor, u * 0.5, u * dice.between(0.66, 0.76))
    scene.raised(tall, c.panel2, "down", 0.22)
    scene.raised(s.arch(x - side * u * 0.06, floor, u * 0.58, u * 0.6), c.panel, "down", 0.26)
    scene.canvas.fill(s.box(-2, floor, w + 2, h + 2), lit(c.ground, "down"))
    low = scene.drum(x - side * u * 0.32, floor + u * 0.17, u * 0.27, u * 0.06, c.second)
    scene.ball(x - side * u * 0.32, low + u * 0.006, u * dice.between(0.055, 0.075), c.accent)
    top = scene.drum(x, floor + u * 0.2, u * 0.52, u * dice.between(0.1, 0.14), c.light)
    scene.place(x, top + u * 0.012, u * dice.between(0.42, 0.48))
    if not scene.calm:
        scene.sprig(
            w / 2 + side * u * 0.46,
            floor + u * 0.2,
            u * 0.52,
            side * dice.between(0.1, 0.3),
            c.leaf,
        )
        scene.ball(x + side * u * 0.32, floor + u * 0.235, u * 0.045, c.second)


def papercut(scene: Scene) -> None:
    """Layers of cut paper: a sun, clouds, hills, the motif on a ridge."""
    w, h, u, c, dice = scene.w, scene.h, scene.u, scene.scheme, scene.dice
    side = dice.sign()
    sun_x, sun_y = w / 2 + side * u * dice.between(0.1, 0.2), h * 0.5 - u * 0.16
    halo = lighter(c.back, 0.05)
    for r in (0.36, 0.28):
        scene.raised(s.circle(sun_x, sun_y, u * r), halo, "down", 0.12)
    scene.raised(s.circle(sun_x, sun_y, u * 0.2), c.accent, "ball", 0.2)
    for step in range(0 if scene.calm else 3):
        x = w / 2 + side * u * (-0.34 + 0.33 * step + dice.between(-0.05, 0.05))
        y = h * 0.5 - u * (0.34 - 0.1 * (step == 1) + dice.between(-0.04, 0.04))
        _cloud(scene, x, y, u * dice.between(0.075, 0.12))
    layers = (c.panel, tone(c.panel, 0.62, 1.05), c.panel2, tone(c.panel2, 0.46, 1.0))
    stand = 0.0
    for step, colour in enumerate(layers):
        y = h * 0.5 + u * (0.06 + 0.12 * step) + (h - u) * 0.12 * step
        ridge = wave(scene, y, u * dice.between(0.035, 0.075), 2, dice.between(0, 6.3), h + u * 0.2)
        if step == 3:
            x = w / 2 - side * u * dice.between(0.06, 0.14)
            scene.place(x, stand + u * 0.06, u * dice.between(0.48, 0.54))
        scene.raised(ridge, colour, "down", 0.34)
        stand = y
    for step in range(0 if scene.calm else 5):
        x = w * (0.06 + 0.22 * step) + u * dice.between(-0.03, 0.03)
        lean = dice.between(-0.25, 0.25)
        scene.sprig(x, h + u * 0.03, u * dice.between(0.16, 0.28), lean, c.leaf, 5)


def _cloud(scene: Scene, x: float, y: float, r: float) -> None:
    cloud = s.union(
        s.box(x - r * 1.3, y - r * 0.1, x + r * 1.3, y + r * 0.36, r * 0.23),
        s.circle(x - r * 0.5, y, r * 0.36),
        s.circle(x + r * 0.2, y - r * 0.16, r * 0.52),
    )
    scene.soft(cloud, 0.2, 0.02, 0.016)
    scene.canvas.fill(cloud, scene.scheme.light)


def bauhaus(scene: Scene) -> None:
    """A grid of plain geometry with one large field for the motif."""
    c, dice = scene.scheme, scene.dice
    cols, rows = round(4 * scene.w / scene.u), round(4 * scene.h / scene.u)
    cell_w, cell_h = scene.w / cols, scene.h / rows
    col, row = (cols - 2) // 2 if cols > 4 else dice.pick((0, 1, 2)), (rows - 2) // 2
    fields = (c.back, c.panel, c.panel2, c.second, c.ground, c.light, c.accent)
    inks = (c.hero, c.accent, c.second, c.light, c.deep, c.panel2)
    order = dice.shuffled(range(len(fields)))
    for y in range(rows):
        for x in range(cols):
            field = fields[order[(x * 3 + y * 5) % len(fields)]]
            plain = max((c.light, c.deep), key=lambda ink: contrast(ink, field))
            ink = next((i for i in dice.shuffled(inks) if _differs(i, field)), plain)
            box = (x * cell_w, y * cell_h, (x + 1) * cell_w, (y + 1) * cell_h)
            _cell(scene, box, field, ink)
    left, top = col * cell_w, row * cell_h
    stage = s.box(left, top, left + 2 * cell_w, top + 2 * cell_h)
    scene.canvas.fill(stage, lit(c.panel, "down"))
    mid_x, mid_y, r = left + cell_w, top + cell_h, min(cell_w, cell_h)
    scene.canvas.fill(s.circle(mid_x, mid_y, r * dice.between(0.8, 0.92)), lit(c.back, "down"))
    scene.place(mid_x, mid_y + r * 0.02, r * dice.between(1.2, 1.3), middle=True)


def _differs(ink: RGB, field: RGB) -> bool:
    return sum(abs(a - b) for a, b in zip(ink, field, strict=True)) > 110


def _cell(scene: Scene, box: tuple[float, float, float, float], field: RGB, ink: RGB) -> None:
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    r, x, y = min(width, height), (left + right) / 2, (top + bottom) / 2
    paint, canvas, dice = lit(ink, "down"), scene.canvas, scene.dice
    canvas.fill(s.box(left, top, right + 1, bottom + 1), field)
    kind = dice.pick(("quarter", "half", "rings", "stripes", "dots", "leaf", "disc"))
    turn = dice.pick((0, 1, 2, 3))
    size = dice.between(0.86, 1.0)
    if kind == "quarter":
        cx, cy = (left, right)[turn % 2], (top, bottom)[turn // 2]
        start = {0: 0.0, 1: 0.5, 3: 1.0, 2: 1.5}[turn] * math.pi
        canvas.fill(s.sector(cx, cy, r * size, start, start + math.pi / 2), paint)
    elif kind == "half":
        up = turn % 2 == 0
        canvas.fill(s.half(x, bottom if up else top, width / 2, r * size / 2, up=up), paint)
    elif kind == "rings":
        for share in (0.46, 0.26):
            canvas.fill(s.ring(x, y, r * share * size, r * share * size, r * 0.09), paint)
    elif kind == "stripes":
        for step in range(3):
            at = top + height * (step * 2 + 0.5) / 6
            canvas.fill(s.box(left, at, right, at + height * size / 6), paint)
    elif kind == "dots":
        for step in range(9):
            dot_x = left + width * (step % 3 + 0.5) / 3
            dot_y = top + height * (step // 3 + 0.5) / 3
            canvas.fill(s.circle(dot_x, dot_y, r * 0.1 * size), paint)
    elif kind == "leaf":
        blade = s.leaf(r * 1.36 * size, r * 0.56)
        angle = math.pi / 4 if turn % 2 else -math.pi / 4
        foot = (left if turn % 2 else right) + (0.02 if turn % 2 else -0.02) * r
        canvas.fill(blade.moved(foot, bottom - 0.02 * r, 1, angle), paint)
    else:
        canvas.fill(s.circle(x, y, r * 0.42 * size), lit(ink, "ball"))


def waves(scene: Scene) -> None:
    """Flowing ribbons of colour round a floating disc."""
    w, h, u, c, dice = scene.w, scene.h, scene.u, scene.scheme, scene.dice
    colours = (c.panel, c.second, c.panel2, c.accent, c.hero, c.ground)
    phase = dice.between(0, 6.3)
    for step, colour in enumerate(colours):
        y = h * (0.1 + 0.165 * step) + u * dice.between(-0.03, 0.03)
        band = wave(scene, y, u * dice.between(0.07, 0.12), 2, phase + step * 0.55, y + h * 0.42)
        scene.soft(band, 0.24, 0.03, -0.012)
        stops = (lighter(colour, 0.07), colour, lighter(colour, -0.07), colour)
        scene.canvas.fill(band, Paint(stops if step % 2 else stops[::-1], "across"))
    x, y = w / 2 + u * dice.between(-0.03, 0.03), h / 2 + u * dice.between(-0.03, 0.03)
    disc = s.circle(x, y, u * 0.335)
    scene.soft(disc, 0.42, 0.05, 0.05)
    scene.canvas.fill(disc, Paint((scene.stage, lighter(scene.stage, -0.06)), "down"))
    scene.canvas.fill(s.ring(x, y, u * 0.335, u * 0.335, u * 0.006), c.light, 0.9)
    scene.place(x, y, u * dice.between(0.42, 0.46), middle=True)
    for step in range(2 if scene.calm else 5):
        turn = dice.between(0, 6.3) + step * 1.3
        far = u * dice.between(0.4, 0.46)
        bx, by, r = x + far * math.cos(turn), y + far * math.sin(turn), u * (0.02 + 0.008 * step)
        scene.raised(s.circle(bx, by, r), (c.accent, c.light, c.hero)[step % 3], "ball", 0.35)


def botanical(scene: Scene) -> None:
    """A window framed by leaves, the motif inside."""
    w, h, u, c, dice = scene.w, scene.h, scene.u, scene.scheme, scene.dice
    x, base = w / 2, h / 2 + u * 0.36
    height = min(h * 0.82, u * 0.82)
    scene.raised(s.arch(x, base + u * 0.035, u * 0.63, height + u * 0.035), c.light, "down", 0.25)
    scene.canvas.fill(s.arch(x, base, u * 0.56, height - u * 0.035), lit(c.panel, "down"))
    scene.canvas.fill(
        s.circle(x, base - u * 0.42, u * dice.between(0.19, 0.22)), lit(c.panel2, "down")
    )
    floor = s.box(x - u * 0.28, base - u * 0.13, x + u * 0.28, base)
    scene.canvas.fill(floor, lit(lighter(c.panel, -0.06), "down"))
    scene.place(x, base - u * 0.06, u * dice.between(0.46, 0.52))
    tints = (c.leaf, tone(c.leaf, 0.42), c.second, tone(c.leaf, 0.66, 0.8))
    corners = ((-0.04, 1.02, 0.45), (1.04, 1.02, -0.45), (1.03, -0.02, -2.6), (-0.03, -0.02, 2.6))
    for number, (cx, cy, angle) in enumerate(corners[:2] if scene.calm else corners):
        for step in range(3):
            lean = angle + (step - 1) * dice.between(0.38, 0.5)
            length = u * dice.between(0.4, 0.52) * (1.0 if step == 1 else 0.82)
            scene.sprig(w * cx, h * cy, length, lean, tints[(number + step) % 4], 6)
    for step in range(0 if scene.calm else 4):
        berry_x = x + u * (-0.36 + 0.24 * step) + u * dice.between(-0.02, 0.02)
        scene.raised(
            s.circle(berry_x, h - u * dice.between(0.035, 0.09), u * 0.02), c.accent, "ball"
        )


def rays(scene: Scene) -> None:
    """A sunburst with discs behind the motif."""
    w, h, u, c, dice = scene.w, scene.h, scene.u, scene.scheme, scene.dice
    x, y = w / 2, h / 2 + u * dice.between(-0.03, 0.03)
    count, far, turn = dice.pick((14, 18, 22)), math.hypot(w, h), dice.between(0, 0.4)
    wedges = []
    for step in range(count):
        start = turn + math.tau * step / count
        end = start + math.pi / count
        wedges.append(
            [(x, y), (x + far * math.cos(start), y + far * math.sin(start)),
             (x + far * math.cos(end), y + far * math.sin(end))]
        )  # fmt: skip
    burst = s.union(*(s.polygon(wedge) for wedge in wedges))
    scene.canvas.fill(burst, lighter(c.back, 0.04) if scene.calm else c.panel)
    discs = ((0.4, c.panel2), (0.345, c.light), (0.3, scene.stage))
    for share, colour in discs:
        scene.raised(s.circle(x, y, u * share), colour, "down", 0.24)
    start = 0.6
    chord = [(x + u * 0.3 * math.cos(t), y + u * 0.3 * math.sin(t))
             for t in (start + (math.pi - 2 * start) * k / 24 for k in range(25))]  # fmt: skip
    scene.canvas.fill(s.polygon(chord), lit(lighter(scene.stage, -0.08), "down"))
    scene.place(x, y - u * 0.02, u * dice.between(0.42, 0.46), middle=True)
    for step in range(0 if scene.calm else 10):
        angle = turn + math.tau * (step + 0.25) / 10
        reach = u * dice.between(0.44, 0.5)
        sx, sy = x + reach * math.cos(angle), y + reach * math.sin(angle)
        if step % 2:
            scene.raised(s.star(sx, sy, u * 0.034, 0.45, 5, angle), c.accent, "flat", 0.25)
        else:
            scene.raised(s.circle(sx, sy, u * 0.014), c.light, "flat", 0.25)


def window(scene: Scene) -> None:
    """Morning light through a window on a wall, the motif on a table with a long shadow."""
    w, h, u, c, dice = scene.w, scene.h, scene.u, scene.scheme, scene.dice
    table = h / 2 + u * dice.between(0.2, 0.25)
    side = dice.sign()
    glow = lighter(c.back, 0.13)
    left, top = w / 2 - u * 0.3 - side * u * 0.08, h / 2 - u * dice.between(0.44, 0.4)
    lean = side * u * dice.between(0.08, 0.14)
    for col in range(2):
        for row in range(3):
            x, y = left + col * u * 0.31, top + row * u * 0.225
            shift, fall = lean * (1 - row), lean * 0.55
            pane = s.polygon(
                [(x + shift, y), (x + shift + u * 0.285, y + fall * 0.4),
                 (x + shift - lean + u * 0.285, y + u * 0.2 + fall * 0.4),
                 (x + shift - lean, y + u * 0.2)]
            )  # fmt: skip
            scene.canvas.shadow(pane, glow, 0.85, u * 0.006)
    if not scene.calm:
        for step in range(3):
            frond = s.union(
                *(s.leaf(0.4, 0.13).moved(0, -0.16 * k, 1, turn)
                  for k in range(6) for turn in (-0.9, 0.9))
            )  # fmt: skip
            at = (w / 2 + side * u * (0.3 + 0.08 * step), h / 2 - u * 0.05 + step * u * 0.1)
            lying = frond.moved(*at, u * 0.36, -side * (0.5 + 0.35 * step))
            scene.canvas.shadow(lying, c.shade, 0.2, u * 0.012)
    edge = s.box(-2, table, w + 2, h + 2)
    scene.canvas.shadow(edge, c.shade, 0.25, u * 0.03, (0.0, -u * 0.01))
    scene.canvas.fill(edge, lit(c.panel, "down"))
    scene.canvas.fill(s.box(-2, table, w + 2, table + u * 0.012), lighter(c.panel, 0.07))
    foot = table + u * 0.14
    cloth = s.ellipse(w / 2, foot + u * 0.01, u * 0.4, u * 0.085)
    scene.raised(cloth, c.panel2, "across", 0.3)
    scene.ball(w / 2 - side * u * 0.36, foot + u * 0.05, u * dice.between(0.06, 0.08), c.accent)
    block = s.box(-0.07, -0.15, 0.07, 0, 0.01).moved(w / 2 + side * u * 0.36, foot - u * 0.03, u)
    scene.soft(block, 0.3, 0.02, 0.02)
    scene.canvas.fill(block, lit(c.second, "round"))
    scene.place(w / 2, foot, u * dice.between(0.52, 0.58), cast=-side * dice.between(0.7, 1.0))


def pattern(scene: Scene) -> None:
    """The motif repeated over tiles, one tile unlike the others."""
    c, dice, u = scene.scheme, scene.dice, scene.u
    cols, rows = max(3, round(3 * scene.w / u)), max(3, round(3 * scene.h / u))
    cell_w, cell_h = scene.w / cols, scene.h / rows
    r = min(cell_w, cell_h)
    fields = (c.back, c.panel, c.panel2, c.ground)
    swaps: tuple[dict[Tone, Tone], ...] = (
        {},
        {"hero": "accent", "accent": "hero"},
        {"hero": "second", "second": "hero"},
    )
    odd = (cols // 2, rows // 2)
    for row in range(rows):
        for col in range(cols):
            special = (col, row) == odd
            x, y = (col + 0.5) * cell_w, (row + 0.5) * cell_h
            tile = s.box(col * cell_w, row * cell_h, (col + 1) * cell_w + 1, (row + 1) * cell_h + 1)
            field = c.accent if special else fields[(col + row * 3) % 4]
            scene.canvas.fill(tile, lit(field, "down"))
            disc = s.circle(x, y, r * dice.between(0.4, 0.43))
            scene.canvas.fill(disc, lit(c.light if special else lighter(field, 0.07), "down"))
            size, tilt = r * dice.between(0.54, 0.6), dice.between(-0.12, 0.12)
            swap = swaps[0] if special else swaps[(col * 2 + row) % 3]
            scene.place(x, y, size, angle=tilt, grounded=False, middle=True, tones=swap)


FAMILIES: dict[str, Composition] = {
    "podium": podium,
    "papercut": papercut,
    "bauhaus": bauhaus,
    "waves": waves,
    "botanical": botanical,
    "rays": rays,
    "window": window,
    "pattern": pattern,
}
