"""Flow: what was not selected contributes nothing, in every mode, traces too.

Take `where(x > 0, sqrt(x), 0)` at x = 0: sqrt was not selected, its partial is inf, and 0 x inf
would be nan. On plain numbers the edge is simply not there. A trace does not know what will be
selected: there each contribution from below a selecting row becomes
`where(condition, contribution, -0.0)`: to add -0.0 changes nothing, not even a zero's sign.
"""

from __future__ import annotations

from typing import NamedTuple

from autograd.primitives import mul, not_equal, times, where

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from autograd.primitives import Primitive


class Flow(NamedTuple):
    """When anything flows to a node: each a bool, or a number of a trace that is not 0 then.

    Attributes:
        reaches: whether the rows on the way have selected it.
        lives: whether, besides, no `times` on the way has multiplied by 0.
    """

    reaches: Any
    lives: Any

    def along(self, row: Primitive, partial: Any) -> Flow | None:
        """Return the flow along an edge with this partial; None if there is none."""
        if not row.selects:
            return self
        if type(partial) is float:
            return None if partial == 0.0 else self
        if row is times:
            return Flow(self.reaches, _both(self.lives, not_equal(partial, 0.0)))
        reaches = _both(self.reaches, partial)
        return Flow(reaches, reaches if self.lives is self.reaches else _both(self.lives, partial))

    def joined(self, other: Flow) -> Flow:
        """Return the flow to a node that either of two flows reaches."""
        reaches = _either(self.reaches, other.reaches)
        same = self.lives is self.reaches and other.lives is other.reaches
        return Flow(reaches, reaches if same else _either(self.lives, other.lives))

    def carry(self, g: Any, partial: Any) -> Any:
        """Return g x partial as it arrives: -0.0 where nothing does.

        Where `times` has multiplied by 0 that is a product still, with the derivatives of one.
        """
        if self.lives is self.reaches:
            carried = product(g, partial)
        else:
            carried = -times(-g, partial)  # 0.0 times anything is 0.0
            if self.lives is not False:
                carried = where(self.lives, product(g, partial), carried)
        return carried if self.reaches is True else where(self.reaches, carried, -0.0)

    def ends(self, total: Any) -> Any:
        """Return the sum of all that has arrived: 0.0 where nothing has, as where nothing flows."""
        if self.lives is True:
            return total
        if self.lives is self.reaches:
            if total.primitive is where and total.operands[0] is self.reaches:
                total = total.operands[1]
            return where(self.reaches, total, 0.0)
        nothing = total + 0.0  # -0.0 + 0.0 is 0.0
        return nothing if self.lives is False else where(self.lives, total, nothing)


ALWAYS = Flow(reaches=True, lives=True)


def _both(a: Any, b: Any) -> Any:
    return b if a is True else a if a is False or b is True else where(a, b, 0.0)


def _either(a: Any, b: Any) -> Any:
    return True if a is True or b is True else b if a is False else where(a, 1.0, b)


def product(g: Any, partial: Any) -> Any:
    """Return g x partial, g a cotangent or tangent; a factor of exactly 1 changes nothing."""
    if type(partial) is float and partial == 1.0:
        return g
    if type(g) is float and g == 1.0:
        return partial
    return mul(g, partial)
