"""Pixels of a PNG screenshot: 8 bits a channel, RGB or RGBA, not interlaced."""

import struct
import zlib
from collections.abc import Iterator

Pixel = tuple[int, int, int]


def rows_of(png: bytes) -> list[list[Pixel]]:
    """Return the pixels by row."""
    header, data = b"", b""
    for kind, content in _chunks(png):
        header = content if kind == b"IHDR" else header
        data += content if kind == b"IDAT" else b""
    width, height, depth, colour = struct.unpack(">IIBB", header[:10])
    if depth != 8 or colour not in (2, 6):
        raise ValueError(f"depth {depth}, colour type {colour}")
    size = 4 if colour == 6 else 3
    rows, above = [], bytes(width * size)
    raw = zlib.decompress(data)
    for number in range(height):
        start = number * (width * size + 1)
        line = raw[start + 1 : start + 1 + width * size]
        above = _unfiltered(raw[start], line, above, size)
        rows.append([_pixel(above, place) for place in range(0, len(above), size)])
    return rows


def contrast(colours: list[Pixel]) -> float:
    """Return the contrast of the darkest and the lightest colour (WCAG 2.2)."""
    shades = [_luminance(colour) for colour in colours]
    return (max(shades) + 0.05) / (min(shades) + 0.05)


def _luminance(colour: Pixel) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
        for part in (channel / 255 for channel in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 8
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        yield png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        place += length + 12


def _pixel(line: bytes, place: int) -> Pixel:
    return line[place], line[place + 1], line[place + 2]


def _unfiltered(kind: int, line: bytes, above: bytes, size: int) -> bytes:
    """Undo the filter of one row (PNG specification, section 9)."""
    result = bytearray(line)
    for place, value in enumerate(line):
        left = result[place - size] if place >= size else 0
        corner = above[place - size] if place >= size else 0
        guess = (0, left, above[place], (left + above[place]) // 2)
        added = guess[kind] if kind < 4 else _paeth(left, above[place], corner)
        result[place] = (value + added) & 255
    return bytes(result)


def _paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    return min((left, above, corner), key=lambda value: abs(guess - value))
