"""The team's illustrations, drawn from a stay's scene and hue, by day and by night. SVG out, nothing else in."""

from collections.abc import Callable

from stays import Stay


def draw(stay: Stay, night: bool) -> str:
    scene = SCENES[stay.scene](stay.hue, night)
    star = (
        '<circle cx="92" cy="74" r="26" fill="#f6ecc9"/>'
        if night
        else '<circle cx="92" cy="82" r="34" fill="#fff3d2"/>'
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 400" preserveAspectRatio="xMidYMid slice">'
        f"{sky(stay.hue, night)}{star}{stars(stay.id) if night else ''}{hills(stay, night)}{scene}{sea(night)}</svg>\n"
    )


def hsl(hue: int, saturation: int, light: int) -> str:
    return f"hsl({hue % 360} {saturation}% {light}%)"


def sky(hue: int, night: bool) -> str:
    top, low = (hsl(212, 45, 14), hsl(222, 32, 30)) if night else (hsl(hue + 170, 45, 82), hsl(hue + 12, 82, 84))
    return (
        f'<linearGradient id="sky" x2="0" y2="1"><stop stop-color="{top}"/><stop offset="1" stop-color="{low}"/>'
        '</linearGradient><rect width="640" height="400" fill="url(#sky)"/>'
    )


def stars(seed: int) -> str:
    places = [((seed * 97 + number * 173) % 640, (seed * 53 + number * 71) % 170) for number in range(18)]
    return "".join(f'<circle cx="{x}" cy="{y}" r="1.4" fill="#e6eff5" opacity=".8"/>' for x, y in places)


def hills(stay: Stay, night: bool) -> str:
    far, near = ("#1f3646", "#182c3a") if night else (hsl(stay.hue + 60, 22, 72), hsl(stay.hue + 80, 20, 60))
    lift = stay.id * 37 % 50
    return (
        f'<path fill="{far}" d="M0 260C90 {170 - lift} 190 {190 + lift} 300 225S520 {150 + lift} 640 215V340H0z"/>'
        f'<path fill="{near}" d="M0 300C120 {235 + lift} 260 280 380 270S560 {240 - lift} 640 275V340H0z"/>'
    )


def sea(night: bool) -> str:
    one, two, three = ("#17384a", "#12303f", "#0d2533") if night else ("#3d8ea1", "#2f7d91", "#22697d")
    swell = "q27-9 54 0t53 0" * 6
    return (
        f'<rect y="322" width="640" height="78" fill="{one}"/><path fill="{two}" d="M0 350{swell}V400H0z"/>'
        f'<path fill="{three}" d="M-30 376{swell}q27-9 54 0V400H-30z"/>'
    )


def walls(hue: int, night: bool, step: int = 0) -> tuple[str, str, str]:
    """Wall, roof and window."""
    if night:
        return hsl(hue + 200 + step * 12, 14, 28 + step % 3 * 3), hsl(hue, 22, 18), "#ffd58a"
    return hsl(hue + step * 9, 62 - step % 3 * 12, 80 - step % 4 * 6), hsl(hue - 8, 46, 36), hsl(hue + 200, 18, 34)


def windows(x: int, y: int, columns: int, rows: int, colour: str, night: bool, step: int = 26) -> str:
    lit = [
        (column, row) for column in range(columns) for row in range(rows) if not night or (column * 5 + row * 3 + x) % 3
    ]
    return "".join(
        f'<rect x="{x + column * step}" y="{y + row * 30}" width="11" height="17" rx="1.5" fill="{colour}"/>'
        for column, row in lit
    )


def row(hue: int, night: bool) -> str:
    drawn = []
    for number, (x, width, height) in enumerate(
        [(96, 84, 150), (180, 72, 186), (252, 92, 138), (344, 74, 172), (418, 88, 146)]
    ):
        wall, roof, window = walls(hue, night, number)
        top = 326 - height
        gable = f"M{x - 4} {top}l{width / 2 + 4} -40 {width / 2 + 4} 40z"
        drawn.append(f'<rect x="{x}" y="{top}" width="{width}" height="{height}" fill="{wall}"/>')
        drawn.append(f'<path d="{gable}" fill="{roof}"/>')
        drawn.append(windows(x + 12, top + 16, (width - 10) // 26, height // 30 - 1, window, night))
        drawn.append(f'<rect x="{x + width // 2 - 9}" y="294" width="18" height="32" rx="3" fill="{roof}"/>')
    return "".join(drawn) + f'<rect x="60" y="318" width="480" height="9" fill="{hsl(hue, 16, 22 if night else 46)}"/>'


def light(hue: int, night: bool) -> str:
    wall, roof, window = ("#7b868e", "#5e2f2b", "#ffd98f") if night else ("#fff8ec", hsl(hue, 58, 44), "#ffe7a6")
    beam = '<path d="M298 96 0 40v92zM342 96l298-44v96z" fill="#ffe7a6" opacity=".18"/>' if night else ""
    rock = hsl(hue + 30, 12, 20 if night else 44)
    return (
        f'{beam}<path d="M286 326 300 116h40l14 210z" fill="{wall}"/>'
        f'<path d="M297 160h46l3 42h-52zM291 246h58l3 42h-64z" fill="{roof}"/>'
        f'<rect x="292" y="108" width="56" height="11" rx="3" fill="{roof}"/><rect x="303" y="80" width="34"'
        f' height="28" fill="{window}"/><path d="M296 82h48l-24 -28z" fill="{roof}"/>'
        f'<path d="M354 326v-58h92v58z" fill="{wall}"/><path d="M346 270l54 -30 54 30z" fill="{roof}"/>'
        f'{windows(368, 286, 3, 1, window, night)}<path d="M150 334c40-22 120-16 180-16s150-8 210 18z" fill="{rock}"/>'
    )


def tower(hue: int, night: bool) -> str:
    wall, roof, window = walls(hue, night, 2)
    side, _, _ = walls(hue, night, 4)
    return (
        f'<rect x="130" y="208" width="130" height="118" fill="{side}"/>'
        f'<path d="M122 210h146l-18 -22h-110z" fill="{roof}"/>'
        f"{windows(150, 226, 4, 3, window, night)}"
        f'<rect x="250" y="96" width="176" height="230" fill="{wall}"/><path d="M240 98h196l-30 -34h-24v-16h-14v16'
        f'h-98z" fill="{roof}"/>{windows(270, 118, 6, 6, window, night)}'
        f'<path d="M318 326v-34a20 20 0 0 1 40 0v34z" fill="{roof}"/>'
        f'<rect x="424" y="230" width="104" height="96" fill="{side}"/><path d="M418 232h116v-9h-116z" fill="{roof}"/>'
        f'{windows(438, 248, 4, 2, window, night)}<rect x="90" y="318" width="470" height="9" fill="{roof}"/>'
    )


def villa(hue: int, night: bool) -> str:
    wall, roof, window = walls(hue, night, 1)
    tree = "#1d3a34" if night else hsl(hue + 95, 26, 38)
    arches = "".join(f'<path d="M{x} 326v-52a17 17 0 0 1 34 0v52z" fill="{window}"/>' for x in (190, 242, 294, 346))
    trees = "".join(
        f'<ellipse cx="{x}" cy="{y}" rx="16" ry="62" fill="{tree}"/>' for x, y in ((112, 268), (146, 280), (516, 266))
    )
    return (
        f'{trees}<rect x="170" y="226" width="290" height="100" fill="{wall}"/>'
        f'<path d="M156 228h318l-26 -26h-266z" fill="{roof}"/><rect x="254" y="146" width="130" height="58"'
        f' fill="{wall}"/>'
        f'<path d="M242 148h154l-24 -26h-106z" fill="{roof}"/>{windows(272, 164, 4, 1, window, night)}{arches}'
        f'<rect x="398" y="262" width="44" height="30" rx="3" fill="{window}"/>'
        f'<rect x="84" y="318" width="470" height="9" fill="{roof}"/>'
    )


SCENES: dict[str, Callable[[int, bool], str]] = {"row": row, "light": light, "tower": tower, "villa": villa}
