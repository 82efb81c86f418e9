"""A matplotlib figure that a notebook shows without pyplot, which keeps every figure alive."""

from __future__ import annotations

import io

from matplotlib.figure import Figure


class Picture(Figure):
    """A figure that shows itself where the cell of a notebook ends in it."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """Return the PNG, sharp on fine screens too, and its width and height in CSS pixels."""
        image = io.BytesIO()
        self.savefig(image, format="png")
        width, height = self.get_size_inches()
        return image.getvalue(), {"width": round(96 * width), "height": round(96 * height)}
